"""Artists found from labelled pairs: all where the pairs are complete, none where one is missing or contradicts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.evaluation.known_artists import KnownArtists

ARTISTS = np.array([0, 1, 0, 2, 1, 0, 3, 3])


def complete(artist: NDArray[np.int64], groups: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """All pairs within groups of works, as rows of `same, image1, image2`."""
    pairs = np.hstack([group[np.stack(np.triu_indices(len(group), k=1))] for group in groups])
    return np.stack([artist[pairs[0]] == artist[pairs[1]], *pairs])


def found(pairs: NDArray[np.int64], blocks: int = 1) -> NDArray[np.int64] | None:
    known = KnownArtists()
    for same, image1, image2 in np.array_split(pairs, blocks, axis=1):
        known.add(same.astype(np.uint8), image1, image2)
    return known.numbers()


def alike(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which works are by one artist, whatever the artists' numbers."""
    return np.asarray(numbers[:, None] == numbers)


@given(st.lists(st.integers(0, 4), min_size=3, max_size=12), st.integers(1, 5), st.integers(0, 100))
def test_complete_pairs_in_any_order_tell_all_artists(labels: list[int], blocks: int, seed: int) -> None:
    artist = np.array(labels)
    pairs = complete(artist, [np.arange(len(artist))])
    order = np.random.default_rng(seed).permutation(pairs.shape[1])
    numbers = found(pairs[:, order], blocks)
    assert numbers is not None
    np.testing.assert_array_equal(alike(numbers), alike(artist))


def test_groups_are_complete_by_themselves_and_numbers_may_have_gaps() -> None:
    artist = np.repeat(ARTISTS, 2)
    groups = [np.array([1, 5, 9, 11]), np.array([0, 2, 4, 14])]
    numbers = found(complete(artist, groups), 3)
    assert numbers is not None
    for group in groups:
        np.testing.assert_array_equal(alike(numbers[group]), alike(artist[group]))


def test_pairs_of_an_image_with_itself_say_nothing() -> None:
    pairs = complete(ARTISTS, [np.arange(8)])
    itself = np.stack([np.ones(9, dtype=int), np.arange(9), np.arange(9)])
    numbers = found(np.hstack([itself, pairs]))
    assert numbers is not None
    np.testing.assert_array_equal(alike(numbers[:8]), alike(ARTISTS))
    assert len(numbers) == 9


def test_a_missing_a_repeated_and_a_turned_pair_leave_the_artists_unknown() -> None:
    pairs = complete(ARTISTS, [np.arange(8)])
    turned = pairs[[0, 2, 1]]
    for wrong in (pairs[:, 1:], np.hstack([pairs, pairs[:, :1]]), np.hstack([pairs, turned])):
        assert found(wrong) is None


def test_a_label_that_contradicts_the_others_leaves_the_artists_unknown() -> None:
    pairs = complete(ARTISTS, [np.arange(8)])
    pairs[0, (pairs[1] == 0) & (pairs[2] == 2)] = 0  # 0 and 5 are by one artist, and so are 5 and 2
    assert found(pairs) is None


@pytest.mark.parametrize("count", [10, 300])
def test_a_sample_of_pairs_leaves_the_artists_unknown(count: int) -> None:
    rng = np.random.default_rng(0)
    artist = rng.integers(20, size=400)
    pairs = complete(artist, [np.arange(400)])
    assert found(pairs[:, rng.choice(pairs.shape[1], count, replace=False)]) is None


def test_pairs_without_an_image_in_common_are_a_sample() -> None:
    assert found(np.array([[1, 0, 1], [0, 2, 4], [1, 3, 5]])) is None


def test_no_pairs_tell_no_artists() -> None:
    numbers = found(np.empty((3, 0), dtype=np.int64))
    assert numbers is not None
    assert len(numbers) == 0
