"""Whether a probability means what it says: calibration error and Brier skill, of pairs weighted to a prior.

Probabilities are of the same artist, float32 (N,), made for a collection where `prior` of the pairs are the same.
Pairs are weighted so that just that share of them is, however many there are of each kind.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artsim.evaluation.value_counts import steps

BINS = 15


def reliability(probability: NDArray[np.float32], same: NDArray[np.uint8], prior: float) -> dict[str, float]:
    """`calibration_error` and `brier_skill` of (N,) pairs; none, where only one kind of pair is there.

    `calibration_error` is the mean gap between probability and truth over 15 bins of equal weight (Naeini et al. 2015,
    Obtaining Well Calibrated Probabilities Using Bayesian Binning): 0 at best. Equal probabilities share a bin.
    `brier_skill` is the share of the squared error that is saved against always answering the prior (Brier 1950):
    1 at best, 0 for the prior itself, below 0 for probabilities that are worse than none.
    """
    count = len(same) - np.count_nonzero(same), np.count_nonzero(same)
    if 0 in count:
        return {}
    weights = prior / count[1], (1 - prior) / count[0]
    error, weight_before, gaps = 0.0, 0.0, np.zeros(BINS)
    for piece in steps(probability, same):
        value = piece.value.astype(np.float64)
        positive, negative = piece.same * weights[0], piece.different * weights[1]
        weight = positive + negative
        error += float(np.sum(positive * (1 - value) ** 2 + negative * value**2))
        middle = weight_before + np.cumsum(weight) - weight / 2
        bins = np.minimum((middle * BINS).astype(np.int64), BINS - 1)
        gaps += np.bincount(bins, weights=weight * value - positive, minlength=BINS)
        weight_before += float(weight.sum())
    return {
        "calibration_error": float(np.abs(gaps).sum()),
        "brier_skill": 1 - error / (prior * (1 - prior)),
    }
