"""Read an image as the towers take it.

    path | Pillow image | array  ->  uint8 (S, S, 3), RGB in sRGB, 0..255, letterboxed, centred, on black

The first frame is read, turned upright as EXIF says, converted from its ICC profile to sRGB, with alpha over white.
Training, validation, the export check, scoring and serving all call `load`. It is safe to call from many threads.

White is 65535 in 16-bit files. Files of 32-bit integers or floats do not state their range. Their white is the first
of 1 (floats only), 255, 65535 and the picture's own maximum that no pixel exceeds.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from artsim.errors import ImageError, MissingImageError, TooLargeImageError, UnreadableImageError, UsageError
from artsim.profiles import to_srgb

MAX_PIXELS = 500_000_000
# Pillow's other formats are left out: those it hands to other programs (EPS, WMF), those it only recognises (HDF5,
# GRIB), and those without a signature, for which any bytes may pass (TGA).
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "AVIF", "JPEG2000", "PSD", "QOI", "SGI")

ImageSource: TypeAlias = str | os.PathLike[str] | Image.Image | NDArray[np.uint8]

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS = (5, 6, 7, 8)  # they swap width and height
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)
_LIMIT_LOCK = threading.Lock()
_MIXABLE = {"1": "L", "P": "RGB", "HSV": "RGB", "RGBX": "RGB"}

# Without a handler, `logging.lastResort` would print Pillow's log. libtiff, in C, still prints its errors on stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def load(source: ImageSource, size: int, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Read one image as uint8 (size, size, 3).

    A Pillow image is read at its current frame. It stays open and unchanged. An array is uint8: (H, W) or (H, W, 1)
    grey, (H, W, 3) RGB, (H, W, 4) RGBA. `max_pixels` holds for every kind of source.

    Raises MissingImageError, TooLargeImageError, UnreadableImageError (also for an array of another type or shape),
    or UsageError (for a source of another type, or a size below 1).
    """
    if size < 1:
        raise UsageError(f"an image can't be {size} pixels wide: give a size of 1 or more")
    with opened(source, max_pixels=max_pixels) as picture:
        return _letterboxed(_small(picture, size, is_ours=picture is not source), size)


def suffixes() -> frozenset[str]:
    """The suffixes of files in the formats that are read, in lower case, as Pillow registers them."""
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in FORMATS)


@contextmanager
def opened(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """A Pillow image with a size that is known and allowed. No pixel of a file is decoded yet.

    Raises the errors of `load`. Any other error inside the `with` block becomes UnreadableImageError.
    """
    name = _name(source)
    try:
        with _QUIET_PILLOW:
            if isinstance(source, str | os.PathLike):
                with open_file(name) as file:
                    yield _header_read(file, name, max_pixels)
            else:
                picture = source if isinstance(source, Image.Image) else _from_array(source, name)
                _check_pixels(picture, name, max_pixels)
                yield picture
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{name}: not an image in a format that artsim reads, or damaged") from error
    except Exception as error:  # decoders raise any type for a damaged file: struct.error, MemoryError, ...
        raise UnreadableImageError(f"{name}: damaged, or not an image: {str(error) or repr(error)}") from error


def _name(source: ImageSource) -> str:
    if isinstance(source, np.ndarray):
        return f"array of shape {source.shape}"
    if isinstance(source, Image.Image):
        return str(getattr(source, "filename", "") or "Pillow image")
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    raise UsageError(f"an image is a path, a Pillow image or an array, not {type(source).__name__}")


def _from_array(array: NDArray[np.uint8], name: str) -> Image.Image:
    if array.dtype != np.uint8 or array.ndim < 2 or array.shape[2:] not in ((), (1,), (3,), (4,)):
        raise UnreadableImageError(f"{name}, {array.dtype}: must be uint8 of shape (H, W) or (H, W, 1, 3 or 4)")
    return Image.fromarray(array[:, :, 0] if array.shape[2:] == (1,) else array)


def open_file(name: str) -> io.BufferedReader:
    """Open a file that may be an image, never a pipe. Raises MissingImageError or UnreadableImageError."""
    if not name:
        raise MissingImageError("an image's name is empty")
    path = Path(name)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise MissingImageError(f"{name}: a folder, not an image")
        if not stat.S_ISREG(status.st_mode):  # to open a pipe is to wait for its writer
            raise UnreadableImageError(f"{name}: not a regular file (a pipe, a socket or a device)")
        if not status.st_size:
            raise UnreadableImageError(f"{name}: empty (0 bytes)")
        return path.open("rb")
    except (OSError, ValueError) as error:
        raise _no_file(path, error) from error


def _no_file(path: Path, error: OSError | ValueError) -> ImageError:
    """The error for a file that does not exist, or for one that exists but can't be opened."""
    if isinstance(error, ValueError) or error.errno in _NOT_THERE:  # a ValueError is a null byte in the name
        is_link = os.path.islink(path)  # noqa: PTH114 - Path's raises for a name that is too long
        what = "a link to a file that is not there" if is_link else "no such file"
        return MissingImageError(f"{str(path)!r}: {what}")
    return UnreadableImageError(f"{path}: can't be opened: {error.strerror}")


def _header_read(file: io.BufferedReader, name: str, max_pixels: int) -> Image.Image:
    try:
        picture = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError:
        with _without_pillow_limit():
            picture = Image.open(file, formats=FORMATS)
    _check_pixels(picture, name, max_pixels)
    if picture.format == "TIFF":  # Pillow checks its limit again where it allocates a TIFF's memory: allocate it here
        with _without_pillow_limit():
            picture.load_prepare()
    return picture


def _check_pixels(picture: Image.Image, name: str, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        pixels = f"{width} x {height} = {width * height:,} pixels"
        raise TooLargeImageError(f"{name}: {pixels}, above the limit of {max_pixels:,} (--max-pixels)")
    if not width * height:
        raise UnreadableImageError(f"{name}: no pixels ({width} x {height})")


@contextmanager
def _without_pillow_limit() -> Iterator[None]:
    """Lift Pillow's own limit of 179 million pixels, for some museum scans are larger.

    The limit is one for the whole process. It is lifted only while a header is read or memory is allocated.
    """
    with _LIMIT_LOCK:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


class _QuietPillow(threading.local):
    """The module pattern of a warning filter that matches Pillow in threads that are inside `load`.

    `warnings.catch_warnings` replaces the filters of the whole process, so threads that overlap restore the wrong ones
    (https://github.com/python/cpython/issues/50896). From Python 3.14, `-X context_aware_warnings` mends that.
    """

    inside = False

    def match(self, module: str) -> bool:
        return self.inside and module.startswith("PIL.")

    def __enter__(self) -> None:
        filters = cast("list[Any]", warnings.filters)
        if not filters or filters[0] is not _IGNORE_PILLOW:  # another program may have put its own first
            filters.insert(0, _IGNORE_PILLOW)
        self.inside = True

    def __exit__(self, *_: object) -> None:
        self.inside = False


_QUIET_PILLOW = _QuietPillow()
_IGNORE_PILLOW = ("ignore", None, Warning, _QUIET_PILLOW, 0)


def _small(picture: Image.Image, size: int, *, is_ours: bool) -> Image.Image:
    """Decode, fit into `size`, convert to sRGB and turn upright. The last two are cheaper on a small image."""
    width, height = fit(picture.size, size)  # fitted again below, as Pillow turns a TIFF upright while it decodes
    # JPEG: at 1/2, 1/4 or 1/8 of its size, never below twice the target. `draft` would leave a caller's image reduced.
    drafted = picture.draft(None, (2 * width, 2 * height)) if is_ours else None
    picture.load()
    fitted, box = ((width, height), drafted[1]) if drafted else (fit(picture.size, size), None)
    # Bicubic, not Lanczos: smaller halos beside strong edges, and 10 % less time. A gap of 2 lets a cheap box average
    # come first and leaves the antialiasing to the bicubic filter.
    small = _mixable(picture).resize(fitted, Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
    flat = _eight_bits(small, picture) if small.mode in ("I", "F") else _over_white(small)
    return _upright(to_srgb(flat, picture.info.get("icc_profile")), picture)


def fit(whole: tuple[int, int], size: int) -> tuple[int, int]:
    """The largest size of the same proportions that fits a square. No side is below 1, and halves are rounded up."""
    longest = max(whole)
    width, height = ((2 * side * size + longest) // (2 * longest) for side in whole)
    return max(1, width), max(1, height)


def _mixable(picture: Image.Image) -> Image.Image:
    """Convert to a mode in which the mean of two pixels is a colour between them, alpha premultiplied."""
    mode = picture.mode
    if mode.startswith("I;16"):  # Pillow can't reduce it, and clips it at 255 (python-pillow/Pillow#3159)
        return picture.convert("I")
    if mode in ("I", "F", "La", "RGBa"):
        return picture
    if picture.has_transparency_data:
        straight = "LA" if mode in ("1", "L", "LA") else "RGBA"
        palette_safe = picture.copy() if mode == "P" else picture  # Pillow writes alpha into the palette
        return palette_safe.convert(straight).convert(straight[:-1] + "a")
    return picture.convert(_MIXABLE[mode]) if mode in _MIXABLE else picture


def _eight_bits(small: Image.Image, picture: Image.Image) -> Image.Image:
    """Scale to 0..255 by the range of the whole picture, as the module's docstring defines it."""
    values = np.asarray(small, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("some of its pixels are not finite (NaN or infinity)")
    highest = 65535.0 if picture.mode.startswith("I;16") else float(cast("Any", picture.getextrema())[1])
    usual = (1, 255, 65535) if picture.mode == "F" else (255, 65535)
    white = next((step for step in usual if highest <= step), highest)
    return Image.fromarray((np.clip(values / white, 0, 1) * 255 + 0.5).astype(np.uint8))


def _over_white(small: Image.Image) -> Image.Image:
    if small.mode not in ("La", "RGBa"):
        return small
    straight = small.convert(small.mode.upper())
    white = Image.new(small.mode[:-1], small.size, "white")
    white.paste(straight.convert(white.mode), mask=straight.getchannel("A"))
    return white


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Width and height of an opened picture, turned as EXIF says. Pillow has turned the size of a TIFF already."""
    width, height = picture.size
    is_turned = picture.format != "TIFF" and _orientation(picture) in _QUARTER_TURNS
    return (height, width) if is_turned else (width, height)


def _orientation(picture: Image.Image) -> object:
    try:
        return picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # Pillow raises any type for damaged EXIF, which does not damage the pixels
        return None


def _upright(small: Image.Image, picture: Image.Image) -> Image.Image:
    orientation = _orientation(picture)
    return small.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else small


def _letterboxed(small: Image.Image, size: int) -> NDArray[np.uint8]:
    """Centre on black. An odd row or column of black goes to the bottom or the right."""
    width, height = small.size
    left, top = (size - width) // 2, (size - height) // 2
    square = np.zeros((size, size, 3), np.uint8)
    square[top : top + height, left : left + width] = np.asarray(small)  # (H, W, 3)
    return square
