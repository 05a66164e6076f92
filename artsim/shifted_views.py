"""Shifted views: paintings as other photographs of them would look; uint8 (S, S, 3) RGB -> uint8 (S, S, 3).

Another museum has another camera, light, size and frame. A view draws one photographer's habits from a seed: it crops
or frames the picture, reduces and enlarges or sharpens it, changes tone and colours, and compresses it as JPEG. The
ranges are wider than what one collection shows, and narrower than what hides the painting. Paintings and views are
letterboxed on black. The changes apply to the picture between the bars.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from artsim.large_arrays import release_pages
from artsim.machine import core_count
from artsim.prefetch import prefetch_map

Pixels: TypeAlias = NDArray[np.uint8]
Step: TypeAlias = Callable[[Image.Image, np.random.Generator], Image.Image]

# Settings: chances of a step, and ranges of its strength. Lengths are shares of the picture's side.
CROP_CHANCE, SMALLEST_CROP = 0.7, 0.7
FRAME_CHANCE, FRAME_WIDTH = 0.2, (0.015, 0.08)
REDUCE_CHANCE, REDUCED_SIDE = 0.35, (0.4, 0.9)
SHARPEN_CHANCE, SHARPEN_RADIUS, SHARPEN_PERCENT = 0.4, (0.5, 2.0), (30, 200)  # px; instead of reducing
GAMMA_SPREAD, TINT_SPREAD, SATURATION_SPREAD, CONTRAST_SPREAD = 0.2, 0.07, 0.3, 0.15  # of logarithms
JPEG_CHANCE, JPEG_QUALITY = 0.7, (40, 98)
LEAST_SIDE = 8  # px
# In each group of works; a setting. Fewer show too few habits, with more there are few pairs by one photographer.
PHOTOGRAPHERS = 8


def shifted_view(pixels: Pixels, seed: int) -> Pixels:
    """One painting as the photographer with this seed shows it."""
    rng = np.random.default_rng([seed, PHOTOGRAPHERS])
    image = Image.fromarray(_without_bars(pixels))
    for step in (_cropped, _framed, _resampled, _toned, _compressed):
        image = step(image, rng)
    return _letterboxed(image, pixels.shape[0])


class ShiftedViews:
    """Views of N paintings, made when a slice of them is read: `views[start:stop]` is uint8 (stop - start, S, S, 3)."""

    def __init__(self, paintings: NDArray[np.uint8], seeds: NDArray[np.int64]) -> None:
        """`paintings` (N, S, S, 3) may be a memory map; `seeds` (N,) are those of their photographers."""
        self._paintings = paintings
        self._seeds = seeds

    def __len__(self) -> int:
        return len(self._paintings)

    def __getitem__(self, rows: slice) -> NDArray[np.uint8]:
        paintings = self._paintings[rows]
        works = zip(paintings, self._seeds[rows].tolist(), strict=True)
        views = list(prefetch_map(lambda work: shifted_view(*work), works, core_count() + 1))
        release_pages(paintings)
        return np.array(views, dtype=np.uint8).reshape(paintings.shape)


def photographers_of(groups: NDArray[np.int64], number: int = PHOTOGRAPHERS) -> NDArray[np.int64]:
    """The photographers (N,) of works in groups (N,): each group has `number` of its own, at most PHOTOGRAPHERS.

    Within a group, every photographer shows as many works, give or take one. A photographer shows two works in a row,
    because these are mostly by one artist: pairs by one artist and one photographer are needed.
    """
    place = np.empty(len(groups), dtype=np.int64)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        turns = [np.arange(len(rows))[start : start + 2 * number] for start in range(0, len(rows), 2 * number)]
        place[rows] = np.concatenate([np.sort(turn % number) for turn in turns])
    return groups * PHOTOGRAPHERS + place


def _without_bars(pixels: Pixels) -> Pixels:
    """The picture of a letterboxed painting: uint8 (S, S, 3) -> (h, w, 3). A black painting stays whole."""
    rows, columns = (np.flatnonzero(pixels.any(axis=(other, 2))) for other in (1, 0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else pixels


def _cropped(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    width, height = rng.uniform(SMALLEST_CROP, 1, 2) * image.size
    left, top = rng.uniform(0, 1, 2) * (image.width - width, image.height - height)
    box = (round(left), round(top), round(left + width), round(top + height))
    return image.crop(box) if rng.random() < CROP_CHANCE else image


def _framed(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    border = round(rng.uniform(*FRAME_WIDTH) * max(image.size))
    colour = tuple(int(value) for value in rng.integers(0, 256, 3))
    return ImageOps.expand(image, border, colour) if rng.random() < FRAME_CHANCE else image


def _resampled(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A smaller or a sharper image, or the same one."""
    side, radius, percent = rng.uniform(*REDUCED_SIDE), rng.uniform(*SHARPEN_RADIUS), rng.uniform(*SHARPEN_PERCENT)
    chance = rng.random()
    if chance < REDUCE_CHANCE:
        return _scaled(image, side)
    if chance < REDUCE_CHANCE + SHARPEN_CHANCE:
        return image.filter(ImageFilter.UnsharpMask(radius, round(percent), threshold=0))
    return image


def _toned(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    gamma, *gains = np.exp(rng.normal(0, [GAMMA_SPREAD, *[TINT_SPREAD] * 3]))
    saturation, contrast = np.exp(rng.normal(0, [SATURATION_SPREAD, CONTRAST_SPREAD]))
    levels = np.linspace(0, 1, 256) ** gamma
    table = [round(255 * min(1.0, float(level * gain))) for gain in gains for level in levels]
    tinted = ImageEnhance.Color(image.point(table)).enhance(float(saturation))
    return ImageEnhance.Contrast(tinted).enhance(float(contrast))


def _compressed(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    quality, chance = int(rng.integers(*JPEG_QUALITY)), rng.random()
    if chance >= JPEG_CHANCE:
        return image
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    width, height = (max(LEAST_SIDE, round(length * factor)) for length in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _letterboxed(image: Image.Image, side: int) -> Pixels:
    return np.asarray(ImageOps.pad(image, (side, side), Image.Resampling.LANCZOS, color=(0, 0, 0)))
