"""From a distance to a probability and a decision: a logistic curve fitted on validation pairs."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from artsim.evaluation.likelihood_ratio import log_likelihood_ratio
from artsim.scoring.contract import Calibration, DecisionRule

FOLDS = 5  # as is usual in cross-validation; each calibration then leaves out at most two fifths of the artists
# scikit-learn's C, the inverse of the regularisation's strength. This weak one keeps the slope finite where the
# distances separate the pairs perfectly, and changes little elsewhere.
INVERSE_REGULARISATION = 1e3


def calibrate(distance: NDArray[np.float32], same: NDArray[np.uint8]) -> DecisionRule:
    """Fit the calibration for a prior of one half, and the threshold where the probability is one half.

    Both kinds of pair have the same total weight, whatever their numbers. If same-artist pairs are no closer than
    different-artist pairs, the probability is one half everywhere and the threshold is the median distance.

    Args:
        distance: (N,) of validation pairs.
        same: (N,) 1 for the same artist; both kinds must occur.
    """
    spread = float(distance.std())
    middle = float(np.median(distance))
    unknown = DecisionRule(Calibration(slope=0.0, intercept=0.0), middle)
    if spread == 0.0:
        return unknown
    # Standardised, so that the regularisation means the same for every tower.
    standard = (distance.astype(np.float64) - middle) / spread
    fit = LogisticRegression(C=INVERSE_REGULARISATION, class_weight="balanced").fit(standard[:, None], same)
    slope = float(fit.coef_[0, 0]) / spread
    if slope >= 0:
        return unknown
    intercept = float(fit.intercept_[0]) - slope * middle
    threshold = max(0.0, -intercept / slope)  # no distance is below 0
    return DecisionRule(Calibration(slope=slope, intercept=intercept), threshold)


def crossfitted(
    distance: NDArray[np.float32],
    same: NDArray[np.uint8],
    artist1: NDArray[Any],
    artist2: NDArray[Any],
    seed: int = 0,
) -> NDArray[np.float64]:
    """The logarithm of each pair's likelihood ratio by a calibration fitted without its artists, (N,).

    A calibration looks too good on the pairs it was fitted on. So the artists are split into folds, and the pairs
    between two folds get the calibration of the pairs that touch neither fold. The result is slightly pessimistic,
    as each calibration is fitted on fewer artists than the final one. The value is NaN where the remaining pairs are of
    one kind only, as with fewer than four artists.

    Args:
        distance: (N,) of the pairs.
        same: (N,) 1 for the same artist.
        artist1: (N,) artist of each pair's first painting.
        artist2: (N,) artist of the second painting.
        seed: of the split into folds.
    """
    names, index = np.unique(np.concatenate([artist1, artist2]).astype(str), return_inverse=True)
    folds = np.random.default_rng(seed).permutation(len(names)) % FOLDS
    low, high = np.sort(folds[index].reshape(2, -1), axis=0)
    log_ratio = np.full(len(distance), np.nan)
    for one, other in combinations_with_replacement(range(FOLDS), 2):
        held_out = (low == one) & (high == other)
        rest = ~np.isin(low, (one, other)) & ~np.isin(high, (one, other))
        if held_out.any() and len(np.unique(same[rest])) == 2:
            calibration = calibrate(distance[rest], same[rest]).calibration
            log_ratio[held_out] = log_likelihood_ratio(distance[held_out], calibration)
    return log_ratio
