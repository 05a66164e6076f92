"""Cllr and its least value: by hand, against scikit-learn's isotonic regression, in theory's cases."""

from __future__ import annotations

import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from artsim.evaluation import value_counts
from artsim.evaluation.calibration import calibrate
from artsim.evaluation.likelihood_ratio import cllr, log_likelihood_ratio
from artsim.evaluation.metrics import pair_metrics
from artsim.scoring.contract import Calibration
from artsim.scoring.scores import probabilities


def cost(ratio: list[float], same: list[int]) -> float:
    return cllr([(np.log(ratio), np.array(same, dtype=np.uint8))])["cllr"]


def normal(count: int, gap: float = 1.0) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Distances of different pairs are normal around 2, of same ones `gap` below."""
    rng = np.random.default_rng(0)
    same = (rng.random(count) < 0.3).astype(np.uint8)
    return (rng.normal(2.0, 0.5, count) - gap * same).astype(np.float32), same


def test_cllr_by_hand() -> None:
    # A ratio of 3 costs log2(1 + 1/3) for the same artist. For two, 1 costs one bit and 1/7 costs log2(8/7).
    expected = (math.log2(4 / 3) + (1 + math.log2(8 / 7)) / 2) / 2
    assert cost([3, 1, 1 / 7], [1, 0, 0]) == pytest.approx(expected)


def test_a_ratio_of_one_costs_one_bit_and_a_wrong_certainty_as_many_as_it_claims() -> None:
    assert cost([1, 1, 1], [1, 0, 0]) == pytest.approx(1)
    assert cost([2.0**-100, 2.0**100], [1, 0]) == pytest.approx(100)
    assert cost([2.0**100, 2.0**-100], [1, 0]) == pytest.approx(0)


def test_pairs_of_one_kind_have_no_cllr() -> None:
    assert cllr([(np.zeros(3), np.ones(3, dtype=np.uint8))]) == cllr([]) == {}


def test_how_pairs_are_cut_into_pieces_does_not_show() -> None:
    distance, same = normal(1000)
    ratio = log_likelihood_ratio(distance, Calibration(-4.0, 6.0))
    pieces = zip(np.array_split(ratio, 7), np.array_split(same, 7), strict=True)
    assert cllr(pieces) == pytest.approx(cllr([(ratio, same)]))


@pytest.mark.parametrize("prior", [0.5, 0.01])
def test_the_ratio_is_posterior_odds_over_prior_odds_whatever_the_prior(prior: float) -> None:
    calibration = Calibration(-2.0, 1.0, prior=0.2)
    distance = np.array([0.0, 0.5, 3.0], dtype=np.float32)
    posterior = probabilities(distance, calibration, prior).astype(np.float64)
    expected = np.log(posterior / (1 - posterior)) - math.log(prior / (1 - prior))
    np.testing.assert_allclose(log_likelihood_ratio(distance, calibration), expected, rtol=1e-5)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=2, max_size=80),
    st.integers(1, 9),
)
def test_the_least_cllr_is_that_of_isotonic_regression_however_it_is_cut(
    rows: list[tuple[int, bool]], piece: int
) -> None:
    distance = np.array([row[0] for row in rows], dtype=np.float32)
    same = np.array([row[1] for row in rows], dtype=np.uint8)
    if same.min() == same.max():
        return
    with mock.patch.object(value_counts, "PIECE", piece):
        found = pair_metrics(distance, same, 0.5)["cllr_min"]
    weight = np.where(same == 1, 0.5 / same.sum(), 0.5 / (same == 0).sum())
    exact = distance.astype(np.float64)  # scikit-learn computes in the precision it is given
    fit = IsotonicRegression(increasing=False).fit(exact, same, sample_weight=weight)
    probability = np.clip(fit.predict(exact), 1e-15, 1 - 1e-15)
    expected = cllr([(np.log(probability / (1 - probability)), same)])["cllr"]
    assert found == pytest.approx(expected, abs=1e-9)


def test_pieces_of_many_different_distances_give_the_same_least_cllr() -> None:
    distance, same = normal(20_000)
    whole = pair_metrics(distance, same, 0.5)["cllr_min"]
    with mock.patch.object(value_counts, "PIECE", 64):
        assert pair_metrics(distance, same, 0.5)["cllr_min"] == pytest.approx(whole, abs=1e-12)


def test_a_good_calibration_comes_close_to_the_least_cllr_and_a_bad_one_does_not() -> None:
    distance, same = normal(100_000)
    least = pair_metrics(distance, same, 0.5)["cllr_min"]
    calibration = calibrate(distance, same).calibration
    bold = Calibration(4 * calibration.slope, 4 * calibration.intercept)
    fitted, exaggerated = (cllr([(log_likelihood_ratio(distance, each), same)])["cllr"] for each in (calibration, bold))
    # The log-likelihood ratio of two normals of spread s and gap g has the means ±(g/s)²/2 and the spread g/s.
    ratio = np.random.default_rng(1).normal(2.0, 2.0, 1_000_000)
    theory = float(np.mean(np.log2(1 + np.exp(-ratio))))
    assert least <= fitted == pytest.approx(theory, abs=0.01)
    assert fitted - least < 0.01
    assert exaggerated > fitted + 0.2


def test_distances_that_separate_all_cost_nothing_and_equal_or_reversed_ones_one_bit() -> None:
    same = np.array([1, 1, 0, 0], dtype=np.uint8)
    for distance, expected in (([1, 2, 3, 4], 0.0), ([5, 5, 5, 5], 1.0), ([4, 3, 2, 1], 1.0)):
        assert pair_metrics(np.array(distance, np.float32), same, 0.5)["cllr_min"] == pytest.approx(expected)
