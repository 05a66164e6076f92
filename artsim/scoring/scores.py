"""Scores: a distance becomes a probability and a prediction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from artsim.errors import UsageError
from artsim.scoring.contract import Calibration, Card, DistanceName
from artsim.scoring.distance import pair_distances


class Score(NamedTuple):
    """The score of one pair, as plain numbers.

    `distance` is 0 or more, and smaller for paintings by the same artist. `probability` (0 to 1) is the probability
    that both are by the same artist. `prediction` is 1 if the distance is below the threshold, else 0.

    >>> score = artsim.load("tower.onnx").score("a.jpg", "b.jpg")
    >>> distance, probability, prediction = score
    >>> score.prediction
    0
    """

    distance: float
    probability: float
    prediction: int


class Scores(NamedTuple):
    """The scores of N pairs: one array (N,) for each field of `Score`.

    >>> scores = artsim.load("tower.onnx").score(["a.jpg", "a.jpg"], ["a.jpg", "b.jpg"])
    >>> scores.distance.shape
    (2,)
    >>> scores.prediction
    array([1, 0], dtype=int8)
    """

    distance: NDArray[np.float32]
    probability: NDArray[np.float32]
    prediction: NDArray[np.int8]


@dataclass(frozen=True)
class Criterion:
    """The rule that turns distances into scores: the card's rule, or one with the user's threshold or prior.

    Raises:
        UsageError: the prior is not between 0 and 1 (both excluded), or the threshold is not finite.
    """

    distance: DistanceName
    threshold: float
    calibration: Calibration
    prior: float

    def __post_init__(self) -> None:
        if not 0 < self.prior < 1:
            raise UsageError(f"the prior is {self.prior}; give a number between 0 and 1, both excluded.")
        if not math.isfinite(self.threshold):
            raise UsageError(f"the threshold is {self.threshold}; give a finite number.")

    @classmethod
    def of(
        cls, card: Card, threshold: float | None = None, prior: float | None = None, *, adapted: bool = False
    ) -> Criterion:
        """Take the card's rule, for adapted distances if so, and replace its threshold or prior if one is given."""
        rule = card.cohort if adapted and card.cohort is not None else card
        return cls(
            distance=card.distance,
            threshold=rule.threshold if threshold is None else threshold,
            calibration=rule.calibration,
            prior=rule.calibration.prior if prior is None else prior,
        )

    def scores(
        self,
        embeddings: NDArray[np.float32],
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        factor: NDArray[np.float32] | None = None,
    ) -> Scores:
        """Score N pairs, given as rows `first` (N,) and `second` (N,) of the embeddings (M, D).

        `factor` (M,) comes from a cohort.
        """
        distance = pair_distances(embeddings, first, second, self.distance, factor)
        return Scores(distance, self.probability(distance), self.prediction(distance))

    def probability(self, distance: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return P(same artist), float32 (N,)."""
        return probabilities(distance, self.calibration, self.prior)

    def log10_lr(self, distance: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the base-10 logarithm of the likelihood ratio, float32 (N,). It does not depend on the prior."""
        even_odds = log_odds(distance, self.calibration, prior=0.5)
        return (even_odds / math.log(10)).astype(np.float32)

    def prediction(self, distance: NDArray[np.float32]) -> NDArray[np.int8]:
        """Return 1 where the distance is below the threshold, else 0; int8 (N,)."""
        return (distance < self.threshold).astype(np.int8)


def probabilities(distance: NDArray[np.float32], calibration: Calibration, prior: float) -> NDArray[np.float32]:
    """Return sigmoid(log-odds), float32 (N,)."""
    return np.exp(-np.logaddexp(0.0, -log_odds(distance, calibration, prior))).astype(np.float32)


def log_odds(distance: NDArray[np.float32], calibration: Calibration, prior: float) -> NDArray[np.float64]:
    """Return the log-odds of the same artist, float64 (N,).

    They are slope · d + intercept + logit(prior) - logit(the calibration's prior).
    """
    shift = _logit(prior) - _logit(calibration.prior)
    odds: NDArray[np.float64] = calibration.slope * distance.astype(np.float64) + (calibration.intercept + shift)
    return odds


def _logit(share: float) -> float:
    return math.log(share) - math.log1p(-share)
