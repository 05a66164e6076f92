"""Lists of scores of the same pairs, matched by the names of both images.

The order of the two images does not matter. A pair that is not in every list, or that lacks a score in one, is left out
and counted.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artsim.evaluation.known_artists import KnownArtists
from artsim.evaluation.validation import VAL_SHIFTED
from artsim.scoring.scores import Criterion
from artsim.tables.labels import UNLABELLED
from artsim.tables.scores_file import ScoredPairs


@dataclass(frozen=True)
class ScoreList:
    """One list of scores, as it was read.

    Attributes:
        name: of the file or the run, for the user.
        pairs: N pairs of M images.
        criterion: that gave the scores.
        splits: (N,) the validation set that each pair is of; None: the list has no such sets.
        artists: (M,) the artist of each image, "" where unknown; None: none is known.
    """

    name: str
    pairs: ScoredPairs
    criterion: Criterion
    splits: NDArray[np.str_] | None = None
    artists: Sequence[str] | None = None


@dataclass(frozen=True)
class LeftOut:
    """What is not compared: numbers of pairs, in one list alone (L,) or of all lists."""

    only_in: list[int]
    repeated: list[int]  # rows whose pair came before in the same list
    unscored: int
    contradicted: int  # pairs that have different labels in two lists


@dataclass(frozen=True)
class Matched:
    """N pairs of M images with L lists of scores.

    Attributes:
        names: (M,) of the images; `paths` has the file of each, `artists` its artist, "" where unknown.
        artist_numbers: (M,) -1 where unknown, by the names, else by the labels of a list that has all pairs.
        first: (N,) number of the first image; `second` of the second one.
        same: (N,) 1, 0 or UNLABELLED.
        splits: (N,) the validation set of each pair; None: there are none.
        distance: (L, N) float32, `probability` too; `prediction` is uint8.
        criteria: (L,) that gave the scores.
    """

    names: list[str]
    paths: list[str]
    artists: list[str]
    artist_numbers: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    same: NDArray[np.uint8]
    splits: NDArray[np.str_] | None
    distance: NDArray[np.float32]
    probability: NDArray[np.float32]
    prediction: NDArray[np.uint8]
    criteria: list[Criterion]
    left_out: LeftOut

    def __len__(self) -> int:
        return len(self.first)


@dataclass
class _Images:
    """The images of all lists, numbered by their names."""

    number: dict[str, int] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    artists: list[str] = field(default_factory=list)

    def add(self, scores: ScoreList) -> NDArray[np.int64]:
        """The numbers (M,) of a list's images."""
        artists = scores.artists or [""] * len(scores.pairs.names)
        numbers = []
        for name, path, artist in zip(scores.pairs.names, scores.pairs.paths, artists, strict=True):
            number = self.number.setdefault(_plain(name), len(self.number))
            if number == len(self.paths):
                self.paths.append(path)
                self.artists.append(artist)
            self.artists[number] = self.artists[number] or artist
            numbers.append(number)
        return np.array(numbers, dtype=np.int64)


def match(lists: Sequence[ScoreList]) -> Matched:
    """Match lists of scores; there may be no pair that all have."""
    images = _Images()
    numbers = [images.add(each) for each in lists]
    has_splits = all(each.splits is not None for each in lists)
    known = sorted({str(name) for each in lists if each.splits is not None for name in np.unique(each.splits)})
    keys, rows = [], []
    for each, number in zip(lists, numbers, strict=True):
        key = _keys(each, number, len(images.paths), known if has_splits else [])
        usable = _usable(each, has_splits=has_splits)
        unique, first = np.unique(key[usable], return_index=True)
        keys.append(unique)
        rows.append(usable[first])
    common = reduce(lambda one, other: np.intersect1d(one, other, assume_unique=True), keys)
    found = [own[np.searchsorted(key, common)] for key, own in zip(keys, rows, strict=True)]
    order = np.argsort(found[0], kind="stable")
    found = [own[order] for own in found]
    repeated = [
        int(len(_usable(each, has_splits=has_splits)) - len(key)) for each, key in zip(lists, keys, strict=True)
    ]
    only_in = [len(key) - len(common) for key in keys]
    return _matched(lists, images, numbers, found, (only_in, repeated), has_splits=has_splits)


def _matched(
    lists: Sequence[ScoreList],
    images: _Images,
    numbers: Sequence[NDArray[np.int64]],
    found: Sequence[NDArray[np.int64]],
    counts: tuple[list[int], list[int]],
    *,
    has_splits: bool,
) -> Matched:
    """The pairs of the rows that were found in each list."""

    def stacked(name: str) -> NDArray[Any]:
        return np.stack([getattr(each.pairs, name)[own] for each, own in zip(lists, found, strict=True)])

    labels = stacked("same")
    same = labels[0].copy()
    for other in labels[1:]:
        same = np.where(same == UNLABELLED, other, same)
    contradicted = ((labels != UNLABELLED) & (labels != same)).any(axis=0)
    distance = stacked("distance")
    scored = np.isfinite(distance).all(axis=0)
    kept = scored & ~contradicted
    own, splits = found[0][kept], lists[0].splits
    return Matched(
        names=list(images.number),
        paths=images.paths,
        artists=images.artists,
        artist_numbers=_artist_numbers(lists, images.artists, numbers),
        first=numbers[0][lists[0].pairs.first[own]],
        second=numbers[0][lists[0].pairs.second[own]],
        same=same[kept],
        splits=splits[own] if has_splits and splits is not None else None,
        distance=distance[:, kept],
        probability=stacked("probability")[:, kept],
        prediction=stacked("prediction")[:, kept],
        criteria=[each.criterion for each in lists],
        left_out=LeftOut(*counts, int((~scored).sum()), int((contradicted & scored).sum())),
    )


def _artist_numbers(
    lists: Sequence[ScoreList], names: Sequence[str], numbers: Sequence[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """The number of each image's artist (M,). A pair that one list lacks does not hide what another one tells."""
    if any(names):
        known = np.array(names, dtype=str)
        return np.where(known == "", -1, np.unique(known, return_inverse=True)[1]).astype(np.int64)
    found = np.full(len(names), -1, np.int64)
    for each, number in zip(lists, numbers, strict=True):
        pairs, rows = each.pairs, np.flatnonzero(each.pairs.same != UNLABELLED)
        by_labels = KnownArtists()
        by_labels.add(pairs.same[rows], pairs.first[rows], pairs.second[rows])
        if len(rows) and (own := by_labels.numbers()) is not None:
            found[number[: len(own)]] = own
            break
    return found


def _usable(scores: ScoreList, *, has_splits: bool) -> NDArray[np.int64]:
    """The rows that can be matched. Without splits, a shifted view would be taken for the work itself."""
    if has_splits or scores.splits is None:
        return np.arange(len(scores.pairs))
    return np.flatnonzero(scores.splits != VAL_SHIFTED)


def _keys(scores: ScoreList, number: NDArray[np.int64], images: int, splits: Sequence[str]) -> NDArray[np.int64]:
    """A number (N,) for each pair of images in a split."""
    one, other = number[scores.pairs.first], number[scores.pairs.second]
    key: NDArray[np.int64] = np.minimum(one, other) * images + np.maximum(one, other)
    if splits and scores.splits is not None:
        key = key + np.searchsorted(splits, scores.splits).astype(np.int64) * images**2
    return key


def _plain(name: str) -> str:
    return posixpath.normpath(name.replace("\\", "/")) if name else ""
