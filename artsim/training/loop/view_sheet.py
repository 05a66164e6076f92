"""A sheet of training views: works before augmentation, and beside each some views of it as training sees them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from artsim.training.data.batches import LabelledImages, work_dataset
from artsim.training.loop.crops import crop_dataset, tuning_settings
from artsim.training.recipes import Recipe

WORKS, VIEWS = 8, 5  # rows and columns of the sheet
CELL, GAP, WIDE_GAP, HEADER = 160, 6, 24, 30  # px


def view_sheet(works: LabelledImages, recipe: Recipe, seed: int) -> Image.Image | None:
    """The sheet of some works by different artists; None if the recipe does not augment."""
    if recipe.augment == "none":
        return None
    chosen = _some_works(works.labels, seed)
    pixels = np.stack([works.pixels[row] for row in chosen])
    return _drawn(pixels, training_views(pixels, recipe, seed))


def training_views(pixels: NDArray[np.uint8], recipe: Recipe, seed: int) -> list[NDArray[np.uint8]]:
    """VIEWS views uint8 (VIEWS, S, S, 3) of each work (N, S', S', 3), from the batches that training gets."""
    settings = tuning_settings(recipe) if recipe.is_pretrained else recipe
    # Each work counts as an artist with one work, who gives it VIEWS times to the one batch.
    settings = replace(settings, loss="supcon", works_per_artist=VIEWS, batch_size=VIEWS * len(pixels))
    labels = np.arange(len(pixels), dtype=np.int64)
    if recipe.is_pretrained:
        batches = crop_dataset(list(pixels), labels, settings, seed)
    else:
        batches = work_dataset(LabelledImages(pixels, labels), settings, seed)
    views, of_work = next(batches.as_numpy_iterator())
    return [views[of_work == work] for work in labels]


def _some_works(labels: NDArray[np.int64], seed: int) -> list[int]:
    """Rows of works by different artists, as long as there are such; then of others."""
    order = np.random.default_rng(seed).permutation(len(labels))
    first = np.unique(labels[order], return_index=True)[1]
    others = np.setdiff1d(np.arange(len(labels)), first)
    rows: list[int] = order[np.concatenate([np.sort(first), others])[:WORKS]].tolist()
    return rows


def _drawn(pixels: NDArray[np.uint8], views: list[NDArray[np.uint8]]) -> Image.Image:
    left = CELL + WIDE_GAP
    size = (left + VIEWS * (CELL + GAP) + GAP, HEADER + len(pixels) * (CELL + GAP) + GAP)
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    draw.text((GAP, 8), "before", fill="black", font=font)
    draw.text((left, 8), "views in training", fill="black", font=font)
    for row, (work, own) in enumerate(zip(pixels, views, strict=True)):
        top = HEADER + row * (CELL + GAP)
        sheet.paste(_cell(work), (GAP, top))
        for column, view in enumerate(own):
            sheet.paste(_cell(view), (left + column * (CELL + GAP), top))
    return sheet


def _cell(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels).resize((CELL, CELL), Image.Resampling.LANCZOS)
