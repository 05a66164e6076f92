"""Lists of scores matched by the names of both images: whatever their order, and nothing is dropped in silence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.evaluation.matching import ScoreList, match
from artsim.tables.labels import UNLABELLED
from tests.evaluation.compared_lists import made_list, turned


@given(st.integers(0, 1000))
def test_neither_the_order_of_rows_nor_that_of_images_matters(seed: int) -> None:
    one, other = made_list("a", 0.5, artists=3, works=3), made_list("b", 0.8, artists=3, works=3)
    plain, mixed = match([one, other]), match([one, turned(other, seed)])
    assert np.array_equal(plain.distance, mixed.distance)
    assert np.array_equal(plain.same, one.pairs.same)
    assert np.array_equal(plain.first, one.pairs.first)
    assert mixed.left_out == plain.left_out


def test_pairs_in_one_list_only_are_counted() -> None:
    one, other = made_list("a", 0.5), made_list("b", 0.8)
    shorter = replace(other, pairs=other.pairs.only(np.arange(10, 40)))
    found = match([one, shorter])
    assert len(found) == 30
    assert found.left_out.only_in == [len(one.pairs) - 30, 0]
    assert np.array_equal(found.distance[1], shorter.pairs.distance)


def test_repeated_unscored_and_contradicted_pairs_are_left_out_and_counted() -> None:
    one, other = made_list("a", 0.5), made_list("b", 0.8)
    twice = replace(one, pairs=one.pairs.only(np.r_[np.arange(50), np.arange(5)]))
    distance, same = other.pairs.distance.copy(), other.pairs.same.copy()
    distance[:3] = np.nan
    same[3:7] = 1 - same[3:7]
    same[7:9] = UNLABELLED
    faulty = replace(other, pairs=replace(other.pairs, distance=distance, same=same))
    found = match([twice, faulty])
    assert len(found) == 43
    assert (found.left_out.repeated, found.left_out.unscored, found.left_out.contradicted) == ([5, 0], 3, 4)
    assert np.array_equal(found.same, one.pairs.same[7:50])


def test_names_are_matched_as_paths() -> None:
    one = made_list("a", 0.5, artists=2, works=2)
    names = [f".\\{name}" for name in one.pairs.names]
    assert len(match([one, replace(one, pairs=replace(one.pairs, names=names))])) == 6
    assert len(match([one, replace(one, pairs=replace(one.pairs, names=[f"x{each}" for each in names]))])) == 0


def splits(scores: ScoreList, name: str) -> NDArray[np.str_]:
    return np.where(np.arange(len(scores.pairs)) % 2, "val_unseen", name)


def test_the_same_pair_in_two_splits_is_two_pairs() -> None:
    plain = made_list("a", 0.5)
    own = splits(plain, "val_shifted")
    one = replace(plain, splits=own)
    both = match([one, one])
    assert both.splits is not None
    assert np.array_equal(both.splits, own)
    assert len(match([one, replace(plain, splits=np.roll(own, 1))])) == 0


def test_shifted_views_are_not_taken_for_works_by_a_list_without_splits() -> None:
    plain, made = made_list("b", 0.5), made_list("a", 0.5)
    own = splits(made, "val_shifted")
    found = match([replace(made, splits=own), plain])
    assert found.splits is None
    assert len(found) == np.count_nonzero(own == "val_unseen")
