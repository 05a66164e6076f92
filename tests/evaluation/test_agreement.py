"""How well clusters agree with artists."""

from __future__ import annotations

import numpy as np
import pytest

from artsim.evaluation.agreement import agreement
from artsim.scoring.clusters import ALONE

ARTISTS = np.repeat(np.arange(8), 5)


def test_clusters_that_are_the_artists_are_perfect() -> None:
    found = agreement(ARTISTS[::-1].copy(), ARTISTS)
    assert found is not None
    assert (found.rand.value, found.purity, found.clustered) == (1.0, 1.0, 40)
    assert "adjusted Rand index 1.000 (95 % interval 1.000 to 1.000) on 40 works by 8 artists" in found.text


def test_clusters_at_random_have_no_agreement_beyond_chance() -> None:
    found = agreement(np.random.default_rng(0).permutation(ARTISTS), ARTISTS)
    assert found is not None
    assert abs(found.rand.value) < 0.1
    assert found.rand.low is not None
    assert found.rand.high is not None
    assert found.rand.low < 0.1 < found.rand.high + 0.1


def test_purity_is_of_works_in_clusters_only() -> None:
    cluster = np.full(40, ALONE)
    cluster[:4] = [0, 0, 0, 0]  # one artist
    cluster[5:7] = [1, 1]
    cluster[10] = 1
    found = agreement(cluster, ARTISTS)
    assert found is not None
    assert found.clustered == 7
    assert found.purity == pytest.approx(6 / 7)


def test_works_of_unknown_artists_do_not_count() -> None:
    some = np.where(np.arange(40) % 2 == 0, ARTISTS, -1)
    found = agreement(ARTISTS, some)
    assert found is not None
    assert (found.works, found.rand.value) == (20, 1.0)
    assert agreement(ARTISTS, np.full(40, -1)) is None


def test_a_few_works_are_too_few_to_judge() -> None:
    found = agreement(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2]))
    assert found is not None
    assert found.text == "too few to judge: 1 pair by one artist, 5 by two"
