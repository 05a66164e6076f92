"""Resamples of artists and their paintings: against copies made one by one, against theory, and where they fail."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from artsim.evaluation.intervals import Difference, _Population, auc_difference, auc_interval, mean_interval

Pairs = tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]


def all_pairs(artist: NDArray[np.int64], noise: float, seed: int = 0) -> Pairs:
    """All pairs of works whose embeddings are a number: that of their artist, with noise."""
    rng = np.random.default_rng(seed)
    place = rng.normal(size=artist.max() + 1)[artist] + noise * rng.normal(size=len(artist))
    first, second = np.triu_indices(len(artist), k=1)
    distance = np.abs(place[first] - place[second]).astype(np.float32)
    return distance, (artist[first] == artist[second]).astype(np.uint8), first, second


@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.integers(0, 100))
def test_a_copy_of_an_artist_has_as_many_paintings_and_only_its_own(labels: list[int], seed: int) -> None:
    artist = np.unique(labels, return_inverse=True)[1]
    counts = _Population.of(len(artist), artist).draw(np.random.default_rng(seed))
    size = np.bincount(artist)
    by_copy = np.array([np.bincount(artist, weights=count, minlength=len(size)) for count in counts])
    assert ((by_copy == 0) | (by_copy == size)).all()
    assert (by_copy / size).sum() == len(size)  # as many copies as artists


def test_one_resample_is_what_its_copies_say() -> None:
    """The slow way writes the copies down as paintings of their own, and compares within and between them."""
    artist = np.repeat(np.arange(5), [2, 3, 4, 4, 5])
    distance, same, first, second = all_pairs(artist, noise=0.8)
    between = {(int(one), int(other)): gap for one, other, gap in zip(first, second, distance, strict=True)}
    for seed in range(20):
        counts = _Population.of(len(artist), artist).draw(np.random.default_rng(seed))
        works = [
            (artist[work], copy, work)
            for copy, count in enumerate(counts)
            for work in np.repeat(np.arange(len(artist)), count).tolist()
        ]
        labels, distances = [], []
        for (artist1, copy1, work1), (artist2, copy2, work2) in combinations(works, 2):
            if work1 != work2 and (artist1 != artist2 or copy1 == copy2):
                labels.append(artist1 == artist2)
                distances.append(between[min(work1, work2), max(work1, work2)])
        low, high = auc_interval(distance, same, first, second, artist, resamples=1, seed=seed)
        assert low == high == pytest.approx(roc_auc_score(labels, -np.array(distances)))


def test_artists_that_differ_make_the_interval_wider_and_it_covers_the_truth() -> None:
    artist = np.repeat(np.arange(12), 12)
    truth = np.mean([auc(*all_pairs(artist, 0.5, seed)[:2]) for seed in range(200, 260)])
    covered = {"artists": 0, "paintings": 0}
    for seed in range(40):
        pairs = all_pairs(artist, 0.5, seed)
        for name, artists in (("artists", artist), ("paintings", None)):
            low, high = auc_interval(*pairs, artists, resamples=60)
            covered[name] += int(low <= truth <= high)
    assert covered["artists"] >= 32
    assert covered["paintings"] < covered["artists"]


def auc(distance: NDArray[np.float32], same: NDArray[np.uint8]) -> float:
    return float(roc_auc_score(same, -distance))


def test_artists_of_one_value_each_are_resampled_as_theory_says() -> None:
    value = np.random.default_rng(0).normal(size=400)
    artist = np.repeat(np.arange(400), 10)
    low, high = mean_interval(value[artist], artist, resamples=2000)
    spread = 1.96 * value.std() / np.sqrt(400)
    assert (low, high) == pytest.approx((value.mean() - spread, value.mean() + spread), abs=0.02)
    alone = mean_interval(value[artist], resamples=2000)
    assert alone[1] - alone[0] == pytest.approx((high - low) / np.sqrt(10), rel=0.1)


def test_one_artist_gives_no_interval_and_gaps_between_numbers_do_not_count() -> None:
    distance, same, first, second = all_pairs(np.repeat(np.arange(3), 5), noise=1.0)
    assert np.isnan(auc_interval(distance, np.ones_like(same), first, second, np.zeros(15, dtype=np.int64))).all()
    artist = np.repeat(np.arange(3), 5)
    scattered = np.full(200, -7)
    scattered[10 * np.arange(15)] = 9 * artist
    plain = auc_interval(distance, same, first, second, artist)
    assert auc_interval(distance, same, 10 * first, 10 * second, scattered) == plain


def test_two_lists_of_distances_are_compared_on_the_same_resamples() -> None:
    """The interval of a small difference is far narrower than that of either AUC."""
    artist = np.repeat(np.arange(8), 6)
    before, same, first, second = all_pairs(artist, noise=0.8)
    after = (before - 0.05 * same).astype(np.float32)
    found = auc_difference(before, after, same, first, second, artist, resamples=300)
    assert found.value == pytest.approx(roc_auc_score(same, -after) - roc_auc_score(same, -before))
    assert 0 < found.low < found.value < found.high
    low, high = auc_interval(before, same, first, second, artist)
    assert found.high - found.low < (high - low) / 3
    back = auc_difference(after, before, same, first, second, artist, resamples=300)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_equal_distances_do_not_differ_and_one_kind_of_pairs_tells_nothing() -> None:
    distance, same, first, second = all_pairs(np.repeat(np.arange(4), 3), noise=0.5)
    assert auc_difference(distance, distance, same, first, second) == Difference(0, 0, 0)
    assert np.isnan(auc_difference(distance, distance, np.ones_like(same), first, second).low)
