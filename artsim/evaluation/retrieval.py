"""Retrieval metrics: precision@1 and MAP@R, for each work whose artist has another work.

R is the number of other works by the query's artist. Precision@1 is 1 if the nearest work is by the same artist. MAP@R
is the mean over the R nearest works of the precision at each rank with a work by the same artist, 0 at other ranks
(Musgrave, Belongie & Lim 2020, A Metric Learning Reality Check). At equal distances the other artists' works come
first. So a tower with one embedding for all works scores 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artsim.collection.styles import share_a_style

DISTANCE_BYTES = 2**26  # of distances at a time: bounds the memory
DIGITS = 40  # bits kept of the longest square; float32 embeddings carry 24, float64 computes with 53


RETRIEVAL_METRICS = ("precision_at_1", "map_at_r")


class RetrievalMetrics(NamedTuple):
    """Precision@1 and MAP@R of each of Q queries, (Q,) in 0..1, and the row of the query's work."""

    precision_at_1: NDArray[np.float64]
    map_at_r: NDArray[np.float64]
    query: NDArray[np.int64]


def retrieval_metrics(
    embeddings: NDArray[np.float32], artists: NDArray[Any], styles: NDArray[np.bool_] | None = None
) -> RetrievalMetrics:
    """The metrics of each work as a query, with all other works as the gallery.

    A query without works by other artists in its gallery is left out.

    Args:
        embeddings: (V, D); the Euclidean distance ranks them as `rms` does.
        artists: (V,) artist of each work.
        styles: (V, S) True for each style of a work. The gallery then holds only those works by other artists that
            share a style with the query. None: all of them.
    """
    points = embeddings.astype(np.float64)
    points -= points.sum(axis=0) / max(1, len(points))  # no distance changes, and smaller squares lose fewer digits
    lengths = np.square(points).sum(axis=1)
    _, label, works = np.unique(artists.astype(str), return_inverse=True, return_counts=True)
    step = max(1, DISTANCE_BYTES // max(1, 8 * len(points)))
    found = [RetrievalMetrics(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))]
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
            ranked = _ranked(np.sort(friends[searched], axis=1)[:, :-1], rivals[searched])
            found.append(RetrievalMetrics(*ranked, queries[searched]))
    return RetrievalMetrics(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _squares(
    points: NDArray[np.float64], lengths: NDArray[np.float64], queries: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Squared distances to all points, (B, V), rounded so that float64's errors do not split ties.

    `lengths` (V,) are the squared lengths of the points.
    """
    grid = np.ldexp(1.0, np.frexp(lengths.max())[1] - DIGITS)
    squares: NDArray[np.float64] = points[queries] @ points.T
    squares *= -2
    squares += lengths[queries, None]
    squares += lengths
    squares /= grid
    return np.rint(squares, out=squares)


def _ranked(
    friends: NDArray[np.float64], rivals: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Precision@1 and MAP@R, (B,) each, of B queries.

    They follow from squared distances: to their artist's R works in order (B, R), to the others' works (B, M).
    """
    wanted = friends.shape[1]
    nearest = np.sort(np.partition(rivals, wanted - 1, axis=1)[:, :wanted] if wanted < rivals.shape[1] else rivals)
    # How many others come before each. Numbers above R need not be exact.
    before = [np.searchsorted(row, own, side="right") for row, own in zip(nearest, friends, strict=True)]
    ahead = np.array(before, dtype=np.int64).reshape(friends.shape)
    place = np.arange(1, wanted + 1)
    rank = ahead + place
    precision = np.where(rank <= wanted, place / rank, 0.0)
    return (ahead[:, 0] == 0).astype(np.float64), precision.mean(axis=1)
