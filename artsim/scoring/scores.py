"""Scores: a distance becomes a probability and a prediction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artsim.errors import UsageError
from artsim.scoring.contract import Calibration, Card, DistanceName
from artsim.scoring.distance import pair_distances

if TYPE_CHECKING:
    import pandas as pd

OK = "ok"


def words_of_pair(*statuses: str) -> str:
    """The status of a pair: `ok`, or the fault of each bad image, such as `image1: missing; image2: unreadable`."""
    faults = [f"image{number}: {word}" for number, word in enumerate(statuses, start=1) if word != OK]
    return "; ".join(faults) or OK


@dataclass(frozen=True)
class Pairs:
    """The names of the images of N pairs, None where there is no file, and the status of each pair."""

    image1: list[str | None]
    image2: list[str | None]
    status: list[str]


class _Score(NamedTuple):
    distance: float
    probability: float
    prediction: int | None


class Score(_Score):
    """The score of one pair, as plain numbers.

    `distance` is 0 or more, and smaller for paintings by the same artist. `probability` (0 to 1) is the probability
    that both are by the same artist. `prediction` is 1 if the distance is below the threshold, else 0. `status` is
    `ok`, or the fault of each bad image, such as `image2: missing`; then the others are NaN, NaN and None.

    >>> score = artsim.load("tower.onnx").score("a.jpg", "b.jpg")
    >>> distance, probability, prediction = score
    >>> score.prediction
    0
    >>> score.status
    'ok'
    """

    status: str = OK

    def __new__(cls, distance: float, probability: float, prediction: int | None, status: str = OK) -> Score:  # noqa: D102 - the class says it
        score = super().__new__(cls, distance, probability, prediction)
        score.status = status
        return score

    def __repr__(self) -> str:
        return super().__repr__() if self.status == OK else f"{super().__repr__()[:-1]}, status={self.status!r})"


class _Scores(NamedTuple):
    distance: NDArray[np.float32]
    probability: NDArray[np.float32]
    prediction: NDArray[np.int8]


class Scores(_Scores):
    """The scores of N pairs: one array (N,) for each field of `Score`.

    A pair with a bad image has the distance and the probability NaN, and its prediction is masked: `prediction` is then
    a masked array, and `prediction.tolist()` has None.

    >>> scores = artsim.load("tower.onnx").score(["a.jpg", "a.jpg"], ["a.jpg", "b.jpg"])
    >>> scores.distance.shape
    (2,)
    >>> scores.prediction
    array([1, 0], dtype=int8)
    """

    _pairs: Pairs | None = None

    def __new__(  # noqa: D102 - the class says it
        cls,
        distance: NDArray[np.float32],
        probability: NDArray[np.float32],
        prediction: NDArray[np.int8],
        pairs: Pairs | None = None,
    ) -> Scores:
        scores = super().__new__(cls, distance, probability, prediction)
        scores._pairs = pairs
        return scores

    @property
    def status(self) -> list[str]:
        """The status of each pair, as in `Score`."""
        return [OK] * len(self.distance) if self._pairs is None else self._pairs.status

    def of(self, pairs: Pairs) -> Scores:
        """The scores of pairs with these names and statuses. A pair with a bad image loses its score."""
        bad = np.array([status != OK for status in pairs.status], dtype=bool)
        if not bad.any():
            return Scores(self.distance, self.probability, self.prediction, pairs)
        distance, probability = (np.where(bad, np.float32(np.nan), each) for each in self[:2])
        prediction = np.ma.array(np.where(bad, np.int8(0), self.prediction), mask=bad)
        return Scores(distance, probability, prediction, pairs)

    def single(self) -> Score:
        """The score of the only pair."""
        (prediction,) = self.prediction.tolist()
        return Score(self.distance.item(), self.probability.item(), prediction, self.status[0])

    def to_frame(self) -> pd.DataFrame:
        """The scores as a table with the columns that `artsim-score` writes, a row for each pair.

        An image without a file, such as an array, has no name. `prediction` is of pandas' type Int8, so that it can be
        missing.

        >>> scores = artsim.load("tower.onnx").score("a.jpg", ["a.jpg", "b.jpg"])
        >>> scores.to_frame()[["image1", "image2", "prediction", "status"]]
          image1 image2  prediction status
        0  a.jpg  a.jpg           1     ok
        1  a.jpg  b.jpg           0     ok
        """
        import pandas as pd

        nameless: list[str | None] = [None] * len(self.distance)
        image1, image2 = (nameless, nameless) if self._pairs is None else (self._pairs.image1, self._pairs.image2)
        columns = {
            "image1": image1, "image2": image2, "distance": self.distance, "probability": self.probability,
            "prediction": pd.array(self.prediction.tolist(), dtype="Int8"), "status": self.status,
        }  # fmt: skip
        return pd.DataFrame(columns)


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

    def distance_at(self, probability: float) -> float:
        """The distance that has this probability of the same artist.

        Raises:
            UsageError: the probability is not between 0 and 1 (both excluded), or no distance has it.
        """
        if not 0 < probability < 1:
            raise UsageError(f"the probability is {probability}; give a number between 0 and 1, both excluded.")
        slope, start = self.calibration.slope, log_odds(np.zeros(1, np.float32), self.calibration, self.prior).item()
        if slope >= 0:
            raise UsageError("this tower's probabilities do not fall with the distance. Give a distance (--threshold).")
        return (_logit(probability) - start) / slope

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
