"""A file becomes what the tower eats.

    path | Pillow image | array  ->  uint8 (S, S, 3), RGB in sRGB, 0..255, letterboxed, centred, on black

The first frame, the way up that EXIF says, in the colours that its ICC profile says, alpha over white.
Training, validation, the export check, scoring and serving call `load`, from any number of threads.

White is 65535 in 16-bit files. 32-bit integers and floats carry no range: there it is the first of 1 (floats
only), 255, 65535 and the picture's own maximum that no pixel exceeds.
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
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from artsim.errors import ImageError, MissingImageError, TooLargeImageError, UnreadableImageError, UsageError

MAX_PIXELS = 500_000_000
# Not the formats that Pillow hands to other programs (EPS, WMF) or only recognises (HDF5, GRIB), nor those
# without a signature, for which any bytes may pass (TGA).
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
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)
_LIMIT_LOCK = threading.Lock()
_MIXABLE = {"1": "L", "P": "RGB", "HSV": "RGB", "RGBX": "RGB"}

# Without a handler of its own, Pillow's log would reach the terminal by way of logging's last resort.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def load(source: ImageSource, size: int, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Read one image as the tower wants it.

    A Pillow image is taken at the frame that it stands at, stays open and keeps its pixels. Arrays are uint8:
    (H, W) or (H, W, 1) grey, (H, W, 3) RGB, (H, W, 4) RGBA. `max_pixels` holds for every kind of source.

    Raises MissingImageError, TooLargeImageError or UnreadableImageError (for an array of another type or
    shape too: in a list it is one bad image among others); UsageError for what can't be an image or a size.
    """
    if size < 1:
        raise UsageError(f"an image can't be {size} pixels wide: give a size of 1 or more")
    name = _name(source)
    try:
        with _QUIET_PILLOW, _opened(source, name, max_pixels) as picture:
            return _letterboxed(_small(picture, size, is_ours=picture is not source), size)
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{name}: not an image of a kind that artsim reads, or damaged") from error
    except Exception as error:  # decoders meet corrupt files with any type: struct.error, MemoryError, ...
        raise UnreadableImageError(f"{name}: damaged, or not an image: {str(error) or repr(error)}") from error


def _name(source: ImageSource) -> str:
    if isinstance(source, np.ndarray):
        return f"array of shape {source.shape}"
    if isinstance(source, Image.Image):
        return str(getattr(source, "filename", "") or "Pillow image")
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    raise UsageError(f"an image is a path, a Pillow image or an array, not {type(source).__name__}")


@contextmanager
def _opened(source: ImageSource, name: str, max_pixels: int) -> Iterator[Image.Image]:
    if isinstance(source, str | os.PathLike):
        with open_file(name) as file:
            yield _header_read(file, name, max_pixels)
    else:
        picture = source if isinstance(source, Image.Image) else _from_array(source, name)
        _check_pixels(picture, name, max_pixels)
        yield picture


def _from_array(array: NDArray[np.uint8], name: str) -> Image.Image:
    if array.dtype != np.uint8 or array.ndim < 2 or array.shape[2:] not in ((), (1,), (3,), (4,)):
        raise UnreadableImageError(f"{name}, {array.dtype}: has to be uint8 and (H, W) or (H, W, 1, 3 or 4)")
    return Image.fromarray(array[:, :, 0] if array.shape[2:] == (1,) else array)


def open_file(name: str) -> io.BufferedReader:
    """Open what may be an image, never waiting for a pipe; raises MissingImageError or UnreadableImageError."""
    if not name:
        raise MissingImageError("an image's name is empty")
    path = Path(name)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise MissingImageError(f"{name}: a folder, not an image")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for its writer, perhaps for ever
            raise UnreadableImageError(f"{name}: not a regular file (a pipe, a socket or a device)")
        if not status.st_size:
            raise UnreadableImageError(f"{name}: empty (0 bytes)")
        return path.open("rb")
    except (OSError, ValueError) as error:
        raise _no_file(path, error) from error


def _no_file(path: Path, error: OSError | ValueError) -> ImageError:
    """Tell a file that is not there from one that is and can't be opened."""
    if isinstance(error, ValueError) or error.errno in _NOT_THERE:  # a ValueError is a null byte in the name
        is_link = os.path.islink(path)  # noqa: PTH114 - Path's raises for a name that is too long
        what = "a link to a file that is not there" if is_link else "no such file"
        return MissingImageError(f"{str(path)!r}: {what}")
    return UnreadableImageError(f"{path}: can't be opened: {error.strerror}")


def _header_read(file: io.BufferedReader, name: str, max_pixels: int) -> Image.Image:
    """An image whose size is known and allowed, and of which nothing is decoded yet."""
    try:
        picture = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError:
        with _without_pillow_limit():
            picture = Image.open(file, formats=FORMATS)
    _check_pixels(picture, name, max_pixels)
    if picture.format == "TIFF":  # checked a second time, where its memory is allocated: do that here
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
    """Lift Pillow's own limit, 179 million pixels, which is below some museum scans.

    It protects the whole process: lifted only for an image that needs it, and only while its header is read
    or its memory allocated, never while something is decoded.
    """
    with _LIMIT_LOCK:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


class _QuietPillow(threading.local):
    """The module pattern of a warning filter: Pillow, in threads that are inside `load`.

    warnings.catch_warnings swaps the whole process's filters, and threads that overlap leave the wrong ones.
    """

    inside = False

    def match(self, module: str) -> bool:
        return self.inside and module.startswith("PIL.")

    def __enter__(self) -> None:
        filters = cast("list[Any]", warnings.filters)
        if not filters or filters[0] is not _IGNORE_PILLOW:  # a host program may have put its own in front
            filters.insert(0, _IGNORE_PILLOW)
        self.inside = True

    def __exit__(self, *_: object) -> None:
        self.inside = False


_QUIET_PILLOW = _QuietPillow()
_IGNORE_PILLOW = ("ignore", None, Warning, _QUIET_PILLOW, 0)


def _small(picture: Image.Image, size: int, *, is_ours: bool) -> Image.Image:
    """Decode, fit into `size`, then (cheaper in this order) give it its colours and turn it upright."""
    width, height = _fit(picture.size, size)  # again below: decoding turns a TIFF upright
    # JPEG: at 1/2, 1/4 or 1/8, never below twice the target. Not for a caller's image: it would stay so.
    drafted = picture.draft(None, (2 * width, 2 * height)) if is_ours else None
    picture.load()
    fitted, box = ((width, height), drafted[1]) if drafted else (_fit(picture.size, size), None)
    # Bicubic, not Lanczos: less of a halo beside strong edges, and 10 % less time. With a gap of 2 the cheap
    # first step, a box average, leaves the antialiasing to the second.
    small = _mixable(picture).resize(fitted, Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
    flat = _eight_bits(small, picture) if small.mode in ("I", "F") else _over_white(small)
    return _upright(_to_srgb(flat, picture.info.get("icc_profile")), picture)


def _fit(whole: tuple[int, int], size: int) -> tuple[int, int]:
    """The largest size of the same proportions in a square, no side below 1; halves are rounded up."""
    longest = max(whole)
    width, height = ((2 * side * size + longest) // (2 * longest) for side in whole)
    return max(1, width), max(1, height)


def _mixable(picture: Image.Image) -> Image.Image:
    """Convert to a mode in which the mean of two pixels is a colour between them, alpha premultiplied."""
    mode = picture.mode
    if mode.startswith("I;16"):  # Pillow can't resize it, and clips it where it should scale
        return picture.convert("I")
    if mode in ("I", "F", "La", "RGBa"):
        return picture
    if picture.has_transparency_data:
        straight = "LA" if mode in ("1", "L", "LA") else "RGBA"
        palette_safe = picture.copy() if mode == "P" else picture  # the conversion writes into a palette
        return palette_safe.convert(straight).convert(straight[:-1] + "a")
    return picture.convert(_MIXABLE[mode]) if mode in _MIXABLE else picture


def _eight_bits(small: Image.Image, picture: Image.Image) -> Image.Image:
    """Scale to 0..255 by the range of the whole picture (the module's docstring says which)."""
    values = np.asarray(small, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("some of its pixels are no numbers (NaN or infinity)")
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


def _to_srgb(small: Image.Image, icc: bytes | None) -> Image.Image:
    """Apply the profile if it suits the pixels; without one they are sRGB already."""
    mode, transform = _srgb_transform(icc) if icc else ("", None)
    suits = small.mode == mode or (mode == "RGB" and small.mode in ("L", "YCbCr"))
    return transform.apply(small.convert(mode)) if transform and suits else small.convert("RGB")


@lru_cache(maxsize=32)  # whole collections share a handful of profiles
def _srgb_transform(icc: bytes) -> tuple[str, ImageCms.ImageCmsTransform | None]:
    """The mode that a profile is for, and its transform to sRGB: None if it changes nothing or is broken.

    A broken profile is ignored, as browsers do, and the intent is theirs. NOCACHE lets threads share it: the
    one-pixel cache is the only state that Little CMS keeps in a transform.
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        mode = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}[profile.profile.xcolor_space.strip()]
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOCACHE
        transform = ImageCms.ImageCmsTransform(profile, srgb, mode, "RGB", intent, flags=flags)
        return mode, None if mode == "RGB" and _changes_nothing(transform) else transform
    except (ImageCms.PyCMSError, KeyError, OSError, TypeError, ValueError):
        return "", None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a profile is sRGB, by what it does to 729 colours: sRGB goes by many names."""
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    moved = np.asarray(transform.apply(Image.fromarray(colours)))
    return bool(np.abs(moved.astype(int) - colours).max() <= 1)


def _upright(small: Image.Image, picture: Image.Image) -> Image.Image:
    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damaged EXIF is no damage to the picture, and Pillow meets it with any type
        return small
    return small.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else small


def _letterboxed(small: Image.Image, size: int) -> NDArray[np.uint8]:
    """Centre on black; an odd row or column goes to the bottom or the right."""
    width, height = small.size
    left, top = (size - width) // 2, (size - height) // 2
    square = np.zeros((size, size, 3), np.uint8)
    square[top : top + height, left : left + width] = np.asarray(small)  # (H, W, 3)
    return square
