"""HEIF and HEIC, the photographs of phones, by the optional package pillow-heif: the extra `heic`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import IO

from PIL import Image

from artsim.errors import UnreadableImageError

SUFFIXES = frozenset({".heic", ".heics", ".heif", ".heifs", ".hif"})
_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")


def is_installed() -> bool:
    """Whether the extra `heic` is installed."""
    return find_spec("pillow_heif") is not None


def is_heif(start: bytes) -> bool:
    """Whether a file with these first 16 bytes is HEIF."""
    return start[4:8] == b"ftyp" and start[8:12] in _BRANDS


def open_picture(file: IO[bytes], name: str) -> Image.Image:
    """Open the main picture of a file; it is decoded when it is loaded.

    Raises:
        UnreadableImageError: the extra is not installed.
    """
    if not is_installed():
        raise UnreadableImageError(
            f"{name}: a HEIC photograph. Run: pip install 'artsim[heic]'; or convert it to JPEG or PNG"
        )
    from pillow_heif.as_plugin import HeifImageFile  # not its opener, which would change Pillow for the whole process

    picture: Image.Image = HeifImageFile(file)  # type: ignore[no-untyped-call]
    return picture
