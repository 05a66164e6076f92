"""Which works of a collection are nearest to a query, whose hand that speaks for, and whether any is near at all.

Works are rows of embeddings, float32 (N, D); artists are numbers, negative where unknown.

*Works* are ranked by their distance; the search is exact.

*Artists* are ranked by the mean distance of their three nearest works, or of as many as they have. Log-odds are linear
in the distance, so it is their mean log-odds, too. One work alone may be near by its motif; by more than a few, artists
with many works gain or lose. How likely each one is, if it is one of them, is the softmax of twice the log-odds
(benchmarks/nearest.py has the other rules and factors).

A query is *unlike* the collection if its nearest work is farther off than 99 of 100 works of the collection have
theirs: of works that belong there one in a hundred is taken for unlike by mistake, whatever the tower (a conformal
test: Vovk, Gammerman & Shafer 2005). In a smaller collection it has to be farther off than all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from artsim.scoring.contract import Calibration, DistanceName
from artsim.scoring.distance import pair_distances
from artsim.scoring.scores import log_odds

BEST_WORKS = 3
REFERENCES = 300  # works whose own nearest one is looked for: more cost time and make the hundredth no steadier
FEWEST_REFERENCES = 20
UNLIKE_SHARE = 0.01
CERTAINTY = 2.0  # log-odds of pairs, times this, are those of artists
BLOCK_BYTES = 2**26  # of approximate squared distances at a time

Rows = NDArray[np.int64]
Distances = NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """What was found for a query, the nearest first; `unlike` is None where the collection is too small to tell."""

    works: Rows  # (K,)
    distance: Distances  # (K,)
    artists: Rows  # (A,) all there are
    artist_distance: Distances  # (A,)
    unlike: bool | None


def artist_probabilities(distance: Distances, calibration: Calibration) -> Distances:
    """That a query is by each of the artists, float32 (A,), if it is by one of them.

    Args:
        distance: (A,) of `Found.artist_distance`, all of it.
        calibration: the tower's.
    """
    odds = log_odds(distance, calibration, calibration.prior)
    probability: Distances = softmax(CERTAINTY * odds).astype(np.float32) if len(odds) else distance
    return probability


class Collection:
    """Embeddings to search in."""

    def __init__(self, vectors: NDArray[np.float32], artists: Rows, distance: DistanceName) -> None:
        self._vectors = vectors  # (N, D)
        self._artists = artists  # (N,)
        self._name: DistanceName = distance
        self._squares = np.einsum("nd,nd->n", vectors, vectors)  # (N,)

    def search(
        self, queries: NDArray[np.float32], k: int, left_out: Sequence[Sequence[int]] | None = None
    ) -> Iterator[Found]:
        """Find the k nearest works, all where there are fewer, and rank all artists, for each of Q queries.

        Args:
            queries: (Q, D).
            k: at least 1.
            left_out: of each query, the rows that it is not to find.
        """
        for start, nearness in self._blocks(queries):
            for number, row in enumerate(nearness, start=start):
                allowed = np.ones(len(row), dtype=np.bool_)
                allowed[list(left_out[number]) if left_out else []] = False
                yield self._found(queries[number], row, allowed, k)

    @cached_property
    def references(self) -> Distances:
        """(R,) how far off the nearest other work is, of some works of the collection, in order."""
        count = len(self._vectors)
        if count < 2:
            return np.empty(0, dtype=np.float32)
        chosen = np.random.default_rng(0).choice(count, size=min(count, REFERENCES), replace=False)
        nearest = [
            self._nearest(self._vectors[chosen[number]], row, np.arange(count) != chosen[number], 1)[1]
            for start, block in self._blocks(self._vectors[chosen])
            for number, row in enumerate(block, start=start)
        ]
        return np.sort(np.concatenate(nearest))

    def _blocks(self, queries: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Squared distances less the query's own square, (B, N), as near as a matrix product gives them."""
        step = max(1, BLOCK_BYTES // max(1, 4 * len(self._vectors)))
        for start in range(0, len(queries), step):
            products = queries[start : start + step] @ self._vectors.T
            products *= -2
            products += self._squares
            yield start, products

    def _found(self, query: NDArray[np.float32], row: NDArray[np.float32], allowed: NDArray[np.bool_], k: int) -> Found:
        works, distance = self._nearest(query, row, allowed, k)
        artists, artist_distance = self._artists_by_distance(query, row, allowed)
        return Found(works, distance, artists, artist_distance, self._is_unlike(distance))

    def _nearest(
        self, query: NDArray[np.float32], row: NDArray[np.float32], allowed: NDArray[np.bool_], k: int
    ) -> tuple[Rows, Distances]:
        """The k nearest works that are allowed, exactly: whatever may be among them is measured anew."""
        there = np.flatnonzero(allowed)
        if len(there) > k:
            approximate = row[there]
            bound = np.partition(approximate, k - 1)[k - 1] + 2 * self._error(query)
            there = there[approximate <= bound]
        distance = self._exact(query, there)
        order = np.argsort(distance, kind="stable")[:k]
        return there[order], distance[order]

    def _error(self, query: NDArray[np.float32]) -> float:
        """How wrong a value of `_blocks` may be: D float32 roundings of the product of the largest lengths."""
        largest = float(np.sqrt(self._squares.max(initial=0))) + float(np.linalg.norm(query))
        return (len(query) + 4) * float(np.finfo(np.float32).eps) * largest**2

    def _exact(self, query: NDArray[np.float32], rows: Rows) -> Distances:
        both = np.concatenate([query[None], self._vectors[rows]])
        return pair_distances(both, np.zeros(len(rows), dtype=np.int64), np.arange(1, len(rows) + 1), self._name)

    def _artists_by_distance(
        self, query: NDArray[np.float32], row: NDArray[np.float32], allowed: NDArray[np.bool_]
    ) -> tuple[Rows, Distances]:
        there = np.flatnonzero(allowed & (self._artists >= 0))
        order = there[np.lexsort((row[there], self._artists[there]))]  # artist by artist, the nearest work first
        artists, start, works = np.unique(self._artists[order], return_index=True, return_counts=True)
        place = np.arange(len(order)) - np.repeat(start, works)
        best = place < BEST_WORKS
        used = np.minimum(works, BEST_WORKS)
        group = np.repeat(np.arange(len(artists)), used)
        sums = np.bincount(group, weights=self._exact(query, order[best]), minlength=len(artists))
        distance = (sums / used).astype(np.float32)
        ranked = np.argsort(distance, kind="stable")
        return artists[ranked], distance[ranked]

    def _is_unlike(self, distance: Distances) -> bool | None:
        count = len(self.references)
        if count < FEWEST_REFERENCES or not len(distance):
            return None
        as_far = count - int(np.searchsorted(self.references, distance[0], side="left"))
        return as_far == 0 or (as_far + 1) / (count + 1) <= UNLIKE_SHARE
