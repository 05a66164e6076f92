"""Where scores fail: the AUC by artist, by style and by genre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artsim.evaluation.intervals import auc_interval
from artsim.evaluation.metrics import pair_metrics
from artsim.evaluation.report.numbers import LEAST_PAIRS, Estimate, says_something
from artsim.evaluation.report.paintings import Paintings
from artsim.tables.scores_file import ScoredPairs

MOST_ROWS = 40  # of a table; the rest is counted
INTERVAL_PAIRS = 20_000  # of a group, drawn for its interval
INTERVAL_RESAMPLES = 200


@dataclass(frozen=True)
class GroupRow:
    """The AUC of a group of pairs; None if the pairs are of one kind or too few. `artist` is -1 for other groups."""

    name: str
    works: int
    same: int
    different: int
    auc: Estimate | None
    artist: int = -1

    @property
    def is_useful(self) -> bool:
        """Whether the AUC says something."""
        return says_something(self.same, self.different, self.auc)


@dataclass(frozen=True)
class GroupTable:
    """Groups whose AUC says something, the lowest first; `few` are the others, the largest first."""

    kind: str
    meaning: str
    rows: Sequence[GroupRow]
    few: Sequence[GroupRow]
    left_out: int  # rows that were too many to show
    few_left_out: int


def by_artist(pairs: ScoredPairs, paintings: Paintings) -> GroupTable:
    """Each artist's own pairs against the pairs of one of their works with a work by another artist."""
    rows = [
        _row(name, pairs, own, number)
        for number, (name, own) in enumerate(zip(paintings.artists, _rows_by_artist(pairs, paintings), strict=True))
    ]
    works = np.bincount(paintings.artist[paintings.artist >= 0], minlength=len(paintings.artists))
    rows = [GroupRow(row.name, int(works[row.artist]), row.same, row.different, row.auc, row.artist) for row in rows]
    meaning = "Pairs of two works by the artist, against pairs of one such work with a work by another artist."
    return _table("artist", meaning, rows)


def _rows_by_artist(pairs: ScoredPairs, paintings: Paintings) -> list[NDArray[np.int64]]:
    """The rows of labelled pairs with a work by each artist, found in one pass whatever the number of artists."""
    rows = np.flatnonzero(pairs.labelled)
    one, other = paintings.artist[pairs.first[rows]], paintings.artist[pairs.second[rows]]
    second = one != other  # a pair of one artist is listed once
    artist, row = np.concatenate([one, other[second]]), np.concatenate([rows, rows[second]])
    order = np.argsort(artist, kind="stable")
    edges = np.searchsorted(artist[order], np.arange(len(paintings.artists) + 1))
    return np.split(row[order], edges)[1:-1]


def by_label(kind: str, pairs: ScoredPairs, labels: Sequence[Sequence[str]]) -> GroupTable:
    """Pairs whose works share a label, such as a style; `labels` (M,) are those of each painting."""
    names = sorted({name for own in labels for name in own})
    rows = []
    for name in names:
        has = np.array([name in own for own in labels])
        row = _row(name, pairs, np.flatnonzero(pairs.labelled & has[pairs.first] & has[pairs.second]), -1)
        if row.same + row.different:
            rows.append(row)
    return _table(kind, f"Pairs whose two works have the same {kind}.", rows)


def _table(kind: str, meaning: str, rows: list[GroupRow]) -> GroupTable:
    useful = sorted((row for row in rows if row.is_useful), key=lambda row: (row.auc.value if row.auc else 0, row.name))
    few = sorted((row for row in rows if not row.is_useful), key=lambda row: (-row.same, row.name))
    left_out = [max(0, len(each) - MOST_ROWS) for each in (useful, few)]
    return GroupTable(kind, meaning, useful[:MOST_ROWS], few[:MOST_ROWS], *left_out)


def _row(name: str, pairs: ScoredPairs, rows: NDArray[np.int64], artist: int) -> GroupRow:
    same = pairs.same[rows]
    counts = int(np.count_nonzero(same == 1)), int(np.count_nonzero(same == 0))
    works = len(np.unique([pairs.first[rows], pairs.second[rows]]))
    estimate = _estimate(pairs, rows) if min(counts) >= LEAST_PAIRS else None
    return GroupRow(name, works, *counts, estimate, artist)


def _estimate(pairs: ScoredPairs, rows: NDArray[np.int64]) -> Estimate:
    """The AUC of some pairs; its interval resamples paintings."""
    auc = pair_metrics(pairs.distance[rows], pairs.same[rows], 0.0)["auc"]
    if len(rows) > INTERVAL_PAIRS:
        rows = np.random.default_rng(0).choice(rows, INTERVAL_PAIRS, replace=False)
    columns = (pairs.distance[rows], pairs.same[rows], pairs.first[rows], pairs.second[rows])
    low, high = auc_interval(*columns, resamples=INTERVAL_RESAMPLES)
    return Estimate(auc, low, high) if np.isfinite(low) else Estimate(auc)
