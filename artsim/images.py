"""Read an image as the towers take it.

    path | bytes | Pillow image | array  ->  uint8 (S, S, 3), RGB in sRGB, 0..255, letterboxed, centred, on black

The first frame is read, or the largest page of a TIFF. It is turned upright as EXIF says, converted from its ICC
profile to sRGB, with alpha over white. `pixel_modes` says how other depths become 8 bits. Training, validation, the
export check, scoring and serving all call `load`. It is safe to call from many threads. They share one budget of
memory.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from artsim import heif, tiff
from artsim.decoding_cost import decoding_bytes
from artsim.errors import ImageError, MissingImageError, TooLargeImageError, UnreadableImageError, UsageError
from artsim.machine import is_short_of_memory
from artsim.memory_budget import DECODING, Budget
from artsim.pillow_settings import QUIET_PILLOW, without_pillow_limit
from artsim.pixel_modes import (
    UnsuitablePixelsError,
    eight_bits,
    mixable,
    orientation_of,
    over_white,
    transparent_grey,
    upright,
)
from artsim.profiles import to_srgb

MAX_PIXELS = 500_000_000
# Pillow's other formats are left out: those it hands to other programs (EPS, WMF), those it only recognises (HDF5,
# GRIB), and those without a signature, for which any bytes may pass (TGA).
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "PPM", "TIFF", "WEBP", "AVIF", "JPEG2000", "PSD", "QOI", "SGI")
_AS_JPEG = "MPO"  # several JPEGs in one file; Pillow's reader of JPEG reads them

ImageSource: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]

_QUARTER_TURNS = (5, 6, 7, 8)  # orientations that swap width and height
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)


def suffixes() -> frozenset[str]:
    """The suffixes of files that `load` reads, in lower case: `.jpg`, `.tif`, … and `.heic` with the extra `heic`."""
    formats = {*FORMATS, _AS_JPEG}
    of_pillow = {suffix for suffix, name in Image.registered_extensions().items() if name in formats}
    return frozenset(of_pillow | (heif.SUFFIXES if heif.is_installed() else set()))


def load(
    source: ImageSource, size: int, *, max_pixels: int = MAX_PIXELS, budget: Budget = DECODING
) -> NDArray[np.uint8]:
    """Read one image as uint8 (size, size, 3).

    Bytes are those of a file. A Pillow image is read at its current frame. It stays open and unchanged. An array is
    uint8: (H, W) or (H, W, 1) grey, (H, W, 3) RGB, (H, W, 4) RGBA. `max_pixels` holds for every kind of source.
    `budget` grants the memory that decoding takes; the default is shared by all threads of the process.

    Raises MissingImageError, TooLargeImageError, UnreadableImageError (also for an array of another type or shape),
    or UsageError (for a source of another type, or a size below 1).
    """
    if size < 1:
        raise UsageError(f"an image can't be {size} pixels wide: give a size of 1 or more")
    with ExitStack() as granted:
        with opened(source, max_pixels=max_pixels) as picture:
            whole, drafted = picture.size, None if picture is source else _drafted(picture, size)
            granted.enter_context(budget.reserved(decoding_bytes(picture, whole)))
            square = _letterboxed(_small(picture, size, drafted), size)
        del picture  # its memory is given back before the reservation
        return square


@contextmanager
def opened(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """A Pillow image with a size that is known and allowed. No pixel of a file is decoded yet.

    Raises the errors of `load`. Any other error inside the `with` block becomes UnreadableImageError.
    """
    name = _name(source)
    try:
        with QUIET_PILLOW:
            if isinstance(source, str | os.PathLike):
                with open_file(name) as file:
                    yield _header_read(file, name, max_pixels)
            elif isinstance(source, bytes):
                if not source:
                    raise UnreadableImageError(f"{name}: empty")
                yield _header_read(io.BytesIO(source), name, max_pixels)
            else:
                picture = source if isinstance(source, Image.Image) else _from_array(source, name)
                _check_pixels(picture, name, max_pixels)
                tiff.check_opened(picture, name)
                yield picture
    except ImageError:
        raise
    except UnsuitablePixelsError as error:
        raise UnreadableImageError(f"{name}: {error}") from error
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"{name}: not an image in a format that artsim reads, or damaged") from error
    except Exception as error:  # decoders raise any type for a damaged file: struct.error, MemoryError, ...
        if is_short_of_memory(error):
            raise UnreadableImageError(f"{name}: there is too little memory to decode it, or it is damaged") from error
        raise UnreadableImageError(f"{name}: damaged, or not an image: {str(error) or repr(error)}") from error


def _name(source: ImageSource) -> str:
    if isinstance(source, np.ndarray):
        return f"array of shape {source.shape}"
    if isinstance(source, Image.Image):
        return str(getattr(source, "filename", "") or "Pillow image")
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    if isinstance(source, bytes):
        return f"image of {len(source):,} bytes"
    raise UsageError(f"an image is a path, bytes, a Pillow image or an array, not {type(source).__name__}")


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


def _header_read(file: io.BufferedReader | io.BytesIO, name: str, max_pixels: int) -> Image.Image:
    start = file.read(16)
    file.seek(0)
    picture = tiff.open_page(file, name) if start[:4] in tiff.MAGIC else _opened_by_pillow(file, start, name)
    _check_pixels(picture, name, max_pixels)
    return picture


def _opened_by_pillow(file: io.BufferedReader | io.BytesIO, start: bytes, name: str) -> Image.Image:
    try:
        return Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError:
        with without_pillow_limit():
            return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        if not heif.is_heif(start):
            raise
        file.seek(0)
        return heif.open_picture(file, name)


def _check_pixels(picture: Image.Image, name: str, max_pixels: int) -> None:
    width, height = picture.size
    if width * height > max_pixels:
        pixels = f"{width} x {height} = {width * height:,} pixels"
        raise TooLargeImageError(f"{name}: {pixels}, above the limit of {max_pixels:,} (--max-pixels)")
    if not width * height:
        raise UnreadableImageError(f"{name}: no pixels ({width} x {height})")


@dataclass(frozen=True)
class _Draft:
    """How a JPEG will be decoded: the size that it is fitted to, and its box in the reduced picture."""

    fitted: tuple[int, int]
    box: tuple[int, int, float, float]


def _drafted(picture: Image.Image, size: int) -> _Draft | None:
    """Have a JPEG decoded at 1/2, 1/4 or 1/8 of its size, never below twice the target.

    `draft` would leave a caller's image reduced.
    """
    width, height = fit(picture.size, size)
    drafted = picture.draft(None, (2 * width, 2 * height))
    return None if drafted is None else _Draft((width, height), drafted[1])


def _small(picture: Image.Image, size: int, drafted: _Draft | None) -> Image.Image:
    """Decode, fit into `size`, convert to sRGB and turn upright. The last two are cheaper on a small image."""
    if isinstance(picture, tiff.PagePicture):  # Pillow checks its limit again where it allocates: allocate it here
        with without_pillow_limit():
            picture.load_prepare()
    transparent = transparent_grey(picture)
    picture.load()
    # Fitted now, as Pillow turns a TIFF upright while it decodes.
    fitted, box = (drafted.fitted, drafted.box) if drafted else (fit(picture.size, size), None)
    # Bicubic, not Lanczos: smaller halos beside strong edges, and 10 % less time. A gap of 2 lets a cheap box
    # average come first and leaves the antialiasing to the bicubic filter.
    small = mixable(picture, transparent).resize(fitted, Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
    flat = eight_bits(small, picture) if small.mode in ("I", "F") else over_white(small)
    return upright(to_srgb(flat, picture.info.get("icc_profile")), picture)


def fit(whole: tuple[int, int], size: int) -> tuple[int, int]:
    """The largest size of the same proportions that fits a square. No side is below 1, and halves are rounded up."""
    longest = max(whole)
    width, height = ((2 * side * size + longest) // (2 * longest) for side in whole)
    return max(1, width), max(1, height)


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Width and height of an opened picture, turned as EXIF says. Pillow has turned the size of a TIFF already."""
    width, height = picture.size
    is_turned = picture.format != "TIFF" and orientation_of(picture) in _QUARTER_TURNS
    return (height, width) if is_turned else (width, height)


def _letterboxed(small: Image.Image, size: int) -> NDArray[np.uint8]:
    """Centre on black. An odd row or column of black goes to the bottom or the right."""
    width, height = small.size
    left, top = (size - width) // 2, (size - height) // 2
    square = np.zeros((size, size, 3), np.uint8)
    square[top : top + height, left : left + width] = np.asarray(small)  # (H, W, 3)
    return square
