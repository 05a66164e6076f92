"""Pairs of the embedded collection to try, painted when they are asked for."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageEnhance

from artsim.demo.painting import paint

SIDE = 384  # pixels
QUALITY = 90  # of JPEG


@dataclass(frozen=True)
class Example:
    """Two pictures by their numbers, and what they are."""

    title: str
    first: int
    second: int


# Artist and work of the embedded collection. The last picture is another photograph of the one before.
_PAINTINGS = ((5, 2), (5, 3), (3, 2), (6, 2), (4, 1))
COUNT = len(_PAINTINGS) + 1
EXAMPLES = (
    Example("Two works by one artist", 0, 1),
    Example("Works by two artists", 2, 3),
    Example("One work, two photographs", 4, 5),
)


@cache
def picture(number: int) -> bytes:
    """A picture as a JPEG.

    Raises:
        IndexError: there is none with this number.
    """
    if not 0 <= number < COUNT:
        raise IndexError(number)
    artist, work = _PAINTINGS[min(number, len(_PAINTINGS) - 1)]
    painted = paint(artist, work, size=SIDE)
    file = io.BytesIO()
    (painted if number < len(_PAINTINGS) else _photographed_again(painted)).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _photographed_again(painting: Image.Image) -> Image.Image:
    """Cropped, darker and paler, as another photographer shows a painting."""
    margin = painting.width // 20
    cropped = painting.crop((margin, margin, painting.width - margin, painting.height - margin))
    return ImageEnhance.Color(ImageEnhance.Brightness(cropped).enhance(0.85)).enhance(0.7)
