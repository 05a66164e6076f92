"""Pixels of any mode and depth become 8-bit RGB: the steps before and after the resize.

White is 65535 in 16-bit files. Files of 32-bit integers or floats do not state their range. Their white is the first
of 1 (floats only), 255, 65535 and the picture's own maximum that no pixel exceeds.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from PIL import ExifTags, Image

from artsim.tiff import is_negative, is_unsigned

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MIXABLE = {"1": "L", "P": "RGB", "HSV": "RGB", "RGBX": "RGB"}


class UnsuitablePixelsError(Exception):
    """Pixels that were decoded, but that have no colours."""


def transparent_grey(picture: Image.Image) -> int | None:
    """The grey that an opened PNG calls transparent, where Pillow does not apply it: with 2, 4 or 16 bits.

    Of 2 and 4 bits, Pillow scales the pixels to 0..255 but not the transparent grey. Of 16 bits, it ignores it. None
    for any other picture, and for one that is decoded already, which no longer has its number of bits.
    """
    key = picture.info.get("transparency")
    stored = getattr(picture, "tile", None)
    if picture.format != "PNG" or not isinstance(key, int) or not stored:
        return None
    raw = stored[0].args if isinstance(stored[0].args, str) else stored[0].args[0]
    scale = {"L;2": 85, "L;4": 17}.get(raw, 1 if picture.mode.startswith("I;16") else None)
    return None if scale is None else key * scale


def mixable(picture: Image.Image, transparent: int | None = None) -> Image.Image:
    """Convert to a mode in which the mean of two pixels is a colour between them, alpha premultiplied.

    Args:
        picture: decoded.
        transparent: see `transparent_grey`. That grey becomes white at once, as the picture is put over white later.
    """
    mode = picture.mode
    if mode.startswith("I;16"):  # Pillow can't reduce it, and clips it at 255 (python-pillow/Pillow#3159)
        return _key_to_white(picture, transparent, 65535).convert("I")
    if transparent is not None:
        return _key_to_white(picture, transparent, 255)
    if mode in ("I", "F", "La", "RGBa"):
        return picture
    if picture.has_transparency_data:
        straight = "LA" if mode in ("1", "L", "LA") else "RGBA"
        palette_safe = picture.copy() if mode == "P" else picture  # Pillow writes alpha into the palette
        return palette_safe.convert(straight).convert(straight[:-1] + "a")
    return picture.convert(_MIXABLE[mode]) if mode in _MIXABLE else picture


def _key_to_white(picture: Image.Image, key: int | None, white: int) -> Image.Image:
    if key is None:
        return picture
    values = np.array(picture)
    values[values == key] = white
    return Image.fromarray(values)


def eight_bits(small: Image.Image, picture: Image.Image) -> Image.Image:
    """Scale to 0..255 by the range of the whole picture, as the module's docstring defines it."""
    values = np.asarray(small, dtype=np.float64)
    if not np.isfinite(values).all():
        raise UnsuitablePixelsError("some of its pixels are not finite (NaN or infinity)")
    grey = np.clip(values / _white(picture), 0, 1)
    return Image.fromarray(((1 - grey if is_negative(picture) else grey) * 255 + 0.5).astype(np.uint8))


def _white(picture: Image.Image) -> float:
    if picture.mode.startswith("I;16"):
        return getattr(picture, "white", None) or 65535.0
    lowest, highest = (float(end) for end in cast("Any", picture.getextrema()))
    if lowest < 0 and is_unsigned(picture):
        raise UnsuitablePixelsError(
            "artsim can't read 32-bit grey with values above 2,147,483,647. Convert it to 8-bit RGB, as PNG or TIFF"
        )
    usual = (1, 255, 65535) if picture.mode == "F" else (255, 65535)
    return next((step for step in usual if highest <= step), highest)


def over_white(small: Image.Image) -> Image.Image:
    """Put what is transparent over white."""
    if small.mode not in ("La", "RGBa"):
        return small
    straight = small.convert(small.mode.upper())
    white = Image.new(small.mode[:-1], small.size, "white")
    white.paste(straight.convert(white.mode), mask=straight.getchannel("A"))
    return white


def orientation_of(picture: Image.Image) -> object:
    """The EXIF orientation; None if there is none, or if EXIF is damaged."""
    try:
        return picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # Pillow raises any type for damaged EXIF, which does not damage the pixels
        return None


def upright(small: Image.Image, picture: Image.Image) -> Image.Image:
    """Turn a small picture as the EXIF of the whole one says."""
    orientation = orientation_of(picture)
    return small.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else small
