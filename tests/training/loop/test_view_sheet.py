"""The sheet of training views: of what training gets, for recipes that augment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from artsim.training.data.batches import LabelledImages
from artsim.training.loop.view_sheet import CELL, VIEWS, WORKS, training_views, view_sheet
from artsim.training.recipes import RECIPES, Recipe

SMALL = replace(RECIPES["compact"], image_size=32)
STRONG = replace(RECIPES["strong"], image_size=64)


def works(count: int, side: int, artists: int = 3) -> LabelledImages:
    """Works of one grey each, which crops keep."""
    grey = np.linspace(40, 200, count).astype(np.uint8)
    pixels = np.broadcast_to(grey[:, None, None, None], (count, side, side, 3)).copy()
    return LabelledImages(pixels, np.arange(count, dtype=np.int64) % artists)


@pytest.mark.parametrize(
    ("recipe", "side"),
    [
        (SMALL, 40),
        (replace(SMALL, loss="contrastive", batch_size=1), 40),
        (replace(RECIPES["strong"], image_size=64), 64),
    ],
)
def test_each_work_has_its_own_views_which_differ(recipe: Recipe, side: int) -> None:
    shown = works(3, side)
    found = training_views(shown.pixels, recipe, seed=0)
    assert [len(views) for views in found] == [VIEWS] * 3
    assert all(views.dtype == np.uint8 and views.shape[1] <= recipe.image_size for views in found)
    for views, work in zip(found, shown.pixels, strict=True):
        means = views.reshape(VIEWS, -1).mean(axis=1)
        assert np.ptp(means) > 0
        assert np.abs(means - work.mean()).max() < 60  # brightness and contrast change it, another work is further off
    again = training_views(shown.pixels, recipe, seed=0)
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True))


def test_the_sheet_shows_works_by_different_artists_first() -> None:
    many = works(30, 40, artists=WORKS)
    sheet = view_sheet(many, SMALL, seed=0)
    assert sheet is not None
    assert sheet.width > (VIEWS + 1) * CELL
    assert sheet.height > WORKS * CELL
    few = view_sheet(works(2, 40), SMALL, seed=0)
    assert few is not None
    assert few.height < 3 * CELL


def test_a_recipe_without_augmentation_has_no_sheet() -> None:
    assert view_sheet(works(3, 32), replace(SMALL, augment="none"), seed=0) is None
