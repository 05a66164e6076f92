"""Clusters of embeddings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.scoring import clusters as module
from artsim.scoring.clusters import ALONE, copies_of, find_clusters, members_of
from artsim.scoring.distance import pair_distances


def line(*places: float) -> np.ndarray:
    return np.array(places, dtype=np.float32)[:, None]


def test_the_largest_cluster_comes_first_then_the_surest_and_works_alone_have_none() -> None:
    works = line(0.0, 50.0, 10.0, 0.4, 10.1, 20.0, 0.2, 20.3)
    found = find_clusters(works, None, "euclidean", 1.0)
    assert found.number.tolist() == [0, ALONE, 1, 0, 1, 2, 0, 2]
    assert found.works.tolist() == [3, 2, 2]
    assert found.alone == 1
    assert [own.tolist() for own in members_of(found)] == [[0, 3, 6], [2, 4], [5, 7]]
    np.testing.assert_allclose(found.distance, [(0.4 + 0.2 + 0.2) / 3, 0.1, 0.3], rtol=1e-4)
    np.testing.assert_allclose(found.own_distance[[0, 3, 6]], [0.3, 0.3, 0.2], rtol=1e-4)
    assert np.isnan(found.own_distance[1])


def test_the_mean_distance_of_two_clusters_decides_not_the_nearest_pair() -> None:
    chain = line(0, 1, 2, 3, 4, 5, 6, 7)
    assert len(find_clusters(chain, None, "euclidean", 1.2).works) == 4
    assert len(find_clusters(chain, None, "euclidean", 4.1).works) == 1


def test_factors_of_distances_count() -> None:
    near = np.array([1, 1, 0.5, 0.5], dtype=np.float32)
    assert find_clusters(line(0, 2, 10, 12), near, "euclidean", 1.0).number.tolist() == [ALONE, ALONE, 0, 0]


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_works_are_alone(count: int) -> None:
    found = find_clusters(np.zeros((count, 3), np.float32), None, "rms", 1.0)
    assert found.number.tolist() == [ALONE] * count
    assert members_of(found) == []


def test_blocks_of_pairs_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    works = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    whole = find_clusters(works, None, "rms", 0.8).number
    monkeypatch.setattr(module, "BLOCK_PAIRS", 41)
    assert find_clusters(works, None, "rms", 0.8).number.tolist() == whole.tolist()


@given(st.lists(st.integers(0, 60), min_size=2, max_size=25), st.floats(0.5, 30))
def test_works_of_a_cluster_are_at_most_the_cut_apart_in_the_mean_of_its_last_join(
    places: list[int], cut: float
) -> None:
    works = line(*places)
    found = find_clusters(works, None, "euclidean", cut)
    assert sum(found.works) + found.alone == len(places)
    assert list(found.works) == sorted(found.works, reverse=True)
    for own in members_of(found):
        first, second = np.triu_indices(len(own), 1)
        mean = pair_distances(works, own[first], own[second], "euclidean").mean()
        assert mean <= cut * (1 + 1e-5)


def test_a_copy_names_the_first_work_that_it_is_a_copy_of() -> None:
    works = line(0, 0.5, 0.01, 9, 0.005)
    found = find_clusters(works, None, "euclidean", 1.0)
    assert copies_of(found, works, "euclidean", 0.1) == [None, None, 0, None, 0]
