"""A distance becomes a probability and a prediction."""

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
    """The score of one pair.

    `distance` is smaller for paintings by the same artist. `probability`, 0 to 1, is that of the same artist.
    `prediction` is 1 where the distance is below the threshold, else 0.
    """

    distance: float
    probability: float
    prediction: int


class Scores(NamedTuple):
    """The scores of N pairs: arrays (N,) with the fields of Score."""

    distance: NDArray[np.float32]
    probability: NDArray[np.float32]
    prediction: NDArray[np.int8]


@dataclass(frozen=True)
class Criterion:
    """How embeddings are judged: as the tower's card says, or by a user's threshold and prior.

    Raises:
        UsageError: a prior outside of 0..1, both excluded, or a threshold that is not a number.
    """

    distance: DistanceName
    threshold: float
    calibration: Calibration
    prior: float

    def __post_init__(self) -> None:
        if not 0 < self.prior < 1:
            raise UsageError(f"a prior is between 0 and 1, both excluded, not {self.prior}.")
        if not math.isfinite(self.threshold):
            raise UsageError(f"a threshold is a number, not {self.threshold}.")

    @classmethod
    def of(cls, card: Card, threshold: float | None = None, prior: float | None = None) -> Criterion:
        """The card's, with what is given in place of its own."""
        return cls(
            distance=card.distance,
            threshold=card.threshold if threshold is None else threshold,
            calibration=card.calibration,
            prior=card.calibration.prior if prior is None else prior,
        )

    def scores(self, embeddings: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64]) -> Scores:
        """Score N pairs of the rows `first` (N,) and `second` (N,) of the embeddings (M, D)."""
        distance = pair_distances(embeddings, first, second, self.distance)
        return Scores(distance, self.probability(distance), self.prediction(distance))

    def probability(self, distance: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of the same artist, float32 (N,), where `prior` of the pairs are."""
        return probabilities(distance, self.calibration, self.prior)

    def prediction(self, distance: NDArray[np.float32]) -> NDArray[np.int8]:
        """1 where the distance is below the threshold, else 0; int8 (N,)."""
        return (distance < self.threshold).astype(np.int8)


def probabilities(distance: NDArray[np.float32], calibration: Calibration, prior: float) -> NDArray[np.float32]:
    """sigmoid(log-odds), float32 (N,)."""
    return np.exp(-np.logaddexp(0.0, -log_odds(distance, calibration, prior))).astype(np.float32)


def log_odds(distance: NDArray[np.float32], calibration: Calibration, prior: float) -> NDArray[np.float64]:
    """Of the same artist: slope · d + intercept + logit(prior) - logit(the calibration's prior), float64 (N,)."""
    shift = _logit(prior) - _logit(calibration.prior)
    odds: NDArray[np.float64] = calibration.slope * distance.astype(np.float64) + (calibration.intercept + shift)
    return odds


def _logit(share: float) -> float:
    return math.log(share) - math.log1p(-share)
