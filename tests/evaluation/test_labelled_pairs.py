"""Labelled pairs and the bounded sample of them."""

from __future__ import annotations

import numpy as np

from artsim.evaluation.labelled_pairs import LabelledPairs


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
