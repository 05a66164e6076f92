"""Search: the nearest works and artists of a gallery for each query, and whether the query is an outlier.

Works are rows of embeddings, float32 (N, D). Artists are numbers; a negative number means that the artist is unknown.

*Works* are ranked by distance; the search is exact.

*Artists* are ranked by the mean distance of their three nearest works, or of all their works if they have fewer.
Log-odds are linear in the distance, so this is also the rank by mean log-odds. A single work can be near because of its
motif; with many more than three, the number of an artist's works would decide. An artist's share is their probability
if the query is by an artist of the gallery: the softmax of twice the log-odds (benchmarks/nearest.py compares other
rules).

A query is *unlike* the gallery (an outlier) if its nearest work is farther away than those of 99 % of the gallery's own
works. For works that do belong there, this is wrong once in a hundred times, whatever the tower (a conformal test:
Vovk, Gammerman & Shafer 2005). In a small gallery it must be farther away than all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from artsim.scoring.contract import Calibration, DistanceName
from artsim.scoring.distance import pair_distances
from artsim.scoring.scores import log_odds

BEST_WORKS = 3  # nearest works of an artist that count
REFERENCES = 300  # works of the gallery whose nearest distance is measured; more take time and change little
FEWEST_REFERENCES = 20  # with fewer, an ordinary work is often farther away than all of them
UNLIKE_SHARE = 0.01
CERTAINTY = 2.0  # factor from the log-odds of pairs to those of artists
SQUARES_BYTES = 2**26  # memory for approximate squared distances, 64 MiB

Indices = NDArray[np.int64]
Distances = NDArray[np.float32]


@dataclass(frozen=True)
class SearchResult:
    """The result of one query, nearest first; `unlike` is None if the gallery is too small to tell."""

    works: Indices  # (K,) rows of the gallery
    distance: Distances  # (K,)
    artists: Indices  # (A,) all artists with a work that was searched
    artist_distance: Distances  # (A,)
    unlike: bool | None


def artist_shares(distance: Distances, calibration: Calibration) -> Distances:
    """Return the probability of each artist, float32 (A,), given that the query is by one of them. They sum to 1.

    Args:
        distance: (A,) the whole of `SearchResult.artist_distance`.
        calibration: the tower's calibration.
    """
    odds = log_odds(distance, calibration, calibration.prior)
    shares: Distances = softmax(CERTAINTY * odds).astype(np.float32) if len(odds) else distance
    return shares


class _Query(NamedTuple):
    vector: NDArray[np.float32]  # (D,)
    factor: np.float32


class SearchIndex:
    """The embeddings of a gallery, prepared for search."""

    def __init__(
        self,
        vectors: NDArray[np.float32],
        artists: Indices,
        distance: DistanceName,
        factor: NDArray[np.float32] | None = None,
    ) -> None:
        """Index the vectors (N, D) and their artists (N,); `distance` is the tower's, factors (N,) are a cohort's."""
        self._vectors = vectors  # (N, D)
        self._factor = np.ones(len(vectors), dtype=np.float32) if factor is None else factor  # (N,)
        self._weights = None if factor is None else factor**2  # (N,) of squared distances
        self._name: DistanceName = distance
        self._squares = np.einsum("nd,nd->n", vectors, vectors)  # (N,)
        known = np.flatnonzero(artists >= 0)
        self._by_artist = known[np.argsort(artists[known], kind="stable")]  # (M,) rows, artist by artist
        self._artists, self._group, works = np.unique(
            artists[self._by_artist], return_inverse=True, return_counts=True
        )  # (A,) artists, (M,) each row's place among them
        self._starts = np.cumsum(works) - works  # (A,)

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        left_out: Sequence[Sequence[int]] | None = None,
        factor: NDArray[np.float32] | None = None,
    ) -> Iterator[SearchResult]:
        """Find the k nearest works (all if there are fewer), and rank all artists, for each of Q queries.

        Args:
            queries: (Q, D).
            k: 1 or more.
            left_out: for each query, the rows to exclude.
            factor: (Q,) of a cohort.
        """
        for number, squares in enumerate(self._approximate(queries)):
            squares[list(left_out[number]) if left_out else []] = np.inf
            query = _Query(queries[number], np.float32(1) if factor is None else factor[number])
            works, distance = self._nearest(query, squares, k)
            artists, artist_distance = self._ranked_artists(query, squares)
            yield SearchResult(works, distance, artists, artist_distance, self._is_unlike(distance))

    @cached_property
    def references(self) -> Distances:
        """Distances (R,), sorted, from a sample of the gallery's works to their nearest other works."""
        count = len(self._vectors)
        if count < 2:
            return np.empty(0, dtype=np.float32)
        chosen = np.random.default_rng(0).choice(count, size=min(count, REFERENCES), replace=False)
        nearest = []
        for row, squares in zip(chosen, self._approximate(self._vectors[chosen]), strict=True):
            squares[row] = np.inf
            nearest.append(self._nearest(_Query(self._vectors[row], self._factor[row]), squares, 1)[1])
        return np.sort(np.concatenate(nearest))

    def _approximate(self, queries: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Yield for each query ‖v‖² - 2 q·v (N,): the squared distances less ‖q‖², as exact as a matrix product is.

        With a cohort, ‖q‖² is added, and the sum is multiplied by the work's squared factor.
        """
        step = max(1, SQUARES_BYTES // max(1, 4 * len(self._vectors)))
        for start in range(0, len(queries), step):
            squares = (-2 * queries[start : start + step]) @ self._vectors.T  # (B, N)
            squares += self._squares
            if self._weights is not None:
                squares += np.einsum("qd,qd->q", queries[start : start + step], queries[start : start + step])[:, None]
                squares *= self._weights
            yield from squares

    def _nearest(self, query: _Query, squares: NDArray[np.float32], k: int) -> tuple[Indices, Distances]:
        """Return the exact k nearest works: measure all candidates within the error; infinite squares are excluded."""
        furthest = squares.min() if k == 1 else np.partition(squares, k - 1)[k - 1] if k < len(squares) else np.inf
        near = np.flatnonzero((squares <= furthest + 2 * self._error(query)) & (squares < np.inf))
        distance = self._exact(query, near)
        order = np.argsort(distance, kind="stable")[:k]
        return near[order], distance[order]

    def _error(self, query: _Query) -> float:
        """Bound the error of an approximate square: D float32 roundings of the product of the largest lengths."""
        largest = float(np.sqrt(self._squares.max(initial=0))) + float(np.linalg.norm(query.vector))
        weight = 1.0 if self._weights is None else float(self._weights.max(initial=0))
        return (len(query.vector) + 8) * float(np.finfo(np.float32).eps) * largest**2 * weight

    def _exact(self, query: _Query, rows: Indices) -> Distances:
        both = np.concatenate([query.vector[None], self._vectors[rows]])
        factor = np.concatenate([[query.factor], self._factor[rows]])
        return pair_distances(
            both, np.zeros(len(rows), dtype=np.int64), np.arange(1, len(rows) + 1), self._name, factor
        )

    def _ranked_artists(self, query: _Query, squares: NDArray[np.float32]) -> tuple[Indices, Distances]:
        """Return the artists with a work that is not excluded, and their mean distances, in the order of these."""
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
        """Return the places of each artist's nearest works in the order by artist.

        `squares` (M,) are in that order; the chosen ones are overwritten by infinity.
        """
        found = []
        for _ in range(BEST_WORKS):
            least = np.minimum.reduceat(squares, self._starts)[self._group]
            place = np.flatnonzero((squares == least) & (squares < np.inf))
            _, first = np.unique(self._group[place], return_index=True)  # one of several equally near works
            found.append(place[first])
            squares[place[first]] = np.inf
        return np.concatenate(found)

    def _is_unlike(self, distance: Distances) -> bool | None:
        count = len(self.references)
        if count < FEWEST_REFERENCES or not len(distance):
            return None
        as_far = count - int(np.searchsorted(self.references, distance[0], side="left"))
        return as_far == 0 or (as_far + 1) / (count + 1) <= UNLIKE_SHARE
