"""How well a work finds the others by its artist: precision@1 and MAP@R, for each work that has any to find.

A query's R is how many other works by its artist there are. Precision@1 asks whether the nearest work is one of
them; MAP@R is the mean over the R nearest of the precision at each rank that one of them has, 0 at the other ranks
(Musgrave, Belongie & Lim 2020, A Metric Learning Reality Check). At one distance the other artists' works come first,
so a tower that puts everything in one place finds nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artsim.collection.styles import share_a_style

BLOCK_BYTES = 2**26  # of distances at a time
DIGITS = 40  # binary ones of the longest square: float32 embeddings carry 24 of a length


class RetrievalMetrics(NamedTuple):
    """Of Q queries: whether the nearest work is by their artist, and the precision averaged up to R; (Q,) in 0..1."""

    precision_at_1: NDArray[np.float64]
    map_at_r: NDArray[np.float64]


def retrieval(
    embeddings: NDArray[np.float32], artists: NDArray[Any], styles: NDArray[np.bool_] | None = None
) -> RetrievalMetrics:
    """Search for each work among the others.

    Args:
        embeddings: (V, D); Euclidean distance, which ranks as `rms` does.
        artists: (V,) who made each work.
        styles: (V, S) which styles each has: other artists' works are searched only where they share one with the
            query; None searches them all. A query without works by others to search tells nothing and is left out.
    """
    points = embeddings.astype(np.float64)
    points -= points.sum(axis=0) / max(1, len(points))  # which no distance notices: smaller squares lose fewer digits
    lengths = np.square(points).sum(axis=1)
    _, label, works = np.unique(artists.astype(str), return_inverse=True, return_counts=True)
    step = max(1, BLOCK_BYTES // max(1, 8 * len(points)))
    found = [RetrievalMetrics(np.empty(0), np.empty(0))]
    for artist in np.flatnonzero(works >= 2):
        own = np.flatnonzero(label == artist)
        others = np.flatnonzero(label != artist)
        for start in range(0, len(own), step):
            queries = own[start : start + step]
            squares = _squares(points, lengths, queries)
            rivals, friends = squares[:, others], squares[:, own]
            if styles is not None:
                rivals[~share_a_style(styles[queries], styles[others])] = np.inf
            friends[queries[:, None] == own] = np.inf  # a work does not find itself
            searched = np.isfinite(rivals).any(axis=1)
            found.append(_ranked(np.sort(friends[searched], axis=1)[:, :-1], rivals[searched]))
    return RetrievalMetrics(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _squares(
    points: NDArray[np.float64], lengths: NDArray[np.float64], queries: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Squared distances to all points, (B, V), rounded so that what differs by float64's errors alone is equal.

    `lengths` (V,) are the points' own squares.
    """
    grid = np.ldexp(1.0, np.frexp(lengths.max())[1] - DIGITS)
    squares: NDArray[np.float64] = points[queries] @ points.T
    squares *= -2
    squares += lengths[queries, None]
    squares += lengths
    squares /= grid
    return np.rint(squares, out=squares)


def _ranked(friends: NDArray[np.float64], rivals: NDArray[np.float64]) -> RetrievalMetrics:
    """Of B queries, by squared distances: to their artist's R works, in order (B, R), and to the others' (B, M)."""
    wanted = friends.shape[1]
    nearest = np.sort(np.partition(rivals, wanted - 1, axis=1)[:, :wanted] if wanted < rivals.shape[1] else rivals)
    # How many others come before each; of more than R it is enough to know that.
    before = [np.searchsorted(row, own, side="right") for row, own in zip(nearest, friends, strict=True)]
    ahead = np.array(before, dtype=np.int64).reshape(friends.shape)
    place = np.arange(1, wanted + 1)
    rank = ahead + place
    precision = np.where(rank <= wanted, place / rank, 0.0)
    return RetrievalMetrics((ahead[:, 0] == 0).astype(np.float64), precision.mean(axis=1))
