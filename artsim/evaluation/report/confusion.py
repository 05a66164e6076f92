"""Which artists are taken for each other: the share of their pairs that is predicted to be by the same artist."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artsim.evaluation.report.numbers import TOO_FEW
from artsim.evaluation.report.paintings import Paintings
from artsim.messages import counted
from artsim.tables.scores_file import ScoredPairs

MOST_ARTISTS = 20  # of the matrix, those with most pairs
LEAST_CELL = 10  # pairs of a cell, below which a share says nothing; a setting
LEVELS = 5  # shades of the cells


@dataclass(frozen=True)
class Cell:
    """A cell of the matrix: its number of pairs, text, shade and description; `is_own`: of one artist."""

    pairs: int
    text: str
    level: str
    label: str
    is_own: bool


@dataclass(frozen=True)
class Confusion:
    """How often artists are taken for each other, by pairs of artists in the order of `artists` (A,).

    `pairs` and `accepted` (A, A) count pairs, and those predicted to be by the same artist; both are symmetric.
    """

    artists: list[int]
    names: list[str]
    pairs: NDArray[np.int64]
    accepted: NDArray[np.int64]
    left_out: int

    @property
    def cells(self) -> list[list[Cell]]:
        """The cells, row by row."""
        order = range(len(self.artists))
        return [[self._cell(row, column) for column in order] for row in order]

    def _cell(self, row: int, column: int) -> Cell:
        count, accepted = int(self.pairs[row, column]), int(self.accepted[row, column])
        is_own = row == column
        who = f"two works by {self.names[row]}" if is_own else f"{self.names[row]} with {self.names[column]}"
        taken = f"{who}, {accepted:,} of {counted(count, 'pair')} taken for one artist"
        if count < LEAST_CELL:
            return Cell(count, "·", "few", f"{taken}, {TOO_FEW}", is_own)
        share = accepted / count
        level = f"heat{min(LEVELS - 1, int(share * LEVELS))}"
        return Cell(count, f"{100 * share:.0f}", level, f"{100 * share:.0f} %: {taken}", is_own)


def confusion_of(pairs: ScoredPairs, paintings: Paintings) -> Confusion | None:
    """The confusion of the artists with most pairs; None with fewer than two artists."""
    one, other = (paintings.artist[side] for side in (pairs.first, pairs.second))
    known = pairs.scored & (one >= 0) & (other >= 0)
    one, other, accepted = one[known], other[known], pairs.prediction[known]
    count = len(paintings.artists)
    shown = most_frequent(one, other)
    if len(shown) < 2:
        return None
    all_pairs, all_accepted = (_symmetric(one, other, weight, count) for weight in (np.ones_like(accepted), accepted))
    block = np.ix_(shown, shown)
    names = [paintings.artists[artist] for artist in shown]
    left_out = len(np.unique([one, other])) - len(shown)
    return Confusion(shown, names, all_pairs[block], all_accepted[block], left_out)


def most_frequent(one: NDArray[np.int64], other: NDArray[np.int64]) -> list[int]:
    """The artists with most pairs, in the order of their numbers, at most MOST_ARTISTS; from both artists of pairs."""
    frequency = np.bincount(np.concatenate([one, other]))
    shown = np.argsort(-frequency, kind="stable")[:MOST_ARTISTS]
    return sorted(shown[frequency[shown] > 0].tolist())


def _symmetric(
    one: NDArray[np.int64], other: NDArray[np.int64], weight: NDArray[np.uint8], count: int
) -> NDArray[np.int64]:
    """(count, count) the sums of weights by unordered pairs of artists."""
    cell = np.minimum(one, other) * count + np.maximum(one, other)
    sums = np.bincount(cell, weights=weight, minlength=count * count).astype(np.int64).reshape(count, count)
    return sums + np.triu(sums, 1).T
