"""Which pairs and which paintings a report draws: the telling ones, then others at random, within bounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artsim.evaluation.report.confusion import most_frequent
from artsim.evaluation.report.paintings import Paintings
from artsim.tables.labels import UNLABELLED
from artsim.tables.scores_file import ScoredPairs

MOST_PAIRS = 4_000  # about 150 kB of the page
MOST_PICTURES = 600
SUREST = 60  # pairs of each outcome
NEAREST = 120  # to the threshold
IN_CELL = 16  # pairs of two artists of the matrix: half of them those that are most wrong


@dataclass(frozen=True)
class Choice:
    """The pairs and paintings that are drawn.

    `rows` are row numbers of pairs; all paintings of these are in `pictures`, (P,) numbers of paintings.
    """

    rows: NDArray[np.int64]
    pictures: NDArray[np.int64]


def choose(
    pairs: ScoredPairs,
    paintings: Paintings,
    threshold: float,
    most_pairs: int = MOST_PAIRS,
    most_pictures: int = MOST_PICTURES,
) -> Choice:
    """Choose pairs, in the order of how telling they are, as long as their paintings are not too many."""
    rng = np.random.default_rng(0)
    chosen: dict[int, None] = {}
    pictures: dict[int, None] = {}
    for row in _wanted(pairs, paintings, threshold, rng):
        new = {int(pairs.first[row]), int(pairs.second[row])} - pictures.keys()
        if len(pictures) + len(new) <= most_pictures:
            pictures |= dict.fromkeys(new)
            chosen[row] = None
        if len(chosen) == most_pairs:
            break
    others = (number for number in rng.permutation(len(pairs.names)).tolist() if pairs.names[number])
    for number in others:
        if len(pictures) >= most_pictures:
            break
        pictures[number] = None
    return Choice(np.array(sorted(chosen), np.int64), np.array(sorted(pictures), np.int64))


def _wanted(pairs: ScoredPairs, paintings: Paintings, threshold: float, rng: np.random.Generator) -> Iterable[int]:
    """Rows, the most telling ones first; some come twice."""
    scored = np.flatnonzero(pairs.scored)
    if not len(scored):
        return
    margin = np.abs(pairs.distance[scored] - threshold)
    outcome = pairs.same[scored] * 2 + pairs.prediction[scored]
    ranked = scored[np.argsort(-margin, kind="stable")]
    outcome = outcome[np.argsort(-margin, kind="stable")]
    surest = [ranked[outcome == kind][:SUREST] for kind in np.unique(outcome)]
    yield from np.concatenate([*surest, ranked[::-1][:NEAREST]]).tolist()
    yield from _of_cells(pairs, paintings, threshold, rng).tolist()
    yield from rng.permutation(scored)[: 20 * MOST_PAIRS].tolist()


def _of_cells(
    pairs: ScoredPairs, paintings: Paintings, threshold: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Pairs of every two artists of the matrix: first the most wrong one of each cell, then a random one, and so on."""
    one, other = (paintings.artist[side] for side in (pairs.first, pairs.second))
    rows = np.flatnonzero(pairs.scored & (one >= 0) & (other >= 0))
    shown = most_frequent(one[rows], other[rows])
    rows = rows[np.isin(one[rows], shown) & np.isin(other[rows], shown)]
    if not len(rows):
        return rows
    low, high = np.minimum(one, other)[rows], np.maximum(one, other)[rows]
    cell = low * (int(high.max()) + 1) + high
    margin = np.abs(pairs.distance[rows] - threshold)
    wrongness = np.where(_is_wrong(pairs, rows), margin, -margin)
    ranks = np.minimum(2 * _rank(cell, -wrongness), 2 * _rank(cell, rng.random(len(rows))) + 1)
    order = np.lexsort((cell, ranks))
    return rows[order[ranks[order] < IN_CELL]]


def _is_wrong(pairs: ScoredPairs, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    same, prediction = pairs.same[rows], pairs.prediction[rows]
    wrong: NDArray[np.bool_] = (same != UNLABELLED) & (same != prediction)
    return wrong


def _rank(cell: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.int64]:
    """The rank (N,) of each value within its cell, from 0."""
    order = np.lexsort((value, cell))
    start = np.searchsorted(cell[order], cell[order])
    rank = np.empty(len(cell), np.int64)
    rank[order] = np.arange(len(cell)) - start
    return rank
