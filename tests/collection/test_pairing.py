"""Pairs are complete, and occur once."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.collection.pairing import Spans, across_groups, balanced_sample, each_with_all, within_groups
from artsim.errors import InputError

groups = st.lists(st.integers(-1, 4), max_size=20).map(lambda labels: np.array(labels, dtype=np.int64))


def listed(spans: Spans, block: int) -> list[tuple[int, int]]:
    pairs = [
        pair for first, second in spans.blocks(block) for pair in zip(first.tolist(), second.tolist(), strict=True)
    ]
    assert len(pairs) == spans.total
    return pairs


@given(groups, st.integers(1, 30))
def test_every_pair_inside_a_group_occurs_once(labels: NDArray[np.int64], block: int) -> None:
    expected = {(i, j) for i, j in combinations(range(len(labels)), 2) if labels[i] == labels[j] >= 0}
    found = listed(within_groups(labels), block)
    assert len(found) == len(expected)
    assert set(found) == expected


@given(groups, st.integers(1, 30))
def test_every_pair_across_groups_occurs_once(labels: NDArray[np.int64], block: int) -> None:
    grouped = np.flatnonzero(labels >= 0).tolist()
    expected = {frozenset((i, j)) for i, j in combinations(grouped, 2) if labels[i] != labels[j]}
    found = listed(across_groups(labels), block)
    assert len(found) == len(expected)
    assert {frozenset(pair) for pair in found} == expected


def test_groups_and_works_are_in_order_of_appearance() -> None:
    assert listed(within_groups(np.array([7, 2, 7, 2, 7])), 3) == [(0, 2), (0, 4), (2, 4), (1, 3)]


@given(st.integers(0, 12), st.lists(st.integers(0, 20), unique=True, max_size=12), st.integers(1, 30))
def test_each_query_is_paired_with_each_work_except_itself(works: int, queries: list[int], block: int) -> None:
    expected = [(query, work) for query in queries for work in range(works) if work != query]
    assert listed(each_with_all(np.array(queries, dtype=np.int64), works), block) == expected


@given(groups, st.integers(2, 40), st.integers(0, 3))
def test_a_sample_is_balanced_and_has_no_repeats(labels: NDArray[np.int64], count: int, seed: int) -> None:
    same, other = within_groups(labels).total, across_groups(labels).total
    if same < count // 2 or other < count - count // 2:
        with pytest.raises(InputError, match="The sample needs"):
            balanced_sample(labels, count, seed)
        return
    first, second, label = balanced_sample(labels, count, seed)
    assert len({frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)}) == count
    assert (first != second).all()
    assert (labels[first] >= 0).all()
    np.testing.assert_array_equal(labels[first] == labels[second], label)
    assert label.sum() == count // 2
    np.testing.assert_array_equal(first, balanced_sample(labels, count, seed)[0])


@given(groups)
def test_the_error_names_the_largest_possible_sample(labels: NDArray[np.int64]) -> None:
    with pytest.raises(InputError) as error:
        balanced_sample(labels, 1000, 0)
    _, found, most = str(error.value).partition("at most ")
    if found:
        count = int(most.split()[0])
        assert len(balanced_sample(labels, count, 0)[0]) == count
    else:
        count = 1
        assert "No balanced sample" in str(error.value)
    with pytest.raises(InputError):
        balanced_sample(labels, count + 1, 0)


@pytest.mark.parametrize("count", [6, 36])
def test_every_pair_is_equally_likely(count: int) -> None:
    """For a small sample and for one of nearly all pairs, with the artists' works in mixed order."""
    labels = np.array([0, 1, 2, 3] * 3 + [0, 1, 2, 3])
    drawn: Counter[frozenset[int]] = Counter()
    for seed in range(600):
        first, second, label = balanced_sample(labels, count, seed)
        drawn.update(
            frozenset(pair) for pair in zip(first[label == 1].tolist(), second[label == 1].tolist(), strict=True)
        )
    assert len(drawn) == 4 * 6
    expected = 600 * (count // 2) / len(drawn)
    deviation = (expected * (1 - count / 2 / len(drawn))) ** 0.5
    assert max(abs(times - expected) for times in drawn.values()) < 4.5 * deviation


def test_the_order_of_a_sample_does_not_tell_the_label() -> None:
    labels = np.arange(2000) % 20
    label = balanced_sample(labels, 2000, 0)[2]
    assert 400 < label[:1000].sum() < 600
