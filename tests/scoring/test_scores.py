"""From distance to probability and prediction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.errors import UsageError
from artsim.scoring.contract import Calibration
from artsim.scoring.scores import Criterion
from tests.towers import card


def probability(distance: float, prior: float | None = None) -> float:
    return float(Criterion.of(card(), prior=prior).probability(np.array([distance], dtype=np.float32))[0])


def test_the_probability_is_the_calibrations_sigmoid() -> None:
    assert probability(0.25) == pytest.approx(0.5)  # slope -8, intercept 2
    assert probability(0.5) == pytest.approx(1 / (1 + math.exp(2)))


def test_far_distances_do_not_overflow() -> None:
    assert probability(1e30) == 0
    assert Criterion.of(card(calibration=Calibration(8.0, 0.0))).probability(np.array([1e30], np.float32)) == 1


@given(prior=st.floats(0.001, 0.999), distance=st.floats(0, 1, width=32))
def test_a_prior_shifts_the_odds_by_its_own(prior: float, distance: float) -> None:
    even = 1 / (1 + math.exp(8 * distance - 2))
    wanted = even * prior / (even * prior + (1 - even) * (1 - prior))
    assert probability(distance, prior) == pytest.approx(wanted, rel=1e-5)


def test_a_cards_own_prior_changes_nothing() -> None:
    rare = card(calibration=Calibration(slope=-8.0, intercept=2.0, prior=0.1))
    distance = np.array([0.25], dtype=np.float32)
    assert Criterion.of(rare).probability(distance) == pytest.approx(0.5)
    assert Criterion.of(rare, prior=0.1).probability(distance) == pytest.approx(0.5)


@given(
    st.floats(-10, -0.1), st.floats(-10, 10), st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0, 3, width=32)
)
def test_the_likelihood_ratio_is_the_odds_at_a_prior_of_one_half(
    slope: float, intercept: float, own_prior: float, prior: float, distance: float
) -> None:
    """Whatever the prior of the calibration, and whatever prior the user sets."""
    rule = card(calibration=Calibration(slope, intercept, own_prior))
    distances = np.array([distance], dtype=np.float32)
    found = Criterion.of(rule, prior=prior).log10_lr(distances)
    assert found.dtype == np.float32
    wanted = Criterion.of(rule, prior=0.5).probability(distances)[0]
    assert 1 / (1 + 10.0 ** -float(found[0])) == pytest.approx(wanted, rel=1e-4)


def test_the_prediction_is_1_below_the_threshold_only() -> None:
    distance = np.array([0.0, 0.5, 0.75], dtype=np.float32)
    assert Criterion.of(card(), threshold=0.5).prediction(distance).tolist() == [1, 0, 0]
    assert Criterion.of(card(threshold=0.6)).prediction(distance).tolist() == [1, 1, 0]


@pytest.mark.parametrize("prior", [0.0, 1.0, -1.0, 2.0, float("nan")])
def test_a_prior_outside_of_0_to_1_is_refused(prior: float) -> None:
    with pytest.raises(UsageError, match="prior"):
        Criterion.of(card(), prior=prior)


@pytest.mark.parametrize("threshold", [float("nan"), float("inf")])
def test_a_threshold_is_a_number(threshold: float) -> None:
    with pytest.raises(UsageError, match="threshold"):
        Criterion.of(card(), threshold=threshold)
