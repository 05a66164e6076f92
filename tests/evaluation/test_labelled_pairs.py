"""Labelled pairs and the bounded sample of them."""

from __future__ import annotations

import numpy as np
import pytest

from artsim.evaluation.labelled_pairs import LabelledMetrics, LabelledPairs, labelled_metrics
from artsim.scoring.contract import Calibration
from artsim.scoring.scores import Criterion


def filled(count: int, bound: int, seed: int = 0) -> LabelledPairs:
    labelled = LabelledPairs(count + 7, seed, sample_pairs=bound)
    for rows in np.array_split(np.arange(count), 13):
        labelled.add(rows.astype(np.float32), (rows % 2).astype(np.uint8), rows, rows + 1)
    return labelled


def test_all_are_kept_and_few_are_sampled_whole() -> None:
    labelled = filled(100, bound=1000)
    assert labelled.distance.tolist() == list(range(100))
    distance, same, image1, image2 = labelled.sample()
    assert distance.tolist() == image1.tolist() == list(range(100))
    assert same.tolist() == [0, 1] * 50
    assert image2.tolist() == list(range(1, 101))


def test_a_sample_keeps_its_bound_and_its_rows_together() -> None:
    distance, same, image1, image2 = filled(50_000, bound=1000).sample()
    assert 700 < len(distance) <= 1000
    assert (distance == image1).all()
    assert (same == image1 % 2).all()
    assert (image2 == image1 + 1).all()
    assert abs(np.mean(image1) - 25_000) < 2_500


def test_a_sample_is_its_seeds() -> None:
    one, again, other = (filled(50_000, 1000, seed).sample()[2].tolist() for seed in (0, 0, 1))
    assert one == again != other


def test_nothing_labelled_is_nothing_sampled() -> None:
    assert [len(part) for part in LabelledPairs(0).sample()] == [0, 0, 0, 0]


def compared(rows: slice, calibration: Calibration, prior: float = 0.5) -> LabelledMetrics:
    """The metrics of some of all pairs of 30 works by six artists."""
    artist = np.repeat(np.arange(6), 5)
    rng = np.random.default_rng(0)
    place = artist + 0.5 * rng.normal(size=30)
    first, second = (side[rows] for side in np.triu_indices(30, k=1))
    labelled = LabelledPairs(len(first))
    distance = np.abs(place[first] - place[second]).astype(np.float32)
    labelled.add(distance, (artist[first] == artist[second]).astype(np.uint8), first, second)
    return labelled_metrics(labelled, Criterion("rms", 1.0, calibration, prior))


def test_complete_pairs_resample_artists_and_a_part_of_them_paintings() -> None:
    whole = compared(slice(None), Calibration(-2.0, 2.0))
    part = compared(slice(1, None), Calibration(-2.0, 2.0))
    assert whole.interval_resamples == "artists, then paintings"
    assert part.interval_resamples == "paintings"
    assert whole.auc_interval is not None
    assert part.auc_interval is not None
    assert whole.auc_interval[1] - whole.auc_interval[0] > part.auc_interval[1] - part.auc_interval[0]


def test_cllr_does_not_depend_on_the_prior_but_calibration_error_does() -> None:
    one, other = (compared(slice(None), Calibration(-2.0, 2.0), prior).metrics for prior in (0.5, 0.05))
    assert one["cllr"] == other["cllr"]
    assert one["cllr_min"] == other["cllr_min"] < one["cllr"]
    assert one["calibration_error"] != other["calibration_error"]
    assert 0 < one["calibration_error_by_chance"] < 1


def test_a_calibration_that_knows_nothing_costs_one_bit() -> None:
    assert compared(slice(None), Calibration(0.0, 0.0)).metrics["cllr"] == pytest.approx(1)


def test_pairs_of_one_kind_have_neither_metrics_nor_interval() -> None:
    assert compared(slice(0, 2), Calibration(-2.0, 2.0)) == ({}, None, None)
