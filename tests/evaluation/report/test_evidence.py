"""Groups, confusion, choice of pairs, figures: what the pairs say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from artsim.evaluation.report.choice import choose
from artsim.evaluation.report.confusion import confusion_of
from artsim.evaluation.report.curves import figures_of, reliability_points
from artsim.evaluation.report.figures import round_ticks
from artsim.evaluation.report.groups import by_artist, by_label
from artsim.evaluation.report.headline import headline_of
from artsim.tables.labels import UNLABELLED
from tests.evaluation.report.made_pairs import CRITERION, made_pairs


def test_the_auc_of_an_artist_is_that_of_the_pairs_with_a_work_by_them() -> None:
    pairs, paintings = made_pairs(artists=3, works=8)
    table = by_artist(pairs, paintings)
    assert len(table.rows) == 3
    for row in table.rows:
        own = (paintings.artist[pairs.first] == row.artist) | (paintings.artist[pairs.second] == row.artist)
        assert row.auc is not None
        assert row.auc.value == pytest.approx(roc_auc_score(pairs.same[own], -pairs.distance[own]))
        assert (row.works, row.same, row.different) == (8, 28, 8 * 16)
    assert [row.auc.value for row in table.rows if row.auc] == sorted(row.auc.value for row in table.rows if row.auc)


def test_a_group_with_few_pairs_is_too_small_to_judge() -> None:
    pairs, paintings = made_pairs(artists=3, works=4)  # six same-artist pairs each
    table = by_artist(pairs, paintings)
    assert (table.rows, [row.auc for row in table.few]) == ([], [None] * 3)


def test_a_style_has_the_pairs_of_two_such_works() -> None:
    pairs, paintings = made_pairs(artists=4, works=6)  # two of the artists have two styles
    table = by_label("style", pairs, paintings.styles)
    assert {(row.name, row.works, row.same, row.different) for row in [*table.rows, *table.few]} == {
        ("Dutch", 12, 30, 36),
        ("Old", 12, 30, 36),
    }


def test_the_confusion_counts_each_pair_once() -> None:
    pairs, paintings = made_pairs(artists=3, works=5)
    found = confusion_of(pairs, paintings)
    assert found is not None
    assert np.array_equal(found.pairs, [[10, 25, 25], [25, 10, 25], [25, 25, 10]])
    assert np.triu(found.accepted).sum() == pairs.prediction.sum()
    assert [cell.is_own for cell in found.cells[0]] == [True, False, False]
    assert confusion_of(pairs, replace(paintings, artist=np.full(15, -1))) is None


def test_a_cell_with_few_pairs_shows_no_share() -> None:
    found = confusion_of(*made_pairs(artists=2, works=4))
    assert found is not None
    assert found.cells[0][0].text == "·"
    assert "too few to judge" in found.cells[0][0].label


def test_the_surest_pairs_of_each_outcome_are_chosen_and_the_bounds_are_kept() -> None:
    pairs, paintings = made_pairs(artists=6, works=8)
    choice = choose(pairs, paintings, CRITERION.threshold, most_pairs=400, most_pictures=30)
    assert len(choice.rows) <= 400
    assert len(choice.pictures) <= 30
    assert set(pairs.first[choice.rows]) | set(pairs.second[choice.rows]) <= set(choice.pictures.tolist())
    everything = choose(pairs, paintings, CRITERION.threshold)
    assert (len(everything.rows), len(everything.pictures)) == (len(pairs), 48)
    margin = np.abs(pairs.distance - CRITERION.threshold)
    few = choose(pairs, paintings, CRITERION.threshold, most_pairs=300)
    for same, prediction in ((1, 1), (1, 0), (0, 1), (0, 0)):
        rows = np.flatnonzero((pairs.same == same) & (pairs.prediction == prediction))
        assert rows[margin[rows].argmax()] in few.rows


def test_every_two_artists_have_pairs_to_open() -> None:
    pairs, paintings = made_pairs(artists=8, works=6)
    rows = choose(pairs, paintings, CRITERION.threshold, most_pairs=600).rows
    one, other = paintings.artist[pairs.first[rows]], paintings.artist[pairs.second[rows]]
    assert len(np.unique(np.sort([one, other], axis=0), axis=1).T) == 8 * 9 / 2


def test_reliability_points_are_on_the_diagonal_where_labels_follow_the_probabilities() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(200_000).astype(np.float32)
    same = (rng.random(200_000) < probability).astype(np.uint8)
    points = list(reliability_points(probability, same, prior=0.5))
    assert len(points) == 10
    assert [share for _, share, _ in points] == pytest.approx([mean for mean, _, _ in points], abs=0.02)


def test_all_four_figures_with_labels_and_one_without() -> None:
    pairs, _ = made_pairs()
    rows = np.arange(len(pairs))
    assert [figure.name for figure in figures_of(pairs, [("all", rows)], CRITERION)] == [
        "roc", "precision", "distances", "reliability",
    ]  # fmt: skip
    unlabelled = pairs.with_labels(np.full(len(pairs), UNLABELLED, np.uint8))
    (alone,) = figures_of(unlabelled, [], CRITERION)
    assert "threshold at 1.00" in alone.alt


def test_a_headline_of_few_pairs_says_so() -> None:
    pairs, _ = made_pairs(artists=4, works=6)
    assert headline_of("all", pairs, CRITERION).is_useful
    few, _ = made_pairs(artists=2, works=3)
    assert not headline_of("all", few, CRITERION).is_useful
    assert headline_of("all", few.with_labels(np.ones(len(few), np.uint8)), CRITERION).auc is None


def test_ticks_are_round_and_inside() -> None:
    assert round_ticks(0.13, 1.87) == pytest.approx([0.5, 1.0, 1.5])
    assert round_ticks(2.0, 2.0) == [2.0]
