"""Cues of a photograph: what an image file shows of camera, size, frame and colour, and not of the painter's hand.

A cue is an array float32 (N, 1) or (N, 3) of N works. The distance of two works by a cue is Euclidean, as for
embeddings. Sizes are logarithms, so that their distance is a ratio. Colours are means of RGB in sRGB, 0..255.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artsim import images
from artsim.errors import ImageError
from artsim.prefetch import prefetch_images

MEASURED_SIZE = 100  # px, side of the letterboxed image whose colours are measured; a setting
BORDER = 2  # px of that size: the outermost 2 % of the longer side; a setting
NOT_JPEG = 200  # as a quality: farther from each of JPEG's 1 to 100 than any two of these are apart
PREFETCH_DEPTH = 64  # images that are read ahead; a setting


@dataclass(frozen=True)
class Photograph:
    """The cues of one file. Width and height are in px, upright. `jpeg_quality` is 1 to 100, or `NOT_JPEG`."""

    width: int
    height: int
    jpeg_quality: int
    border_colour: NDArray[np.float64]  # (3,), mean RGB of the outermost pixels
    mean_colour: NDArray[np.float64]  # (3,), mean RGB


def read_photographs(paths: Sequence[Path], max_pixels: int, progress: Callable[[int, int], None]) -> list[Photograph]:
    """Read the cues of N files. JPEGs are decoded at a reduced size.

    Args:
        paths: N image files.
        max_pixels: files with more pixels are not decoded.
        progress: receives the number of files read, and N.

    Raises:
        ImageError: a file cannot be read or is too large.
    """
    found: list[Photograph] = []
    progress(0, len(paths))
    for photograph in prefetch_images(paths, partial(read_photograph, max_pixels=max_pixels), PREFETCH_DEPTH):
        if isinstance(photograph, ImageError):
            raise photograph
        found.append(photograph)
        progress(len(found), len(paths))
    return found


def read_photograph(path: Path, *, max_pixels: int = images.MAX_PIXELS) -> Photograph:
    """Read the cues of one file; errors as `images.load`."""
    with images.opened(path, max_pixels=max_pixels) as picture:
        width, height = images.upright_size(picture)
        quality = _jpeg_quality(picture)
    square = images.load(path, MEASURED_SIZE, max_pixels=max_pixels)
    pixels = _without_bars(square, width, height).astype(np.float64)  # (h, w, 3)
    is_border = np.ones(pixels.shape[:2], dtype=bool)
    is_border[BORDER:-BORDER, BORDER:-BORDER] = False
    return Photograph(width, height, quality, pixels[is_border].mean(axis=0), pixels.mean(axis=(0, 1)))


def cues_of(photographs: Sequence[Photograph]) -> dict[str, NDArray[np.float32]]:
    """The cues of N photographs by name, float32 (N, 1) or (N, 3)."""
    values = {
        "width": [[np.log(each.width)] for each in photographs],
        "height": [[np.log(each.height)] for each in photographs],
        "jpeg_quality": [[each.jpeg_quality] for each in photographs],
        "border_colour": [each.border_colour for each in photographs],
        "mean_colour": [each.mean_colour for each in photographs],
    }
    return {name: np.array(rows, dtype=np.float32) for name, rows in values.items()}


def _without_bars(square: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Cut the letterbox's bars off by the picture's proportions, as its own border may be black."""
    size = len(square)
    across, down = images.fit((width, height), size)
    left, top = (size - across) // 2, (size - down) // 2
    return square[top : top + down, left : left + across]


def _jpeg_quality(picture: Image.Image) -> int:
    """The quality for which libjpeg's luminance table is nearest to the file's. Other programs have other tables."""
    tables = getattr(picture, "quantization", None)
    if not tables:
        return NOT_JPEG
    differences = np.abs(_luminance_tables() - np.array(tables[min(tables)])).sum(axis=1)  # (100,)
    return 1 + int(differences.argmin())


@lru_cache(maxsize=1)
def _luminance_tables() -> NDArray[np.int64]:
    """(100, 64) the luminance table of each quality from 1 to 100, read from what libjpeg writes."""
    return np.array([_written_table(quality) for quality in range(1, 101)], dtype=np.int64)


def _written_table(quality: int) -> list[int]:
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "JPEG", quality=quality)
    with Image.open(file, formats=["JPEG"]) as picture:
        return list(picture.quantization[0])  # type: ignore[attr-defined]  # a JPEG's own attribute
