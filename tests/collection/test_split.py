from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.collection.catalogue import Catalogue
from artsim.collection.pairs import balanced_pairs, validation_pairs
from artsim.collection.selection import TRAIN, VAL_SEEN, VAL_UNSEEN
from artsim.collection.split import split
from artsim.errors import InputError


def catalogue_of(*counts: int) -> Catalogue:
    artists = [f"artist {number}" for number, count in enumerate(counts) for _ in range(count)]
    names = [f"{number}.jpg" for number in range(len(artists))]
    return Catalogue(pd.DataFrame({"filename": names, "artist": artists, "title": ""}), Path(), "works.csv")


def alone(catalogue: Catalogue) -> NDArray[np.int64]:
    return np.arange(len(catalogue.table))


@given(st.lists(st.integers(4, 12), min_size=4, max_size=12), st.integers(0, 999))
def test_split_holds_out_artists_and_works(counts: list[int], seed: int) -> None:
    catalogue = catalogue_of(*counts)
    selection, notes = split(catalogue, alone(catalogue), seed)
    by_part = {part: set(selection.part(part)["artist"]) for part in (TRAIN, VAL_SEEN, VAL_UNSEEN)}
    assert len(by_part[VAL_UNSEEN]) == max(2, round(0.2 * len(counts)))
    assert not by_part[VAL_UNSEEN] & by_part[TRAIN]
    assert by_part[VAL_SEEN] == by_part[TRAIN]  # an artist with four works gives two
    assert sorted(selection.table["filename"]) == sorted(catalogue.table["filename"])
    assert min(Counter(selection.part(TRAIN)["artist"]).values()) >= 2
    assert list(selection.table.columns) == ["filename", "artist", "split", "title"]
    assert notes == []
    again, _ = split(catalogue, alone(catalogue), seed)
    pd.testing.assert_frame_equal(again.table, selection.table)


@given(st.integers(0, 99))
def test_five_artists_with_five_works_have_every_kind_of_pair(seed: int) -> None:
    catalogue = catalogue_of(5, 5, 5, 5, 5)
    pairs = validation_pairs(split(catalogue, alone(catalogue), seed)[0], seed)
    kinds = pairs.groupby(["split", "sameArtist"]).size()
    assert kinds.to_dict() == {(VAL_SEEN, 0): 3, (VAL_SEEN, 1): 3, (VAL_UNSEEN, 0): 20, (VAL_UNSEEN, 1): 20}


@given(st.lists(st.integers(0, 7), min_size=36, max_size=36), st.integers(0, 999))
def test_works_of_one_cluster_are_on_one_side(numbers: list[int], seed: int) -> None:
    catalogue = catalogue_of(6, 6, 6, 6, 6, 6)
    # The first three works of each artist in eight clusters at random, the others alone.
    clusters = np.where(alone(catalogue) % 6 < 3, np.array(numbers), 100 + alone(catalogue))
    selection, notes = split(catalogue, clusters, seed)
    part_of = dict(zip(selection.table["filename"], selection.table["split"], strict=True))
    for cluster in set(numbers):
        members = [f"{index}.jpg" for index in np.flatnonzero(clusters == cluster)]
        assert len({part_of[name] for name in members if name in part_of}) <= 1
    left_out = len(catalogue.table) - len(selection.table)
    note = f"{left_out} work{'s' if left_out > 1 else ''} left out"
    assert (note in " ".join(notes)) == (left_out > 0)


def test_three_artists_give_a_note_and_no_unseen_artists() -> None:
    catalogue = catalogue_of(6, 6, 6)
    selection, notes = split(catalogue, alone(catalogue), 0)
    assert selection.part(VAL_UNSEEN).empty
    assert "No metrics for unseen artists" in notes[0]
    assert "--num-of-artists" in notes[0]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((9,), "by 1 artist.*--num-of-artists"),
        ((3, 3), "no validation pairs.*--num-of-images-per-artist"),
        ((1, 1, 1, 1, 1), "no same-artist pair to train on.*--num-of-images-per-artist"),
    ],
)
def test_the_error_of_a_too_small_collection_names_the_flag(counts: tuple[int, ...], message: str) -> None:
    catalogue = catalogue_of(*counts)
    with pytest.raises(InputError, match=message):
        split(catalogue, alone(catalogue), 0)


@given(st.lists(st.integers(0, 4), max_size=25), st.integers(0, 99), st.integers(1, 40))
def test_pairs_are_balanced_different_and_correctly_labelled(labels: list[int], seed: int, at_most: int) -> None:
    artists = np.array(labels, dtype=np.int64)
    first, second, same = balanced_pairs(artists, seed, at_most)
    assert (same == (artists[first] == artists[second])).all()
    assert (first != second).all()
    assert len({frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)}) == len(same)
    works = Counter(labels)
    same_there = sum(count * (count - 1) // 2 for count in works.values())
    other_there = len(labels) * (len(labels) - 1) // 2 - same_there
    assert same.sum() == (1 - same).sum() == min(same_there, other_there, at_most)


def test_every_pair_can_be_drawn() -> None:
    artists = np.array([0, 0, 1, 1, 2])
    drawn = set()
    for seed in range(60):
        first, second, _ = balanced_pairs(artists, seed)
        drawn |= {frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    assert len(drawn) == 10


def test_validation_pairs_are_the_same_for_the_same_seed() -> None:
    catalogue = catalogue_of(8, 8, 8, 8, 8)
    selection, _ = split(catalogue, alone(catalogue), 0)
    pd.testing.assert_frame_equal(validation_pairs(selection, 3), validation_pairs(selection, 3))
    assert not validation_pairs(selection, 3).equals(validation_pairs(selection, 4))
