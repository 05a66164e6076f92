"""Pictures and files that the tests of `artsim.images.load` read, and comparisons of colours."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import ExifTags, Image

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

RED, GREEN, BLUE, YELLOW, WHITE, BLACK = (
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 255, 255), (0, 0, 0),
)  # fmt: skip

# The formats that may carry EXIF and an ICC profile, each with the options that keep colours within 3 of 255.
WITH_METADATA: dict[str, dict[str, Any]] = {
    "jpg": {"quality": 100, "subsampling": 0},
    "png": {},
    "tif": {},
    "webp": {"lossless": True},
}
# A directory that announces 65,535 entries and ends within the first.
CUT_EXIF = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12"


def quarters(width: int = 96, height: int = 64) -> Pixels:
    """Four flat colours: every flip and turn of them looks different."""
    pixels = np.zeros((height, width, 3), np.uint8)
    down, right = height // 2, width // 2
    pixels[:down, :right], pixels[:down, right:] = RED, GREEN
    pixels[down:, :right], pixels[down:, right:] = BLUE, YELLOW
    return pixels


def painting(width: int, height: int, seed: int = 0) -> Pixels:
    """Strokes of many sizes: detail at every scale, as in a photograph of a painting."""
    random = np.random.default_rng(seed)
    layers = [random.integers(0, 256, (max(2, height // step), max(2, width // step), 3)) for step in (2, 8, 32, 128)]
    enlarged = [Image.fromarray(layer.astype(np.uint8)).resize((width, height)) for layer in layers]
    mean: NDArray[np.float64] = np.stack([np.asarray(layer) for layer in enlarged]).mean(axis=0)
    return mean.astype(np.uint8)


def halves(mode: str, left: Any, right: Any) -> Image.Image:
    """Two flat colours side by side, 40 x 20."""
    picture = Image.new(mode, (40, 20), left)
    picture.paste(Image.new(mode, (20, 20), right), (20, 0))
    return picture


def palette_halves(left: Colour, right: Colour) -> Image.Image:
    """A palette image: index 0 on the left, index 1 on the right."""
    picture = halves("P", 0, 1)
    picture.putpalette([*left, *right])
    return picture


def saved(picture: Image.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    return tags


def tiff_header(tags: dict[int, int]) -> bytes:
    """A TIFF of one directory with these whole numbers, and no pixels."""
    entries = (struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<4sIH", b"II*\0", 8, len(tags)) + b"".join(entries) + bytes(4)


def colours_of_halves(square: Pixels) -> tuple[list[int], list[int]]:
    """The colour in the middle of each half of a picture twice as wide as high."""
    size = len(square)
    return square[size // 2, size // 4].tolist(), square[size // 2, 3 * size // 4].tolist()


def assert_close(found: ArrayLike, expected: ArrayLike, tolerance: float = 1) -> None:
    difference = np.abs(np.asarray(found, np.float64) - np.asarray(expected, np.float64))
    assert difference.max() <= tolerance, (found, expected)
