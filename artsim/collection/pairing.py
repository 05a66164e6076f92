"""Pairs of works as indices 0 to N - 1: counted without listing them, listed block by block.

Each unordered pair occurs once. Its first work is the one that comes first in the source. In pairs of a query and a
collection, the query is first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from artsim.errors import InputError
from artsim.messages import counted

BLOCK_PAIRS = 2**18

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Spans:
    """All pairs of work `row[k]` with each of `members[start[k]:stop[k]]`, for each of K spans."""

    row: Indices  # (K,)
    start: NDArray[np.int64]  # (K,)
    stop: NDArray[np.int64]  # (K,)
    members: Indices  # (M,)

    @cached_property
    def _before(self) -> NDArray[np.int64]:
        """(K + 1,) the number of pairs in all spans before each one."""
        return np.concatenate([[0], np.cumsum(self.stop - self.start)])

    @property
    def total(self) -> int:
        """The number of pairs."""
        return int(self._before[-1])

    def at(self, rank: NDArray[np.int64]) -> tuple[Indices, Indices]:
        """The pairs with these ranks (B,), 0 to total - 1: first works (B,) and second works (B,)."""
        span = np.searchsorted(self._before, rank, side="right") - 1
        return self.row[span], self.members[self.start[span] + rank - self._before[span]]

    def blocks(self, size: int = BLOCK_PAIRS) -> Iterator[tuple[Indices, Indices]]:
        """All pairs in order of rank, `size` at a time."""
        for start in range(0, self.total, size):
            yield self.at(np.arange(start, min(start + size, self.total)))


def within_groups(labels: NDArray[np.int64]) -> Spans:
    """All pairs inside each group, group by group in order of appearance.

    Args:
        labels: (N,) the group of each work; negative: in no group.
    """
    order, end = _by_group(labels)
    return Spans(order, np.arange(len(order)) + 1, end, order)


def across_groups(labels: NDArray[np.int64]) -> Spans:
    """All pairs of works in different groups; `labels` as for `within_groups`."""
    order, end = _by_group(labels)
    return Spans(order, end, np.full(len(order), len(order)), order)


def each_with_all(queries: Indices, works: int) -> Spans:
    """Pairs of each query with each work of the collection except itself, query by query.

    Args:
        queries: (Q,) indices. An index below `works` is a work of the collection.
        works: the number of works in the collection.
    """
    inside = queries < works
    place = np.where(inside, queries, works)
    start = np.stack([np.zeros_like(place), np.minimum(place + 1, works)], axis=1)
    stop = np.stack([place, np.full_like(place, works)], axis=1)
    return Spans(np.repeat(queries, 2), start.ravel(), stop.ravel(), np.arange(works))


def balanced_sample(labels: NDArray[np.int64], count: int, seed: int) -> tuple[Indices, Indices, NDArray[np.int64]]:
    """Draw different pairs in random order, half of them by the same artist.

    If the count is odd, there is one more different-artist pair.

    Args:
        labels: (N,) the artist of each work; negative: the work is in no pair.
        count: the number of pairs.
        seed: the seed of the choice.

    Returns:
        (count,) the first works, (count,) the second works, (count,) 1 for the same artist.

    Raises:
        InputError: there are fewer pairs of one kind.
    """
    kinds = (within_groups(labels), count // 2, "the same artist"), (
        across_groups(labels), count - count // 2, "different artists",
    )  # fmt: skip
    for spans, wanted, kind in kinds:
        if spans.total < wanted:
            at_most = min(2 * kinds[0][0].total + 1, 2 * kinds[1][0].total)
            raise InputError(
                f"The sample needs {counted(wanted, 'pair')} by {kind}, but the collection has {spans.total:,}. "
                + (f"Ask for at most {at_most:,} pairs." if at_most > 1 else "No balanced sample can be made.")
            )
    rng = np.random.default_rng(seed)
    drawn = [spans.at(_distinct(spans.total, wanted, rng)) for spans, wanted, _ in kinds]
    first, second = np.concatenate(drawn, axis=1)
    order = rng.permutation(count)
    return first[order], second[order], (order < count // 2).astype(np.int64)


def _distinct(total: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw `count` different integers below `total`, sorted; all sets are equally likely. Memory is O(count)."""
    if 2 * count > total:
        left = np.ones(total, dtype=np.bool_)
        left[_distinct(total, total - count, rng)] = False
        return np.flatnonzero(left)
    found = np.empty(0, dtype=np.int64)
    while len(found) < count:
        found = np.unique(np.concatenate([found, rng.integers(total, size=count - len(found))]))
    return found


def _by_group(labels: NDArray[np.int64]) -> tuple[Indices, NDArray[np.int64]]:
    """(M,) the grouped works, group by group in order of appearance, and (M,) the end of each one's group there."""
    grouped = np.flatnonzero(labels >= 0)
    _, appears, label = np.unique(labels[grouped], return_index=True, return_inverse=True)
    place = appears[label]
    order = np.argsort(place, kind="stable")
    return grouped[order], np.searchsorted(place[order], place[order], side="right")
