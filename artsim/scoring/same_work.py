"""Two photographs of one painting: in grey, tinted, framed, cropped, smaller or compressed again.

A thumbnail is grey, uint8 (h, w), its longer side 64 px. Both thumbnails are filtered to details of middle size, which
grey, tint and compression keep. The middle of one is laid over the other at each place, in eight sizes from 1 to 0.72,
and the other way round. The greatest normalised cross-correlation says how alike they are: 1 is equal.

Measured with `benchmarks/copies.py`: made copies are at least 0.67 alike, mostly 0.9 and more; different works, also of
one artist, at most 0.48.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

SIDE = 64  # px of the longer side; a setting
SAME_WORK = 0.6  # photographs that are more alike show one painting; chosen on gallery/
_SIZES = (1.0, 0.96, 0.92, 0.88, 0.84, 0.8, 0.76, 0.72)  # a frame of 10 % leaves 0.83, a crop to 80 % is 0.8
_FINE, _COARSE = 1.0, 3.0  # px, the deviations of the two Gaussians whose difference is the filter
_MARGIN = 0.09  # of the thumbnail that is laid over the other: a frame beside the picture reaches so far
_LEAST_SIDE = 8  # px of what is laid over
_LEAST_ENERGY = 1.0  # a square of flat colour is like nothing

Thumbnail = NDArray[np.uint8]


def thumbnail(pixels: NDArray[np.uint8]) -> Thumbnail:
    """The thumbnail of a letterboxed painting, uint8 (S, S, 3). The bars are cut off first."""
    picture = Image.fromarray(pixels)
    grey = picture.crop(picture.getbbox() or (0, 0, *picture.size)).convert("L")
    scale = SIDE / max(grey.size)
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    return np.asarray(grey.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0))


def is_same_work(first: Thumbnail, second: Thumbnail) -> bool:
    """Whether two thumbnails are of one painting."""
    return likeness(first, second) > SAME_WORK


def likeness(first: Thumbnail, second: Thumbnail) -> float:
    """The greatest normalised cross-correlation of two thumbnails, -1 to 1. It does not depend on their order."""
    one, other = (_details(each.tobytes(), *each.shape) for each in (first, second))
    return max(_greatest(one, other), _greatest(other, one))


@dataclass(frozen=True)
class _Part:
    """The middle of a thumbnail in one of the sizes: its shape, spectrum and norm."""

    height: int
    width: int
    spectrum: NDArray[np.complex64]
    norm: float


@dataclass(frozen=True)
class _Details:
    """A filtered thumbnail as what is searched, and in several sizes as what is searched for."""

    height: int
    width: int
    spectrum: NDArray[np.complex64]
    energy: NDArray[np.float64]  # (SIDE + 1, SIDE + 1), sums of squares above and left of each corner
    parts: list[_Part]


@lru_cache(maxsize=256)  # 0.3 MB each
def _details(content: bytes, height: int, width: int) -> _Details:
    grey = np.frombuffer(content, np.uint8).reshape(height, width)
    filtered = _padded(_filtered(grey))
    energy = np.zeros((SIDE + 1, SIDE + 1))
    energy[1:, 1:] = np.square(filtered, dtype=np.float64).cumsum(0).cumsum(1)
    parts = [part for size in _SIZES if (part := _part(grey, size)) is not None]
    return _Details(height, width, _spectrum(filtered), energy, parts)


def _part(grey: Thumbnail, size: float) -> _Part | None:
    height, width = (round(side * size) for side in grey.shape)
    margin = max(2, round(_MARGIN * min(height, width)))
    if min(height, width) - 2 * margin < _LEAST_SIDE:
        return None
    resized = np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BICUBIC))
    middle = _filtered(resized)[margin:-margin, margin:-margin]
    norm = float(np.linalg.norm(middle))
    if norm**2 < _LEAST_ENERGY * middle.size:
        return None
    height, width = middle.shape
    return _Part(height, width, _spectrum(_padded(middle)).conj(), norm)


def _filtered(grey: Thumbnail) -> NDArray[np.float32]:
    values = grey.astype(np.float32)
    found: NDArray[np.float32] = gaussian_filter(values, _FINE, mode="nearest")
    found -= gaussian_filter(values, _COARSE, mode="nearest")
    return found


def _padded(filtered: NDArray[np.float32]) -> NDArray[np.float32]:
    square = np.zeros((SIDE, SIDE), np.float32)
    square[: filtered.shape[0], : filtered.shape[1]] = filtered
    return square


def _spectrum(square: NDArray[np.float32]) -> NDArray[np.complex64]:
    return np.fft.rfft2(square).astype(np.complex64)


def _greatest(part_of: _Details, within: _Details) -> float:
    """The greatest correlation of the middle of one thumbnail with a place within the other; 0 if it never fits."""
    greatest = 0.0
    for part in part_of.parts:
        down, across = within.height - part.height + 1, within.width - part.width + 1
        if down < 1 or across < 1:
            continue
        product = np.fft.irfft2(within.spectrum * part.spectrum, (SIDE, SIDE))[:down, :across]
        sums = within.energy
        energy = (
            sums[part.height :, part.width :][:down, :across]
            - sums[part.height :, :][:down, :across]
            - sums[:, part.width :][:down, :across]
            + sums[:down, :across]
        )
        least = _LEAST_ENERGY * part.height * part.width
        found = np.where(energy >= least, product / (part.norm * np.sqrt(np.maximum(energy, least))), 0.0)
        greatest = max(greatest, float(found.max()))
    return greatest
