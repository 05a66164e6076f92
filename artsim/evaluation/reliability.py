"""How well probabilities agree with the truth: calibration error and Brier skill, of pairs weighted to a prior.

Probabilities are those of the same artist, float32 (N,), for a collection where the share `prior` of the pairs is by
the same artist. Pairs are weighted so that their share is the prior, whatever their numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artsim.evaluation.value_counts import value_counts

BINS = 15  # the number in the papers that report this error, from Guo et al. 2017 on


def reliability(probability: NDArray[np.float32], same: NDArray[np.uint8], prior: float) -> dict[str, float]:
    """`calibration_error` and `brier_skill` of (N,) pairs; empty if all pairs are of one kind.

    `calibration_error` is the mean gap between probability and truth over 15 bins of equal weight (Naeini et al. 2015,
    Obtaining Well Calibrated Probabilities Using Bayesian Binning). The best value is 0. Equal probabilities share a
    bin. `brier_skill` compares the squared error with that of always answering the prior (Brier 1950). It is 1 at
    best, 0 for the prior itself, and negative for probabilities that are worse than the prior.
    """
    count = len(same) - np.count_nonzero(same), np.count_nonzero(same)
    if 0 in count:
        return {}
    weights = prior / count[1], (1 - prior) / count[0]
    error, weight_before, gaps = 0.0, 0.0, np.zeros(BINS)
    for piece in value_counts(probability, same):
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
