"""From a distance to a probability and a yes or no: a logistic curve fitted on validation pairs."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from artsim.scoring.contract import Calibration
from artsim.scoring.scores import probabilities

FOLDS = 5


def calibrate(distance: NDArray[np.float32], same: NDArray[np.uint8]) -> tuple[Calibration, float]:
    """The calibration for as many same as different pairs, and the threshold where it says one half.

    Both kinds count alike however many there are of each. A tower that puts same-artist pairs no nearer than
    others knows nothing: its probability is one half everywhere, its threshold the middle distance.

    Args:
        distance: (N,) of validation pairs.
        same: (N,) 1 for the same artist; both kinds must occur.
    """
    spread = float(distance.std())
    middle = float(np.median(distance))
    if spread == 0.0:
        return Calibration(slope=0.0, intercept=0.0), middle
    # Standardised, so that the mild regularisation means the same for every tower.
    standard = (distance.astype(np.float64) - middle) / spread
    fit = LogisticRegression(C=1e3, class_weight="balanced").fit(standard[:, None], same)
    slope = float(fit.coef_[0, 0]) / spread
    if slope >= 0:
        return Calibration(slope=0.0, intercept=0.0), middle
    intercept = float(fit.intercept_[0]) - slope * middle
    return Calibration(slope=slope, intercept=intercept), -intercept / slope


def crossfitted(
    distance: NDArray[np.float32],
    same: NDArray[np.uint8],
    artist1: NDArray[Any],
    artist2: NDArray[Any],
    seed: int = 0,
) -> NDArray[np.float32]:
    """The probability of each pair by a calibration that saw neither of its artists, float32 (N,).

    A calibration looks better than it is on the pairs it was fitted on. So the artists are dealt into folds, and the
    pairs of each two folds are read by a calibration of the pairs that touch neither. That is a little harsher than
    the truth, as each is fitted on fewer artists than the final one. NaN where the pairs left are of one kind only,
    as with fewer than four artists: there is no honest answer then.

    Args:
        distance: (N,) of the pairs.
        same: (N,) 1 for the same artist.
        artist1: (N,) who made each pair's first painting.
        artist2: (N,) who made the second one.
        seed: of the deal.
    """
    names, index = np.unique(np.concatenate([artist1, artist2]).astype(str), return_inverse=True)
    folds = np.random.default_rng(seed).permutation(len(names)) % FOLDS
    low, high = np.sort(folds[index].reshape(2, -1), axis=0)
    found = np.full(len(distance), np.nan, dtype=np.float32)
    for one, other in combinations_with_replacement(range(FOLDS), 2):
        asked = (low == one) & (high == other)
        rest = ~np.isin(low, (one, other)) & ~np.isin(high, (one, other))
        if asked.any() and len(np.unique(same[rest])) == 2:
            calibration, _ = calibrate(distance[rest], same[rest])
            found[asked] = probabilities(distance[asked], calibration, calibration.prior)
    return found
