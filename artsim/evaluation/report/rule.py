"""The rule by which scores were made, read from the scores: the calibration, the prior, the threshold.

A file of scores does not name its tower. But its probabilities are the logistic curve of its distances. So the curve
can be read from the file, and compared with that of a card: with the rule for plain or for adapted distances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from artsim.scoring.contract import Calibration, Card, DecisionRule
from artsim.scoring.scores import Criterion
from artsim.tables.scores_file import ScoredPairs

MOST_ROWS = 20_000  # which give the curve
SATURATED = 1e-3  # nearer to 0 or 1, float32 says little about the log-odds
TOLERANCE = 2e-3  # relative, of the slope
ASSUMED_PRIOR = 0.5


@dataclass(frozen=True)
class ReadRule:
    """The rule of some scores.

    Attributes:
        criterion: of the scores.
        adapted: whether distances are adapted to a cohort; None: not known.
        is_prior_known: False: the prior is ASSUMED_PRIOR.
        fits: whether the card's rule gives these scores; None: no card, or the scores do not tell.
    """

    criterion: Criterion
    adapted: bool | None
    is_prior_known: bool
    fits: bool | None


def read_rule(
    pairs: ScoredPairs, card: Card | None, threshold: float | None = None, prior: float | None = None
) -> ReadRule:
    """Read the rule of scores; a threshold and a prior that are known are taken as they are."""
    line = _line(pairs)
    rules = _rules(card)
    matching = [is_adapted for is_adapted, rule in rules.items() if line and _is_close(line[0], rule.calibration.slope)]
    adapted = matching[0] if matching else None
    known_prior = prior
    if adapted is not None and line is not None and known_prior is None:
        known_prior = _prior(line[1], rules[adapted].calibration)
    used_prior = ASSUMED_PRIOR if known_prior is None else known_prior
    calibration = Calibration(*line, prior=used_prior) if line else Calibration(0.0, 0.0, used_prior)
    if threshold is None:
        threshold = _threshold(pairs, [rule.threshold for rule in rules.values()])
    criterion = Criterion("euclidean" if card is None else card.distance, threshold, calibration, used_prior)
    return ReadRule(criterion, adapted, known_prior is not None, bool(matching) if card and line else None)


def _rules(card: Card | None) -> dict[bool, DecisionRule]:
    """The card's rules, by whether they are for adapted distances."""
    if card is None:
        return {}
    rules = {False: DecisionRule(card.calibration, card.threshold)}
    if card.cohort is not None:
        rules[True] = DecisionRule(card.cohort.calibration, card.cohort.threshold)
    return rules


def _line(pairs: ScoredPairs) -> tuple[float, float] | None:
    """Slope and intercept of the log-odds over the distance; None if there are not two distances to tell them by."""
    usable = pairs.scored & (pairs.probability > SATURATED) & (pairs.probability < 1 - SATURATED)
    rows = np.flatnonzero(usable)
    rows = rows[:: max(1, len(rows) // MOST_ROWS)]
    distance, probability = pairs.distance[rows].astype(np.float64), pairs.probability[rows].astype(np.float64)
    if len(rows) < 2 or np.ptp(distance) < 1e-6 * max(1.0, float(distance.max())):
        return None
    slope, intercept = np.polyfit(distance, np.log(probability) - np.log1p(-probability), 1)
    return float(slope), float(intercept)


def _is_close(slope: float, expected: float) -> bool:
    return math.isclose(slope, expected, rel_tol=TOLERANCE, abs_tol=1e-6)


def _prior(intercept: float, calibration: Calibration) -> float:
    """The prior that moves a calibration's intercept to the one that was read."""
    shift = intercept - calibration.intercept + math.log(calibration.prior) - math.log1p(-calibration.prior)
    prior = 1 / (1 + math.exp(-shift))
    return round(prior, 4) if 1e-3 < prior < 1 - 1e-3 else prior


def _threshold(pairs: ScoredPairs, usual: list[float]) -> float:
    """The threshold between the predictions: a usual one that lies there, else the middle."""
    accepted = pairs.distance[pairs.scored & (pairs.prediction == 1)]
    rejected = pairs.distance[pairs.scored & (pairs.prediction == 0)]
    high = float(rejected.min()) if len(rejected) else math.inf
    if not len(accepted):
        return high if math.isfinite(high) else 0.0
    low = float(accepted.max())
    for threshold in usual:
        if low < threshold <= high:
            return threshold
    above = float(np.nextafter(accepted.max(), np.float32(np.inf)))  # distances are compared as float32
    return max(above, float(np.float32((low + high) / 2))) if math.isfinite(high) else above
