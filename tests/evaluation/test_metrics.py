from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, average_precision_score, recall_score, roc_auc_score, roc_curve

from artsim.evaluation import value_counts
from artsim.evaluation.calibration import calibrate
from artsim.evaluation.intervals import auc_interval, weighted_auc
from artsim.evaluation.metrics import pair_metrics
from artsim.scoring.contract import Calibration

Drawn = tuple[NDArray[np.float32], NDArray[np.uint8]]


def pairs(count: int = 4000, gap: float = 1.0, share: float = 0.5, seed: int = 0) -> Drawn:
    """Distances of different pairs are normal around 2, of same ones `gap` below."""
    rng = np.random.default_rng(seed)
    same = (rng.random(count) < share).astype(np.uint8)
    return (rng.normal(2.0, 0.5, count) - gap * same).astype(np.float32), same


def test_a_perfect_tower_has_perfect_metrics() -> None:
    distance = np.array([0.1, 0.2, 0.8, 0.9], dtype=np.float32)
    found = pair_metrics(distance, np.array([1, 1, 0, 0], dtype=np.uint8), threshold=0.5)
    assert found == {
        "auc": 1.0,
        "average_precision": 1.0,
        "eer": 0.0,
        "tar_at_far_1pct": 1.0,
        "tar_at_far_10pct": 1.0,
        "cllr_min": 0.0,
        "balanced_accuracy": 1.0,
        "accuracy": 1.0,
    }


def test_metrics_of_four_pairs_by_hand() -> None:
    distance = np.array([0.1, 0.6, 0.3, 0.9], dtype=np.float32)
    found = pair_metrics(distance, np.array([1, 1, 0, 0], dtype=np.uint8), threshold=0.2)
    # Of the four (same, different) couples three are in order; nearest first the labels are 1, 0, 1, 0.
    assert found["auc"] == 0.75
    assert found["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert found["eer"] == 0.5
    assert found["tar_at_far_1pct"] == found["tar_at_far_10pct"] == 0.5
    assert found["balanced_accuracy"] == found["accuracy"] == 0.75


def test_a_tenth_of_the_others_may_be_accepted() -> None:
    distance = np.array([0.1, 0.3, 0.5, *([0.2] + [0.4] * 9)], dtype=np.float32)
    found = pair_metrics(distance, np.array([1] * 3 + [0] * 10, dtype=np.uint8), threshold=0.2)
    assert found["tar_at_far_1pct"] == pytest.approx(1 / 3)
    assert found["tar_at_far_10pct"] == pytest.approx(2 / 3)


def test_a_pair_exactly_at_the_threshold_is_not_the_same_artist() -> None:
    distance = np.array([0.5, 1.0], dtype=np.float32)
    assert pair_metrics(distance, np.array([1, 0], dtype=np.uint8), threshold=0.5)["accuracy"] == 0.5


def test_equal_distances_everywhere_are_chance() -> None:
    distance = np.full(10, 0.3, dtype=np.float32)
    found = pair_metrics(distance, np.array([1, 0] * 5, dtype=np.uint8), threshold=0.3)
    assert found["auc"] == found["eer"] == found["balanced_accuracy"] == 0.5


def test_one_kind_of_pair_alone_has_no_metrics() -> None:
    assert pair_metrics(np.ones(3, dtype=np.float32), np.ones(3, dtype=np.uint8), 0.5) == {}
    assert pair_metrics(np.ones(0, dtype=np.float32), np.ones(0, dtype=np.uint8), 0.5) == {}


def test_eer_of_two_normal_curves_is_what_theory_says() -> None:
    distance, same = pairs(200_000)
    assert pair_metrics(distance, same, 1.5)["eer"] == pytest.approx(0.1587, abs=0.005)  # Φ(-1)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=2, max_size=60),
    st.integers(0, 31),
    st.integers(1, 9),
)
def test_metrics_are_scikit_learns_however_they_are_cut(
    rows: list[tuple[int, bool]], threshold: int, piece: int
) -> None:
    distance = np.array([row[0] for row in rows], dtype=np.float32)
    same = np.array([row[1] for row in rows], dtype=np.uint8)
    with mock.patch.object(value_counts, "PIECE", piece):
        found = pair_metrics(distance, same, threshold - 0.5)
    if same.min() == same.max():
        assert found == {}
        return
    far, tar, _ = roc_curve(same, -distance, drop_intermediate=False)
    predicted = distance < threshold - 0.5
    assert found == pytest.approx(
        {
            "auc": roc_auc_score(same, -distance),
            "average_precision": average_precision_score(same, -distance),
            "eer": pytest.approx(_slow_eer(far, tar), abs=1e-3),
            "tar_at_far_1pct": tar[far <= 0.01].max(),
            "tar_at_far_10pct": tar[far <= 0.1].max(),
            "cllr_min": found.get("cllr_min"),  # has tests of its own
            "balanced_accuracy": recall_score(same, predicted, average="macro"),
            "accuracy": accuracy_score(same, predicted),
        }
    )


def _slow_eer(far: NDArray[np.float64], tar: NDArray[np.float64]) -> float:
    """Where the curve meets the line on which both errors are as frequent, on a fine grid."""
    along = np.linspace(0, len(far) - 1, 200_001)
    far, tar = (np.interp(along, np.arange(len(far)), each) for each in (far, tar))
    return float(far[np.argmin(np.abs(far - (1 - tar)))])


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 3)), min_size=2, max_size=40))
def testweighted_auc_is_scikit_learns(rows: list[tuple[int, bool, int]]) -> None:
    distance, same, weight = (np.array(column) for column in zip(*rows, strict=True))
    _, tie = np.unique(distance, return_inverse=True)
    found = weighted_auc(*(np.bincount(tie, weights=weight * kind) for kind in (same, ~same)))
    if (weight[same].sum() == 0) or (weight[~same].sum() == 0):
        assert found is None
    else:
        assert found == pytest.approx(roc_auc_score(same, -distance, sample_weight=weight))


def test_interval_covers_the_auc_and_narrows_with_more_paintings() -> None:
    widths = []
    for paintings, count in ((20, 200), (400, 4000)):
        distance, same = pairs(count)
        rng = np.random.default_rng(1)
        low, high = auc_interval(distance, same, *rng.integers(paintings, size=(2, count)))
        assert low < pair_metrics(distance, same, 1.5)["auc"] < high
        widths.append(high - low)
    assert widths[1] < widths[0]


def test_interval_is_repeatable_and_honest_about_nothing() -> None:
    distance, same = pairs(200)
    paintings = np.random.default_rng(0).integers(50, size=(2, 200))
    assert auc_interval(distance, same, *paintings) == auc_interval(distance, same, *paintings)
    assert np.isnan(auc_interval(distance, np.ones(200, dtype=np.uint8), *paintings)).all()
    none = np.empty(0)
    assert np.isnan(auc_interval(none.astype(np.float32), none.astype(np.uint8), *none.reshape(2, 0))).all()


def test_calibration_of_normal_distances_is_the_exact_one() -> None:
    distance, same = pairs(100_000)
    # Equal spreads s and a gap g make the log odds a line: slope -g / s², zero half way between the means.
    rule = calibrate(distance, same)
    assert rule.calibration.slope == pytest.approx(-4.0, rel=0.05)
    assert rule.threshold == pytest.approx(1.5, abs=0.02)
    assert rule.calibration.prior == 0.5


def test_calibration_does_not_depend_on_how_many_of_each_kind() -> None:
    rare = calibrate(*pairs(200_000, share=0.02)).calibration
    balanced = calibrate(*pairs(200_000)).calibration
    assert rare.slope == pytest.approx(balanced.slope, rel=0.1)
    assert rare.intercept == pytest.approx(balanced.intercept, rel=0.1)


@pytest.mark.parametrize("gap", [0.0, -1.0])
def test_a_tower_that_knows_nothing_says_one_half(gap: float) -> None:
    distance, same = pairs(gap=gap)
    if gap == 0.0:
        distance = np.full_like(distance, 0.7)
    rule = calibrate(distance, same)
    assert rule.calibration == Calibration(slope=0.0, intercept=0.0)
    assert rule.threshold == float(np.median(distance))
