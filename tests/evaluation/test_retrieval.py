"""Precision@1 and MAP@R: by hand, against a slow reading of the definition, at ties and where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.evaluation import retrieval as module
from artsim.evaluation.intervals import mean_interval
from artsim.evaluation.retrieval import retrieval_metrics


def naive(
    points: NDArray[np.float32], artists: list[str], styles: NDArray[np.bool_] | None
) -> dict[int, tuple[float, float]]:
    """The definition read word by word; by query."""
    found = {}
    for query, artist in enumerate(artists):
        others = [
            other
            for other in range(len(artists))
            if other != query
            and (artists[other] == artist or styles is None or bool((styles[query] & styles[other]).any()))
        ]
        relevant = sum(artists[other] == artist for other in others)
        if not 0 < relevant < len(others):
            continue
        gaps = {other: float(np.square(points[query] - points[other]).sum()) for other in others}
        ranked = sorted(others, key=lambda other: (gaps[other], artists[other] == artist))
        hits = [artists[other] == artist for other in ranked[:relevant]]
        precision = [sum(hits[: place + 1]) / (place + 1) if hits[place] else 0.0 for place in range(relevant)]
        found[query] = float(hits[0]), sum(precision) / relevant
    return found


works = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from("abc"), st.sets(st.integers(0, 2))),
    min_size=1,
    max_size=14,
)


@given(works, st.booleans())
def test_it_is_what_the_definition_says(rows: list[tuple[int, int, str, set[int]]], within_styles: bool) -> None:
    points = np.array([row[:2] for row in rows], dtype=np.float32)
    artists = [row[2] for row in rows]
    styles = np.array([[style in row[3] for style in range(3)] for row in rows]) if within_styles else None
    found = retrieval_metrics(points, np.array(artists), styles)
    expected = naive(points, artists, styles)
    by_artist = sorted(expected, key=lambda query: artists[query])
    np.testing.assert_allclose(found.precision_at_1, [expected[query][0] for query in by_artist])
    np.testing.assert_allclose(found.map_at_r, [expected[query][1] for query in by_artist])


def test_five_works_by_hand() -> None:
    # On a line: a at 0, 1 and 5, b at 2 and 3. R is 2 for each a, 1 for each b.
    points = np.array([[0], [1], [5], [2], [3]], dtype=np.float32)
    found = retrieval_metrics(points, np.array(["a", "a", "a", "b", "b"]))
    # 0 finds a, b: (1 + 0) / 2. 1 finds, at one distance, b before a: (0 + 1/2) / 2. 5 finds b, b.
    # 2 finds, at one distance, a before b: nothing. 3 finds b.
    assert found.precision_at_1.tolist() == [1, 0, 0, 0, 1]
    assert found.map_at_r.tolist() == [0.5, 0.25, 0, 0, 1]


def test_a_tower_that_puts_all_in_one_place_finds_nothing() -> None:
    found = retrieval_metrics(np.full((9, 64), 0.1, dtype=np.float32), np.array(list("aaabbbccc")))
    assert found.precision_at_1.sum() == found.map_at_r.sum() == 0


def test_perfect_clusters_are_found_wherever_they_lie() -> None:
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(20), 5)
    points = (rng.normal(size=(20, 32))[label] + rng.normal(scale=1e-3, size=(100, 32)) + 1000).astype(np.float32)
    found = retrieval_metrics(points, label)
    assert found.precision_at_1.min() == found.map_at_r.min() == 1
    assert len(found.map_at_r) == 100


def test_single_works_are_searched_but_ask_nothing_and_one_artist_alone_tells_nothing() -> None:
    points = np.arange(3, dtype=np.float32)[:, None]
    assert retrieval_metrics(points, np.array(["a", "b", "a"])).precision_at_1.tolist() == [0, 0]
    assert len(retrieval_metrics(points, np.array(["a", "a", "a"])).map_at_r) == 0
    assert len(retrieval_metrics(points, np.array(["a", "b", "c"])).map_at_r) == 0
    assert len(retrieval_metrics(points[:0], np.array([])).map_at_r) == 0


def test_without_a_style_in_common_there_is_nothing_to_ask() -> None:
    points = np.arange(4, dtype=np.float32)[:, None]
    artists = np.array(["a", "a", "b", "b"])
    assert len(retrieval_metrics(points, artists, np.zeros((4, 0), dtype=np.bool_)).map_at_r) == 0


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    points, label = rng.normal(size=(60, 8)).astype(np.float32), rng.integers(5, size=60)
    whole = retrieval_metrics(points, label)
    monkeypatch.setattr(module, "DISTANCE_BYTES", 3 * 8 * 60)
    for name, values in retrieval_metrics(points, label)._asdict().items():
        np.testing.assert_allclose(values, getattr(whole, name))


def test_a_means_interval_is_what_theory_says() -> None:
    values = (np.arange(1000) < 300).astype(np.float64)
    low, high = mean_interval(values, resamples=2000)
    spread = 1.96 * np.sqrt(0.3 * 0.7 / 1000)
    assert (low, high) == pytest.approx((0.3 - spread, 0.3 + spread), abs=0.003)
    assert mean_interval(values) == mean_interval(values)
    assert np.isnan(mean_interval(np.empty(0))).all()
