"""Calibration error, Brier skill and cross-fitting: by hand, against slow versions, in theory's cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss

from artsim.evaluation.calibration import calibrate, crossfitted
from artsim.evaluation.reliability import reliability
from artsim.scoring.scores import probabilities


def drawn(count: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Probabilities that are exactly true."""
    rng = np.random.default_rng(seed)
    probability = rng.random(count).astype(np.float32)
    return probability, (rng.random(count) < probability).astype(np.uint8)


@given(st.integers(1, 8), st.integers(0, 1000))
def test_calibration_error_is_that_of_bins_of_as_many_pairs(per_bin: int, seed: int) -> None:
    """With as many pairs of either kind and prior one half all weigh alike; the slow way sorts and cuts."""
    rng = np.random.default_rng(seed)
    count = 2 * 15 * per_bin
    probability = rng.permutation(np.linspace(0.01, 0.99, count)).astype(np.float32)
    same = rng.permutation(np.repeat(np.array([0, 1], dtype=np.uint8), count // 2))
    order = np.argsort(probability).reshape(15, -1)
    gaps = [abs(probability[bin_].mean(dtype=np.float64) - same[bin_].mean()) for bin_ in order]
    assert reliability(probability, same, 0.5)["calibration_error"] == pytest.approx(np.mean(gaps))


pairs = st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=2, max_size=40)


@given(pairs, st.floats(0.01, 0.99))
def test_brier_skill_is_scikit_learns_score_of_weighted_pairs_against_the_prior(
    rows: list[tuple[float, bool]], prior: float
) -> None:
    probability = np.array([row[0] for row in rows], dtype=np.float32)
    same = np.array([row[1] for row in rows], dtype=np.uint8)
    found = reliability(probability, same, prior)
    if same.min() == same.max():
        assert found == {}
        return
    weight = np.where(same == 1, prior / same.sum(), (1 - prior) / (same == 0).sum())
    scores = [
        brier_score_loss(same, answer, sample_weight=weight)
        for answer in (probability.astype(float), np.full(len(same), prior))
    ]
    assert found["brier_skill"] == pytest.approx(1 - scores[0] / scores[1])
    assert 0 <= found["calibration_error"] <= 1


@pytest.mark.parametrize("prior", [0.5, 0.01])
def test_the_prior_for_every_pair_is_calibrated_and_has_no_skill(prior: float) -> None:
    same = np.array([1] * 10 + [0] * 90, dtype=np.uint8)
    found = reliability(np.full(100, prior, dtype=np.float32), same, prior)
    assert found == pytest.approx({"calibration_error": 0.0, "brier_skill": 0.0}, abs=1e-6)


def test_knowing_all_is_perfect_and_the_reverse_is_as_wrong_as_can_be() -> None:
    same = np.array([1, 0, 0, 0], dtype=np.uint8)
    truth = same.astype(np.float32)
    assert reliability(truth, same, 0.5) == pytest.approx({"calibration_error": 0.0, "brier_skill": 1.0})
    assert reliability(1 - truth, same, 0.5) == pytest.approx({"calibration_error": 1.0, "brier_skill": -3.0})


def test_true_probabilities_have_little_error_and_bold_ones_much() -> None:
    probability, same = drawn(200_000)
    assert reliability(probability, same, 0.5)["calibration_error"] < 0.01
    # p is said, p² is true: the gap p - p² is 1/6 in the mean.
    rng = np.random.default_rng(1)
    squared = (rng.random(len(probability)) < probability**2).astype(np.uint8)
    assert reliability(probability, squared, float(squared.mean()))["calibration_error"] == pytest.approx(
        1 / 6, abs=0.01
    )


def test_how_many_there_are_of_each_kind_does_not_count() -> None:
    probability, same = drawn(200_000)
    kept = (same == 1) | (np.arange(len(same)) % 10 == 0)
    whole, thinned = (reliability(probability[rows], same[rows], 0.5) for rows in (slice(None), kept))
    assert thinned == pytest.approx(whole, abs=0.01)


def test_a_probability_shifted_to_a_rare_prior_is_true_there() -> None:
    """Calibrated at one half and shifted to 5 %: true of pairs weighted to 5 %, and badly wrong at one half."""
    rng = np.random.default_rng(0)
    same = (rng.random(100_000) < 0.5).astype(np.uint8)
    distance = (rng.normal(2.0, 0.5, len(same)) - same).astype(np.float32)
    probability = probabilities(distance, calibrate(distance, same).calibration, 0.05)
    assert reliability(probability, same, 0.05)["calibration_error"] < 0.01
    assert reliability(probability, same, 0.5)["calibration_error"] > 0.1


def of_artists(
    count: int, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of `count` artists with eight works each, whose embeddings are one number."""
    rng = np.random.default_rng(seed)
    artist = np.repeat(np.arange(count), 8)
    place = rng.normal(size=count)[artist] + rng.normal(scale=0.5, size=len(artist))
    first, second = np.triu_indices(len(artist), k=1)
    distance = np.abs(place[first] - place[second]).astype(np.float32)
    return distance, (artist[first] == artist[second]).astype(np.uint8), artist[first], artist[second]


@pytest.mark.parametrize("count", [4, 5, 9])
def test_crossfitting_answers_every_pair_and_knows_nothing_of_its_artists(count: int) -> None:
    distance, same, artist1, artist2 = of_artists(count)
    before = crossfitted(distance, same, artist1, artist2)
    assert np.isfinite(before).all()
    # Whatever becomes of other pairs of an artist, a pair of this artist is read as before.
    own = (artist1 == 0) | (artist2 == 0)
    rng = np.random.default_rng(1)
    moved = np.where(own & (rng.random(len(own)) < 0.5), distance + 3, distance).astype(np.float32)
    after = crossfitted(moved, same, artist1, artist2)
    unmoved = own & (moved == distance)
    np.testing.assert_array_equal(after[unmoved], before[unmoved])
    assert not np.array_equal(after[~own], before[~own])


@pytest.mark.parametrize("count", [2, 3])
def test_too_few_artists_to_crossfit_have_no_answer(count: int) -> None:
    distance, same, artist1, artist2 = of_artists(count)
    known = np.isfinite(crossfitted(distance, same, artist1, artist2))
    assert len(np.unique(same[known])) < 2


def by_chance(probability: NDArray[np.float32], same: NDArray[np.uint8], prior: float) -> float:
    return reliability(probability, same, prior, chance=True)["calibration_error_by_chance"]


@pytest.mark.parametrize("count", [100, 3000])
def test_the_error_by_chance_is_that_of_true_probabilities(count: int) -> None:
    probability, same = drawn(count)
    errors = []
    for seed in range(200):
        labels = np.random.default_rng(seed).random(count) < probability
        errors.append(reliability(probability, labels.astype(np.uint8), 0.5)["calibration_error"])
    assert by_chance(probability, same, 0.5) == pytest.approx(np.mean(errors), rel=0.1)


def test_the_error_by_chance_counts_the_few_pairs_that_weigh_most() -> None:
    """1 % of the pairs are by one artist and weigh one half: chance is that of so few pairs."""
    errors, found = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        same = (rng.random(20_000) < 0.01).astype(np.uint8)
        distance = rng.normal(2.0, 0.5, len(same)) - same
        probability = (1 / (1 + np.exp(-4 * (1.5 - distance)))).astype(np.float32)  # true at the prior one half
        errors.append(reliability(probability, same, 0.5)["calibration_error"])
        if seed < 5:
            found.append(by_chance(probability, same, 0.5))
    assert np.mean(found) == pytest.approx(np.mean(errors), rel=0.1)


def test_the_error_by_chance_falls_with_the_root_of_the_number_of_pairs() -> None:
    few, many = (by_chance(*drawn(count), 0.5) for count in (1_000, 100_000))
    assert few / many == pytest.approx(10, rel=0.15)


def test_the_error_by_chance_does_not_know_the_labels() -> None:
    """Bold probabilities are wrong by more than chance, and do not make chance larger."""
    probability, same = drawn(20_000)
    wrong = np.random.default_rng(1).permutation(same)
    found = reliability(probability, wrong, float(same.mean()), chance=True)
    assert found["calibration_error_by_chance"] == by_chance(probability, same, float(same.mean())) < 0.02
    assert found["calibration_error"] > 0.2


def test_certain_probabilities_leave_nothing_to_chance() -> None:
    same = np.array([1, 0, 0, 0], dtype=np.uint8)
    assert by_chance(same.astype(np.float32), same, 0.5) == 0


def test_the_error_by_chance_is_repeatable_and_given_only_where_asked() -> None:
    pairs = *drawn(500), 0.5
    assert by_chance(*pairs) == by_chance(*pairs)
    assert "calibration_error_by_chance" not in reliability(*pairs)
