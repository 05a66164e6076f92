"""Search: works and artists agree with a plain search over all distances; outliers are recognised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.scoring import search
from artsim.scoring.contract import Calibration, DistanceName
from artsim.scoring.distance import pair_distances
from artsim.scoring.scores import log_odds
from artsim.scoring.search import BEST_WORKS, SearchIndex, SearchResult, artist_shares


def vectors(seed: int, count: int, width: int = 8, *, coarse: bool = False) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=(count, width))
    return (drawn.round() if coarse else drawn).astype(np.float32)


def one(index: SearchIndex, query: NDArray[np.float32], k: int, left_out: Sequence[int] = ()) -> SearchResult:
    (found,) = index.search(query[None], k, [left_out])
    return found


def all_distances(works: NDArray[np.float32], query: NDArray[np.float32], name: DistanceName) -> NDArray[np.float32]:
    both = np.concatenate([query[None], works])
    return pair_distances(both, np.zeros(len(works), dtype=np.int64), np.arange(1, len(works) + 1), name)


@given(
    st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 50), st.booleans(), st.sets(st.integers(0, 39)),
    st.sampled_from(["rms", "euclidean"]),
)  # fmt: skip
def test_the_nearest_are_those_of_all_distances_in_order(
    seed: int, count: int, k: int, coarse: bool, left_out: set[int], name: DistanceName
) -> None:
    works, query = vectors(seed, count, coarse=coarse), vectors(seed + 1, 1, coarse=coarse)[0]
    left_out = {row for row in left_out if row < count}
    found = one(SearchIndex(works, np.full(count, -1), name), query, k, sorted(left_out))
    distance = all_distances(works, query, name)
    order = [row for row in np.argsort(distance, kind="stable") if row not in left_out]
    assert found.works.tolist() == order[:k]
    np.testing.assert_array_equal(found.distance, distance[order[:k]])
    assert len(found.artists) == 0


def test_far_from_the_origin_where_products_cancel_the_search_is_still_exact() -> None:
    works = vectors(0, 500, 16) * np.float32(1e-3) + np.float32(100)
    query = vectors(1, 1, 16)[0] * np.float32(1e-3) + np.float32(100)
    found = one(SearchIndex(works, np.full(500, -1), "euclidean"), query, 7)
    assert found.works.tolist() == np.argsort(all_distances(works, query, "euclidean"), kind="stable")[:7].tolist()


@given(
    st.integers(0, 10**6),
    st.integers(1, 300),
    st.integers(1, 50),
    st.sampled_from([0.0, 100.0]),
    st.sampled_from(["rms", "euclidean"]),
)
def test_with_a_cohorts_factors_the_nearest_are_those_of_all_adapted_distances(
    seed: int, count: int, k: int, away: float, name: DistanceName
) -> None:
    works = vectors(seed, count) + np.float32(away)
    query = vectors(seed + 1, 1) + np.float32(away)
    factor = np.random.default_rng(seed).uniform(0.25, 4, count + 1).astype(np.float32)
    index = SearchIndex(works, np.arange(count) % 3, name, factor[1:])
    (found,) = index.search(query, k, None, factor[:1])
    both = np.concatenate([query, works])
    distance = pair_distances(both, np.zeros(count, dtype=np.int64), np.arange(1, count + 1), name, factor)
    assert found.works.tolist() == np.argsort(distance, kind="stable")[:k].tolist()
    np.testing.assert_array_equal(found.distance, np.sort(distance)[:k])
    nearest = [np.sort(distance[artist::3])[:BEST_WORKS].mean() for artist in found.artists]
    # These come from a float32 product. Squares of 100 leave it 0.008 of a squared distance; factors are up to 4.
    np.testing.assert_allclose(found.artist_distance, nearest, rtol=1e-4, atol=1e-2 if away else 1e-3)


def test_a_work_and_itself_are_exactly_0_apart() -> None:
    works = vectors(0, 300, 128)
    for row in (0, 299):
        found = one(SearchIndex(works, np.full(300, -1), "rms"), works[row], 1)
        assert (found.works.tolist(), found.distance.tolist()) == ([row], [0.0])


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    works, queries = vectors(0, 60), vectors(1, 9)
    whole = list(SearchIndex(works, np.arange(60) % 5, "rms").search(queries, 4))
    monkeypatch.setattr(search, "SQUARES_BYTES", 2 * 4 * 60)
    for one_block, two_queries in zip(
        whole, SearchIndex(works, np.arange(60) % 5, "rms").search(queries, 4), strict=True
    ):
        np.testing.assert_array_equal(one_block.works, two_queries.works)
        np.testing.assert_array_equal(one_block.artists, two_queries.artists)


@given(st.integers(0, 10**6), st.lists(st.integers(-1, 3), min_size=1, max_size=30), st.sets(st.integers(0, 29)))
def test_artists_rank_by_the_mean_distance_of_their_three_nearest_works(
    seed: int, labels: list[int], left_out: set[int]
) -> None:
    works, query = vectors(seed, len(labels)), vectors(seed + 1, 1)[0]
    left_out = {row for row in left_out if row < len(labels)}
    found = one(SearchIndex(works, np.array(labels), "euclidean"), query, 1, sorted(left_out))
    distance = all_distances(works, query, "euclidean")
    expected = {}
    for artist in set(labels) - {-1}:
        own = sorted(distance[row] for row, label in enumerate(labels) if label == artist and row not in left_out)
        if own:
            expected[artist] = np.mean(own[:BEST_WORKS])
    assert sorted(found.artists.tolist()) == sorted(expected)
    assert (np.diff(found.artist_distance) >= 0).all()
    for artist, mean in zip(found.artists.tolist(), found.artist_distance, strict=True):
        assert mean == pytest.approx(expected[artist], rel=1e-6)


def test_one_near_work_counts_less_than_several_rather_near_ones() -> None:
    works = np.array([[1], [9], [9], [3], [3], [3]], dtype=np.float32)
    found = one(SearchIndex(works, np.array([0, 0, 0, 1, 1, 1]), "euclidean"), np.zeros(1, dtype=np.float32), 1)
    assert found.works.tolist() == [0]
    assert found.artists.tolist() == [1, 0]


def test_shares_sum_to_1_and_grow_with_the_odds() -> None:
    calibration = Calibration(slope=-12.0, intercept=16.0)
    distance = np.array([1.0, 1.1, 1.4], dtype=np.float32)
    shares = artist_shares(distance, calibration)
    assert shares.sum() == pytest.approx(1, abs=1e-6)
    odds = log_odds(distance, calibration, 0.5)
    assert np.log(shares[0] / shares[1]) == pytest.approx(2 * (odds[0] - odds[1]), rel=1e-4)
    assert len(artist_shares(distance[:0], calibration)) == 0


@pytest.mark.parametrize("count", [30, 2000])
def test_works_that_belong_there_are_rarely_unlike_and_far_ones_always(count: int) -> None:
    index = SearchIndex(vectors(0, count), np.full(count, -1), "rms")
    belong = [found.unlike for found in index.search(vectors(1, 400), 1)]
    allowed = max(0.01, 1 / (count + 1))
    assert sum(map(bool, belong)) <= 400 * allowed + 4 * np.sqrt(400 * allowed)
    assert all(found.unlike for found in index.search(vectors(2, 20) + np.float32(20), 1))


def test_a_gallery_of_few_works_cannot_tell_outliers() -> None:
    index = SearchIndex(vectors(0, 19), np.full(19, -1), "rms")
    assert one(index, np.full(8, 99, dtype=np.float32), 1).unlike is None
    assert one(SearchIndex(vectors(0, 1), np.array([0]), "rms"), vectors(1, 1)[0], 3).unlike is None


def test_with_every_work_left_out_nothing_is_found() -> None:
    found = one(SearchIndex(vectors(0, 2), np.array([0, 1]), "rms"), vectors(1, 1)[0], 3, [0, 1])
    assert (len(found.works), len(found.artists), found.unlike) == (0, 0, None)
