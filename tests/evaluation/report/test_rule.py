"""The rule of scores, read from the scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from artsim.evaluation.report.rule import read_rule
from artsim.scoring.contract import Card
from artsim.scoring.scores import Criterion
from artsim.tables.scores_file import ScoredPairs
from tests.evaluation.report.made_pairs import made_pairs
from tests.towers import adaptable_card, card


def scored_by(criterion: Criterion) -> ScoredPairs:
    pairs, _ = made_pairs()
    probability, prediction = criterion.probability(pairs.distance), criterion.prediction(pairs.distance)
    return replace(pairs, probability=probability, prediction=prediction.astype(np.uint8))


@pytest.mark.parametrize("prior", [0.5, 0.2, 0.01])
@pytest.mark.parametrize("adapted", [False, True])
def test_the_card_prior_and_threshold_are_recognised(prior: float, adapted: bool) -> None:
    tower: Card = adaptable_card()
    made_by = Criterion.of(tower, prior=prior, adapted=adapted)
    found = read_rule(scored_by(made_by), tower)
    assert (found.fits, found.adapted, found.is_prior_known) == (True, adapted, True)
    assert found.criterion.prior == pytest.approx(prior, rel=0.01)
    assert found.criterion.threshold == pytest.approx(made_by.threshold, abs=0.2)
    distance = np.linspace(0.1, 2, 9, dtype=np.float32)
    assert found.criterion.probability(distance) == pytest.approx(made_by.probability(distance), abs=1e-3)


def test_scores_of_another_tower_do_not_fit() -> None:
    other = Criterion.of(card(calibration=replace(card().calibration, slope=-5.0)))
    found = read_rule(scored_by(other), card())
    assert (found.fits, found.adapted, found.is_prior_known, found.criterion.prior) == (False, None, False, 0.5)


def test_the_threshold_separates_the_predictions_whatever_they_are() -> None:
    for threshold in (-1.0, 0.3, 0.987, 9.0):
        pairs = scored_by(Criterion.of(card(), threshold=threshold))
        found = read_rule(pairs, None).criterion
        assert np.array_equal(found.prediction(pairs.distance), pairs.prediction)


def test_equal_distances_do_not_tell_the_rule() -> None:
    pairs, _ = made_pairs()
    equal = replace(pairs, distance=np.ones_like(pairs.distance), probability=np.full_like(pairs.distance, 0.5))
    assert read_rule(equal, card()).fits is None


def test_what_the_summary_says_counts() -> None:
    found = read_rule(scored_by(Criterion.of(card())), None, threshold=0.123, prior=0.3)
    assert (found.criterion.threshold, found.criterion.prior, found.is_prior_known) == (0.123, 0.3, True)
