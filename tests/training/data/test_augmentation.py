from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.training.data.augmentation import LEVELS, Strength, augment
from artsim.training.recipes import AugmentName

NONE = LEVELS["none"]
Pixels = NDArray[np.uint8]


def views(works: Pixels, size: int, strength: Strength, seed: int = 0, number: int = 0) -> Pixels:
    return np.asarray(augment(tf.constant(works), size, strength, tf.constant([seed, number], tf.int64)))


def noise(works: int, size: int) -> Pixels:
    return np.random.default_rng(0).integers(1, 256, (works, size, size, 3), dtype=np.uint8)


def flat(colour: tuple[int, int, int], works: int = 64, bar: int = 0) -> Pixels:
    """Squares of 32 px in one colour, with a black bar on top and one below."""
    pixels = np.zeros((works, 32, 32, 3), np.uint8)
    pixels[:, bar : 32 - bar] = colour
    return pixels


def test_every_level_has_its_strengths_and_none_has_none() -> None:
    assert set(LEVELS) == set(get_args(AugmentName))
    assert all(getattr(NONE, field.name) == 0 for field in fields(Strength))
    assert LEVELS["light"] == Strength()
    assert all(getattr(LEVELS["photograph"], field.name) > 0 for field in fields(Strength))


@pytest.mark.parametrize("size", [17, 32])
def test_without_strength_a_view_is_the_work_itself(size: int) -> None:
    works = noise(5, size)
    np.testing.assert_array_equal(views(works, size, NONE), works)


def test_without_strength_a_smaller_view_is_the_work_resized() -> None:
    ramp = np.broadcast_to(np.arange(1, 241, 6, dtype=np.uint8)[None, None, :, None], (2, 40, 40, 3)).copy()
    small = views(ramp, 32, NONE).astype(float)
    expected = 1 + 6 * ((np.arange(32) + 0.5) * 40 / 32 - 0.5)  # each pixel's centre in the work
    np.testing.assert_allclose(small, np.broadcast_to(expected[None, None, :, None], small.shape), atol=0.51)


@pytest.mark.parametrize("level", ["light", "photograph"])
def test_views_repeat_with_seed_and_number_and_differ_otherwise(level: AugmentName) -> None:
    works = noise(9, 20)
    first, again, other_number, other_seed = (
        views(works, 16, LEVELS[level], seed, number) for seed, number in ((1, 0), (1, 0), (1, 1), (2, 0))
    )
    assert first.shape == (9, 16, 16, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert (first != other_number).mean() > 0.5
    assert (first != other_seed).mean() > 0.5


def test_a_work_looks_different_in_each_row() -> None:
    same = np.repeat(noise(1, 20), 64, axis=0)
    assert len({view.tobytes() for view in views(same, 16, LEVELS["light"])}) == 64


@settings(max_examples=20)
@given(st.sampled_from(["light", "photograph"]), st.integers(0, 12), st.booleans(), st.integers(0, 2**31 - 1))
def test_bars_stay_straight_and_black(level: AugmentName, bar: int, upright: bool, seed: int) -> None:
    works = flat((120, 150, 180), works=8, bar=bar)
    if upright:
        works = works.transpose(0, 2, 1, 3)
    seen: NDArray[np.bool_] = np.any(views(works, 32, LEVELS[level], seed), axis=3)
    rows: NDArray[np.bool_] = np.any(seen, axis=2)
    columns: NDArray[np.bool_] = np.any(seen, axis=1)
    np.testing.assert_array_equal(seen, rows[:, :, None] & columns[:, None, :])
    assert (columns if not upright else rows).all()
    across = (rows if not upright else columns).sum(axis=1)
    narrowest, widest = 32 - 2 * bar, (32 - 2 * bar) / (1 - LEVELS[level].crop)  # pixels that a view has of it
    half = narrowest / 2 - LEVELS[level].crop * 32  # a crop may leave out a part of it
    assert (across <= min(32, widest + 1)).all()
    assert (across >= half - 1).all()


def test_crops_come_mirrored_half_of_the_time_and_from_everywhere() -> None:
    ramp = np.broadcast_to(np.arange(1, 241, 6, dtype=np.uint8)[None, None, :, None], (200, 40, 40, 3)).copy()
    seen = views(ramp, 32, replace(NONE, crop=0.2, mirror=0.5))[:, 0, :, 0].astype(int)
    mirrored = seen[:, 0] > seen[:, -1]
    assert mirrored.mean() == pytest.approx(0.5, abs=0.12)
    low, high = seen.min(axis=1), seen.max(axis=1)
    assert low.min() <= 3
    assert low.max() > 30
    assert ((high - low) >= 0.8 * 240 - 20).all()


def test_rotation_tilts_up_to_its_strength() -> None:
    works = flat((20, 20, 20), works=100)
    works[:, :, 16:] = 220
    seen = views(works, 32, replace(NONE, rotation=10))[..., 0].astype(float)
    edge = 32 - (seen - 20).sum(axis=2) / 200  # where each row turns from dark to light, px
    tilt = np.degrees(np.arctan([np.polyfit(np.arange(32), row, 1)[0] for row in edge]))
    assert np.abs(tilt).max() < 10.5
    assert tilt.min() < -6
    assert tilt.max() > 6


@pytest.mark.parametrize("bar", [0, 5, 10])
def test_rotation_leaves_no_black_corners(bar: int) -> None:
    works = flat((200, 200, 200), works=64, bar=bar)
    np.testing.assert_allclose(views(works, 32, replace(NONE, rotation=10)), works, atol=1)


def test_a_colour_cast_is_a_factor_for_each_channel() -> None:
    seen = views(flat((100, 100, 100)), 32, replace(NONE, cast=0.25)).astype(float)
    assert (seen == seen[:, :1, :1]).all()
    factors = seen[:, 0, 0] / 100  # (64, 3)
    assert factors.min() >= 0.79
    assert factors.max() <= 1.26
    assert np.abs(np.corrcoef(factors.T) - np.eye(3)).max() < 0.5  # each its own


def test_saturation_leaves_grey_and_moves_colours_from_it() -> None:
    strength = replace(NONE, saturation=0.25)
    grey = flat((90, 90, 90))
    np.testing.assert_allclose(views(grey, 32, strength), grey, atol=1)
    red = views(flat((200, 80, 80)), 32, strength)[:, 0, 0].astype(float)
    spread = (red[:, 0] - red[:, 1]) / 120
    assert 0.78 <= spread.min() < 0.9
    assert 1.1 < spread.max() <= 1.27
    np.testing.assert_allclose(red @ [0.299, 0.587, 0.114], 200 * 0.299 + 80 * 0.701, atol=1)


def test_contrast_keeps_the_mean_of_the_picture_whatever_its_bars() -> None:
    works = flat((80, 80, 80), bar=10)
    works[:, 10:22, 16:] = 120
    seen = views(works, 32, replace(NONE, contrast=0.25)).astype(float)
    np.testing.assert_allclose(seen[:, 10:22].mean(axis=(1, 2, 3)), 100, atol=1)
    assert (seen[:, :10] == 0).all()
    difference = seen[:, 15, 20, 0] - seen[:, 15, 4, 0]
    assert 31 <= difference.min() < 36
    assert 44 < difference.max() <= 51


@pytest.mark.parametrize(("colour", "low", "high"), [(255, 229, 255), (128, 102, 154), (10, 0, 36)])
def test_brightness_stays_in_range(colour: int, low: int, high: int) -> None:
    seen = views(flat((colour,) * 3), 32, replace(NONE, brightness=0.1))
    assert low <= seen.min() <= seen.max() <= high
    assert len(np.unique(seen)) > 5


def test_tone_bends_the_middle_and_keeps_black_and_white() -> None:
    works = flat((128, 255, 1))
    seen = views(works, 32, replace(NONE, tone=0.3)).astype(int)
    assert 108 <= seen[..., 0].min() < 115
    assert 140 < seen[..., 0].max() <= 148
    np.testing.assert_allclose(seen[..., 1:], works[..., 1:], atol=1)


def test_sharpness_blurs_and_sharpens_texture_alone() -> None:
    strength = replace(NONE, sharpness=0.8)
    plain = flat((90, 120, 150))
    np.testing.assert_array_equal(views(plain, 32, strength), plain)
    stripes = flat((100, 100, 100))
    stripes[:, ::2] = 140
    seen = views(stripes, 32, strength)[:, 8:24].astype(float)
    np.testing.assert_allclose(seen.mean(axis=(1, 2, 3)), 120, atol=1)
    deviation = seen.std(axis=(1, 2, 3)) / 20
    assert deviation.min() < 0.5
    assert deviation.max() > 1.5


def test_jpeg_reaches_its_share_of_the_images_and_changes_texture_a_little() -> None:
    works = noise(64, 32) // 4 + 96
    seen = views(works, 32, replace(NONE, jpeg=0.5))
    changed = (seen != works).any(axis=(1, 2, 3))
    assert 0.25 < changed.mean() < 0.75
    error = np.abs(seen[changed].astype(int) - works[changed]).mean(axis=(1, 2, 3))
    assert 0 < error.min() < error.max() < 30


def test_erasing_fills_one_rectangle_with_the_mean_colour() -> None:
    works = flat((50, 60, 70), works=200)
    works[:, :, 16:] = (150, 160, 170)
    seen = views(works, 32, replace(NONE, erasing=0.5))
    erased = (seen != works).any(axis=3)
    rows, columns = erased.any(axis=2), erased.any(axis=1)
    np.testing.assert_array_equal(erased, rows[:, :, None] & columns[:, None, :])
    np.testing.assert_allclose(seen[erased], np.broadcast_to([100, 110, 120], (erased.sum(), 3)), atol=1)
    assert rows.sum(axis=1).max() in range(13, 18)
    assert columns.sum(axis=1).max() in range(13, 18)


def test_colours_of_every_strength_stay_in_range() -> None:
    white = views(np.full((200, 40, 40, 3), 255, np.uint8), 32, LEVELS["light"])
    assert white.min() >= 255 * 0.9 - 1  # nothing has wrapped round to black
