"""Confidence intervals of metrics: a bootstrap over paintings.

Pairs that share a painting are not independent. So paintings are resampled, not pairs: the weight of a pair is the
product of how often each of its two paintings was drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95


def auc_interval(
    distance: NDArray[np.float32],
    same: NDArray[np.uint8],
    image1: NDArray[np.int64],
    image2: NDArray[np.int64],
    resamples: int = 200,
    seed: int = 0,
) -> tuple[float, float]:
    """The central 95 % of the AUC over resamples of paintings; (nan, nan) if no resample has both kinds.

    Args:
        distance: (N,) of the pairs.
        same: (N,) 1 for the same artist.
        image1: (N,) number of each pair's first painting.
        image2: (N,) number of the second painting.
        resamples: number of resamples.
        seed: of the draws.
    """
    order = np.argsort(distance, kind="stable")
    _, tie = np.unique(distance[order], return_inverse=True)
    is_same = np.asarray(same, dtype=bool)[order]
    paintings, index = np.unique(np.stack([image1, image2])[:, order], return_inverse=True)
    first, second = index.reshape(2, -1)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples if len(distance) else 0):
        counts = np.bincount(rng.integers(len(paintings), size=len(paintings)), minlength=len(paintings))
        area = _weighted_auc(tie, is_same, (counts[first] * counts[second]).astype(np.float64))
        if area is not None:
            drawn.append(area)
    return _central(drawn)


def mean_interval(values: NDArray[np.float64], resamples: int = 200, seed: int = 0) -> tuple[float, float]:
    """The central 95 % of the mean of one value per query painting, (Q,); (nan, nan) without queries.

    For retrieval metrics. Only the queries are resampled, as a painting that occurs twice in the gallery would find
    itself.
    """
    rng = np.random.default_rng(seed)
    count = len(values)
    return _central([float(values[rng.integers(count, size=count)].mean()) for _ in range(resamples if count else 0)])


def _central(drawn: list[float]) -> tuple[float, float]:
    if not drawn:
        return float("nan"), float("nan")
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _weighted_auc(tie: NDArray[np.int64], same: NDArray[np.bool_], weight: NDArray[np.float64]) -> float | None:
    """AUC of weighted pairs, sorted by distance. `tie` (N,) numbers the different distances from 0, in rising order."""
    positive = np.bincount(tie, weights=weight * same)
    negative = np.bincount(tie, weights=weight * ~same)
    total = positive.sum() * negative.sum()
    if total == 0:
        return None
    farther = negative.sum() - np.cumsum(negative)
    return float(np.sum(positive * (farther + negative / 2)) / total)
