"""From a distance to a probability and a yes or no: a logistic curve fitted on validation pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from artsim.scoring.contract import Calibration


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
