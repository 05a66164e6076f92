"""Clusters: works that are probably by one artist, found without labels.

Average linkage (UPGMA, SciPy) joins works from the bottom up. Two clusters are joined as long as the mean distance of
their pairs is at most the cut. Log-odds are linear in the distance, so the mean distance is that of the mean log-odds.
benchmarks/clusters.py compares it with other methods and cuts.

Memory is 16 bytes a pair of works: MOST_WORKS works take half a gigabyte.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artsim.scoring.contract import DistanceName
from artsim.scoring.distance import pair_distances

MOST_WORKS = 8_000
ALONE = -1
CUT_PROBABILITY = 0.95  # benchmarks/clusters.py
BLOCK_PAIRS = 4_000_000  # whose distances are computed at once, 64 MB of row numbers

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """The clusters of N works, the largest first, then the surest.

    Attributes:
        number: (N,) the cluster of each work, from 0; ALONE without one.
        works: (K,) the number of works of each cluster, 2 or more.
        distance: (K,) the mean distance of each cluster's pairs.
        own_distance: (N,) the mean distance of a work to the others of its cluster; NaN for works alone.
    """

    number: Rows
    works: Rows
    distance: Floats
    own_distance: Floats

    @property
    def alone(self) -> int:
        """The number of works without a cluster."""
        return int(np.count_nonzero(self.number == ALONE))


def find_clusters(vectors: Floats, factor: Floats | None, name: DistanceName, cut: float) -> Clusters:
    """Cluster works.

    Args:
        vectors: (N, D) their embeddings, adapted if there is a cohort; N is at most MOST_WORKS.
        factor: (N,) of their distances; None: 1.
        name: the kind of distance.
        cut: the largest mean distance at which clusters are joined.
    """
    count = len(vectors)
    if count < 2:
        return _ordered(np.zeros(count, dtype=np.int64), vectors, factor, name)
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(_condensed(vectors, factor, name), "average")
    return _ordered(fcluster(tree, cut, "distance").astype(np.int64), vectors, factor, name)


def copies_of(clusters: Clusters, vectors: Floats, name: DistanceName, copy_distance: float) -> list[int | None]:
    """For each of N works, the first work of its cluster that it is a copy of; None without one.

    Args:
        clusters: of the works.
        vectors: (N, D) their embeddings, not adapted.
        name: the kind of distance.
        copy_distance: embeddings that are closer are of one photograph.
    """
    found: list[int | None] = [None] * len(vectors)
    for members in members_of(clusters):
        for place, row in enumerate(members[1:], start=1):
            near = pair_distances(vectors, np.full(place, row), members[:place], name) < copy_distance
            if near.any():
                found[row] = int(members[np.argmax(near)])
    return found


def members_of(clusters: Clusters) -> list[Rows]:
    """The rows of each cluster's works, in the order of the works."""
    order = np.argsort(clusters.number, kind="stable")[clusters.alone :]  # works alone come first
    return np.split(order, np.cumsum(clusters.works)[:-1]) if len(order) else []


def _condensed(vectors: Floats, factor: Floats | None, name: DistanceName) -> NDArray[np.float64]:
    """The distances of all pairs, float64 (N (N - 1) / 2,), in SciPy's order: row by row of the upper triangle."""
    count = len(vectors)
    distance = np.empty(count * (count - 1) // 2)
    step = max(1, BLOCK_PAIRS // count)
    done = 0
    for start in range(0, count - 1, step):
        rows = np.arange(start, min(start + step, count - 1))
        first = np.repeat(rows, count - 1 - rows)
        second = np.concatenate([np.arange(row + 1, count) for row in rows])
        distance[done : done + len(first)] = pair_distances(vectors, first, second, name, factor)
        done += len(first)
    return distance


def _ordered(label: Rows, vectors: Floats, factor: Floats | None, name: DistanceName) -> Clusters:
    """Number the clusters by size, then by mean distance, then by their first work."""
    _, first, label, sizes = np.unique(label, return_index=True, return_inverse=True, return_counts=True)
    own = np.full(len(label), np.nan, dtype=np.float32)
    mean = np.full(len(sizes), np.nan)
    for each in np.flatnonzero(sizes > 1):
        members = np.flatnonzero(label == each)
        own[members] = _mean_distances(members, vectors, factor, name)
        mean[each] = own[members].mean(dtype=np.float64)
    kept = np.flatnonzero(sizes > 1)
    kept = kept[np.lexsort((first[kept], mean[kept], -sizes[kept]))]
    place = np.full(len(sizes), ALONE, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    return Clusters(place[label], sizes[kept], mean[kept].astype(np.float32), own)


def _mean_distances(members: Rows, vectors: Floats, factor: Floats | None, name: DistanceName) -> Floats:
    """The mean distance of each of K works to the others, (K,)."""
    means = np.empty(len(members), dtype=np.float32)
    for place, row in enumerate(members):
        others = np.delete(members, place)
        means[place] = pair_distances(vectors, np.full(len(others), row), others, name, factor).mean(dtype=np.float64)
    return means
