from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim import images, shifted_views
from artsim.demo import paint
from artsim.shifted_views import FRAME_WIDTH, PHOTOGRAPHERS, ShiftedViews, photographers_of, shifted_view

SIZE = 64
SEEDS = st.integers(0, 2**40)


@cache
def painting(number: int) -> NDArray[np.uint8]:
    """A letterboxed work of the embedded collection, each by another artist."""
    return images.load(paint(number, 0, size=SIZE), SIZE)


PAINTINGS = st.integers(0, 11).map(painting)


def letterboxed(height: int, width: int, side: int = SIZE) -> NDArray[np.uint8]:
    """A picture (h, w) in the middle of black (S, S)."""
    pixels = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    ramp = 60 + np.arange(height * width * 3) % 150
    pixels[top : top + height, left : left + width] = ramp.reshape(height, width, 3)
    return pixels


@given(PAINTINGS, SEEDS)
def test_a_view_has_the_same_form_and_depends_on_its_seed_only(pixels: NDArray[np.uint8], seed: int) -> None:
    before = pixels.copy()
    view = shifted_view(pixels, seed)
    assert view.shape == pixels.shape
    assert view.dtype == np.uint8
    np.testing.assert_array_equal(view, shifted_view(pixels, seed))
    np.testing.assert_array_equal(pixels, before)


@given(PAINTINGS, st.lists(SEEDS, min_size=2, max_size=2, unique=True))
def test_photographers_differ(pixels: NDArray[np.uint8], seeds: list[int]) -> None:
    one, other = (shifted_view(pixels, seed).astype(int) for seed in seeds)
    assert np.abs(one - other).mean() > 0.5


@given(st.integers(SIZE // 4, SIZE), st.integers(SIZE // 4, SIZE), SEEDS)
def test_bars_are_black_and_the_picture_is_not(long: int, short: int, seed: int) -> None:
    """A view is letterboxed as an image that is loaded: in the middle, with bars on two sides at most."""
    height, width = max(long, short), min(long, short)
    for form in ((height, width), (width, height)):
        view = shifted_view(letterboxed(*form), seed)
        rows, columns = (np.flatnonzero(view.any(axis=(other, 2))) for other in (1, 0))
        # A dark frame can turn black: it is then a part of the bars.
        assert max(len(rows), len(columns)) >= (1 - 2 * FRAME_WIDTH[1]) * SIZE
        for lines in (rows, columns):
            assert abs(lines[0] - (SIZE - 1 - lines[-1])) <= 2
        dark = view.max(axis=2)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 0
        assert dark.mean() < 0.5


@pytest.mark.parametrize("seed", range(40))
def test_a_long_picture_keeps_its_bars(seed: int) -> None:
    view = shifted_view(letterboxed(SIZE // 4, SIZE), seed)  # cropped and framed at most to 0.47 of its length
    bars = np.concatenate([view[:16], view[-16:]])
    assert bars.max() == 0
    assert view[:, 0].any()


def test_a_black_painting_has_views() -> None:
    assert shifted_view(np.zeros((SIZE, SIZE, 3), np.uint8), 3).shape == (SIZE, SIZE, 3)


def likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The correlation of two paintings' colours in 4 x 4 places."""
    first, second = (pixels.reshape(4, SIZE // 4, 4, SIZE // 4, 3).mean(axis=(1, 3)) for pixels in (one, other))
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def test_a_view_is_nearer_to_its_painting_than_to_another() -> None:
    works = [painting(number) for number in range(12)]
    nearest = [
        [np.argmax([likeness(shifted_view(work, seed), other) for other in works]) for seed in range(10)]
        for work in works
    ]
    assert np.mean(np.array(nearest) == np.arange(12)[:, None]) > 0.85  # it is 0.93; chance gives 0.08


def stacked(count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    return np.stack([painting(number) for number in range(count)]), np.arange(count, dtype=np.int64) % 3


@settings(max_examples=20)
@given(st.integers(0, 7), st.integers(0, 7))
def test_a_slice_has_the_views_of_the_whole(start: int, stop: int) -> None:
    paintings, seeds = stacked(7)
    views = ShiftedViews(paintings, seeds)
    assert len(views) == 7
    expected = np.stack([shifted_view(work, seed) for work, seed in zip(paintings, seeds.tolist(), strict=True)])
    found = views[start:stop]
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected[start:stop], strict=True)


@pytest.mark.parametrize("cores", [1, 5])
def test_the_number_of_threads_does_not_matter(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    views = ShiftedViews(*stacked(9))
    expected = views[:]
    for module in ("artsim.prefetch", shifted_views.__name__):
        monkeypatch.setattr(f"{module}.core_count", lambda: cores)
    np.testing.assert_array_equal(views[:], expected)


@given(st.lists(st.integers(0, 5), max_size=60))
def test_each_group_has_photographers_of_its_own_who_show_as_many_works(numbers: list[int]) -> None:
    groups = np.array(numbers, dtype=np.int64)
    photographers = photographers_of(groups)
    np.testing.assert_array_equal(photographers // PHOTOGRAPHERS, groups)
    for group in np.unique(groups):
        shown = np.bincount(photographers[groups == group] % PHOTOGRAPHERS, minlength=PHOTOGRAPHERS)
        assert np.ptp(shown) <= 1
