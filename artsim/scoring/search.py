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

Indices = NDArray[np.int64]
Distances = NDArray[np.float32]


@dataclass(frozen=True)
class SearchResult:
    """What was found for a query, the nearest first; `unlike` is None where the collection is too small to tell."""

    works: Indices  # (K,)
    distance: Distances  # (K,)
    artists: Indices  # (A,) all there are
    artist_distance: Distances  # (A,)
    unlike: bool | None


def artist_probabilities(distance: Distances, calibration: Calibration) -> Distances:
    """That a query is by each of the artists, float32 (A,), if it is by one of them.

    Args:
        distance: (A,) of `SearchResult.artist_distance`, all of it.
        calibration: the tower's.
    """
    odds = log_odds(distance, calibration, calibration.prior)
    probability: Distances = softmax(CERTAINTY * odds).astype(np.float32) if len(odds) else distance
    return probability


class SearchIndex:
    """Embeddings to search in."""

    def __init__(self, vectors: NDArray[np.float32], artists: Indices, distance: DistanceName) -> None:
        self._vectors = vectors  # (N, D)
        self._name: DistanceName = distance
        self._squares = np.einsum("nd,nd->n", vectors, vectors)  # (N,)
        known = np.flatnonzero(artists >= 0)
        self._by_artist = known[np.argsort(artists[known], kind="stable")]  # (M,) rows, artist by artist
        self._artists, self._group, works = np.unique(
            artists[self._by_artist], return_inverse=True, return_counts=True
        )  # (A,) artists, (M,) each row's place among them
        self._starts = np.cumsum(works) - works  # (A,)

    def search(
        self, queries: NDArray[np.float32], k: int, left_out: Sequence[Sequence[int]] | None = None
    ) -> Iterator[SearchResult]:
        """Find the k nearest works, all where there are fewer, and rank all artists, for each of Q queries.

        Args:
            queries: (Q, D).
            k: at least 1.
            left_out: of each query, the rows that it is not to find.
        """
        for number, squares in enumerate(self._approximate(queries)):
            squares[list(left_out[number]) if left_out else []] = np.inf
            works, distance = self._nearest(queries[number], squares, k)
            artists, artist_distance = self._ranked_artists(queries[number], squares)
            yield SearchResult(works, distance, artists, artist_distance, self._is_unlike(distance))

    @cached_property
    def references(self) -> Distances:
        """(R,) how far off the nearest other work is, of some works of the collection, in order."""
        count = len(self._vectors)
        if count < 2:
            return np.empty(0, dtype=np.float32)
        chosen = np.random.default_rng(0).choice(count, size=min(count, REFERENCES), replace=False)
        nearest = []
        for row, squares in zip(chosen, self._approximate(self._vectors[chosen]), strict=True):
            squares[row] = np.inf
            nearest.append(self._nearest(self._vectors[row], squares, 1)[1])
        return np.sort(np.concatenate(nearest))

    def _approximate(self, queries: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Of each query the squared distances (N,), less its own square, as near as a matrix product gives them."""
        step = max(1, BLOCK_BYTES // max(1, 4 * len(self._vectors)))
        for start in range(0, len(queries), step):
            squares = (-2 * queries[start : start + step]) @ self._vectors.T  # (B, N)
            squares += self._squares
            yield from squares

    def _nearest(self, query: NDArray[np.float32], squares: NDArray[np.float32], k: int) -> tuple[Indices, Distances]:
        """The k nearest works, exactly: whatever may be among them is measured anew; infinite squares are left out."""
        furthest = squares.min() if k == 1 else np.partition(squares, k - 1)[k - 1] if k < len(squares) else np.inf
        near = np.flatnonzero((squares <= furthest + 2 * self._error(query)) & (squares < np.inf))
        distance = self._exact(query, near)
        order = np.argsort(distance, kind="stable")[:k]
        return near[order], distance[order]

    def _error(self, query: NDArray[np.float32]) -> float:
        """How wrong an approximate square may be: D float32 roundings of the product of the largest lengths."""
        largest = float(np.sqrt(self._squares.max(initial=0))) + float(np.linalg.norm(query))
        return (len(query) + 4) * float(np.finfo(np.float32).eps) * largest**2

    def _exact(self, query: NDArray[np.float32], rows: Indices) -> Distances:
        both = np.concatenate([query[None], self._vectors[rows]])
        return pair_distances(both, np.zeros(len(rows), dtype=np.int64), np.arange(1, len(rows) + 1), self._name)

    def _ranked_artists(self, query: NDArray[np.float32], squares: NDArray[np.float32]) -> tuple[Indices, Distances]:
        """Artists with a work that is not left out, and the mean distance of their nearest works, in its order."""
        if not len(self._artists):
            return self._artists, np.empty(0, dtype=np.float32)
        place = self._nearest_of_each_artist(squares[self._by_artist])
        works = np.bincount(self._group[place], minlength=len(self._artists))
        sums = np.bincount(
            self._group[place], weights=self._exact(query, self._by_artist[place]), minlength=len(self._artists)
        )
        there = np.flatnonzero(works)
        distance = (sums[there] / works[there]).astype(np.float32)
        order = np.argsort(distance, kind="stable")
        return self._artists[there[order]], distance[order]

    def _nearest_of_each_artist(self, squares: NDArray[np.float32]) -> Indices:
        """Where each artist's nearest works stand in the order by artist; `squares` (M,) stand in it, and change."""
        found = []
        for _ in range(BEST_WORKS):
            least = np.minimum.reduceat(squares, self._starts)[self._group]
            place = np.flatnonzero((squares == least) & (squares < np.inf))
            _, first = np.unique(self._group[place], return_index=True)  # of works that are equally near
            found.append(place[first])
            squares[place[first]] = np.inf
        return np.concatenate(found)

    def _is_unlike(self, distance: Distances) -> bool | None:
        count = len(self.references)
        if count < FEWEST_REFERENCES or not len(distance):
            return None
        as_far = count - int(np.searchsorted(self.references, distance[0], side="left"))
        return as_far == 0 or (as_far + 1) / (count + 1) <= UNLIKE_SHARE
