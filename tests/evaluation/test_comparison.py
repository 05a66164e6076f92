"""Which list is better: metrics, differences on the same resamples, flips, and sentences that promise no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from artsim.evaluation.comparison import Agreement, SetComparison, agreement, compare_sets, metrics_by_value
from artsim.evaluation.comparison import _metrics as metrics_of  # what the closures have to equal
from artsim.evaluation.intervals import Difference
from artsim.evaluation.matching import match
from artsim.evaluation.verdicts import letters, signed, verdict_of, without_labels
from artsim.tables.labels import UNLABELLED
from tests.evaluation.compared_lists import made_list, turned
from tests.evaluation.report.made_pairs import CRITERION

AB = ("A", "B")


def compared(before: float, after: float, artists: int = 8, works: int = 5) -> SetComparison:
    lists = made_list("a", before, artists, works), turned(made_list("b", after, artists, works))
    (found,) = compare_sets(match(lists))
    return found


def test_weighted_metrics_are_those_of_a_summary_where_every_pair_counts_once() -> None:
    pairs = made_list("a", 0.5).pairs
    same = pairs.same == 1
    value, rank = np.unique(pairs.distance, return_inverse=True)
    weights = [np.bincount(rank[own], minlength=len(value)).astype(float) for own in (same, ~same)]
    metrics = metrics_by_value(pairs.distance, CRITERION)
    found = {name: metric(*weights) for name, metric in metrics.items()}
    expected = metrics_of(pairs.distance, pairs.same, CRITERION)
    assert found == pytest.approx({name: expected[name] for name in found}, abs=1e-6)
    twice = {name: metric(2 * weights[0], weights[1]) for name, metric in metrics.items()}
    assert twice == pytest.approx(found)  # both kinds of pair weigh one half


@pytest.mark.parametrize(
    ("before", "after", "outcome", "sentence"),
    [
        (0.2, 0.9, "other", "B is better than A: AUC +0."),
        (0.9, 0.2, "first", "A is better than B: AUC +0."),
        (0.5, 0.5, "none", "No difference between A and B is shown: the interval holds 0."),
    ],
)
def test_the_verdict_names_the_better_list(before: float, after: float, outcome: str, sentence: str) -> None:
    verdict = verdict_of(compared(before, after), 0, AB)
    assert verdict.outcome == outcome
    assert verdict.sentence.startswith(sentence)


def test_artists_are_resampled_where_names_or_complete_labels_tell_them() -> None:
    named = compared(0.2, 0.5)
    lists = [made_list(name, apart, with_artists=False) for name, apart in (("a", 0.2), ("b", 0.5))]
    (by_labels,) = compare_sets(match(lists))
    assert named.artists == by_labels.artists == 8
    assert by_labels.differences[0]["auc"] == named.differences[0]["auc"]
    some = [replace(each, pairs=each.pairs.only(np.arange(0, 700, 3))) for each in lists]
    (sampled,) = compare_sets(match(some))
    assert (sampled.artists, sampled.drawn) == (None, "paintings")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"artists": 3, "works": 2}, "there are 3 same-artist pairs and 12 different-artist pairs"),
        ({"artists": 4, "works": 6}, "the pairs are by 4 artists, and 5 are needed"),
    ],
)
def test_small_samples_are_too_few_to_judge_however_large_the_difference(made: dict[str, int], reason: str) -> None:
    verdict = verdict_of(compared(0.0, 2.0, **made), 0, AB)
    assert verdict.outcome == "too few"
    assert reason in verdict.sentence


def test_a_wide_interval_is_too_few_to_judge() -> None:
    found = replace(compared(0.2, 0.9), differences=[{"auc": Difference(0.4, 0.1, 0.7)}])
    assert "0.100 to 0.700, is wider than 0.5" in verdict_of(found, 0, AB).sentence


def test_flips_are_the_pairs_on_which_one_list_alone_is_right() -> None:
    matched = match([made_list("a", 0.2), made_list("b", 0.9)])
    (found,) = compare_sets(matched)
    flips = found.flips[0]
    right = matched.prediction == matched.same
    assert set(flips.only_first) == set(np.flatnonzero(right[0] & ~right[1]))
    assert set(flips.only_other) == set(np.flatnonzero(~right[0] & right[1]))
    assert flips.both + flips.neither + len(flips.only_first) + len(flips.only_other) == len(matched)
    change = np.abs(matched.probability[0] - matched.probability[1])[flips.only_other]
    assert (np.diff(change) <= 0).all()


def test_validation_sets_are_compared_apart_and_seen_artists_are_not_resampled() -> None:
    lists = []
    for name, apart in (("a", 0.2), ("b", 0.9)):
        made = made_list(name, apart)
        lists.append(replace(made, splits=np.where(np.arange(len(made.pairs)) % 3, "val_unseen", "val_seen")))
    unseen, seen = compare_sets(match(lists))
    assert unseen.label == "Artists never seen in training"
    assert (unseen.artists, seen.artists) == (8, None)
    assert len(unseen.rows) == 2 * len(seen.rows)


def test_without_labels_there_is_agreement_only() -> None:
    lists = [made_list("a", 0.5), made_list("b", 0.6)]
    unknown = np.full(len(lists[0].pairs), UNLABELLED, np.uint8)
    blank = [replace(each, pairs=each.pairs.with_labels(unknown)) for each in lists]
    matched = match(blank)
    assert compare_sets(matched) == []
    (alike,) = agreement(matched)
    assert 0.9 < alike.rank_correlation < 1
    assert alike.flipped == int((lists[0].pairs.prediction != lists[1].pairs.prediction).sum())
    sentence = without_labels(alike, len(matched), *AB).sentence
    assert "nobody can say which of A and B is better" in sentence
    assert "The rank correlation is 1.00." in sentence


def test_a_list_of_one_distance_has_no_rank_correlation() -> None:
    one = made_list("a", 0.5)
    flat = replace(one, pairs=replace(one.pairs, distance=np.ones_like(one.pairs.distance)))
    (alike,) = agreement(match([one, flat]))
    assert np.isnan(alike.rank_correlation)
    assert "rank" not in without_labels(Agreement(float("nan"), 3), 9, *AB).sentence


def test_pairs_of_one_kind_are_compared_without_metrics() -> None:
    lists = [made_list(name, apart) for name, apart in (("a", 0.2), ("b", 0.9))]
    rows = np.flatnonzero(lists[0].pairs.same == 1)
    (found,) = compare_sets(match([replace(each, pairs=each.pairs.only(rows)) for each in lists]))
    assert list(found.differences) == []
    assert verdict_of(found, 0, AB).outcome == "too few"


def test_numbers_have_a_sign_and_zero_has_none() -> None:
    assert [signed(value) for value in (0.0214, -0.0004, -0.3)] == ["+0.021", "0.000", "-0.300"]
    assert letters(3) == ["A", "B", "C"]
    assert letters(27)[-1] == "#27"
