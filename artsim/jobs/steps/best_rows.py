"""The best rows of a scoring, in their order: the nearest or most probable pairs first, within a bound of rows."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from artsim.errors import InputError
from artsim.scoring.score_blocks import ScoredBlock
from artsim.scoring.scores import Criterion
from artsim.tables.arrow import of_numbers

SortName = Literal["probability", "distance"]
MOST_SORTED = 1_000_000  # rows that are kept in memory


class BestRows:
    """Keeps the best `most` rows of all blocks. At equal scores the earlier row comes first; rows without one last."""

    def __init__(self, most: int, *, far_first: bool = False) -> None:
        self._most, self._sign = most, np.float32(-1 if far_first else 1)
        self._tables: list[pa.RecordBatch] = []
        self._keys: list[NDArray[np.float32]] = []

    def add(self, scored: ScoredBlock) -> None:
        """Add a block. Memory is twice the kept rows and a block."""
        key = np.where(scored.good, self._sign * scored.scores.distance, np.float32(np.inf))
        best = np.sort(np.argsort(key, kind="stable")[: self._most])  # in the order of the rows
        self._tables.append(scored.table().take(of_numbers(best)))
        self._keys.append(key[best])
        if sum(map(len, self._keys)) > 2 * self._most:
            self._choose(in_order=False)

    def table(self) -> pa.RecordBatch | None:
        """The best rows in their order; None if there was no block."""
        if not self._tables:
            return None
        self._choose(in_order=True)
        return self._tables[0]

    def _choose(self, *, in_order: bool) -> None:
        key = np.concatenate(self._keys)
        best = np.argsort(key, kind="stable")[: self._most]
        best = best if in_order else np.sort(best)
        whole = pa.Table.from_batches(self._tables).take(of_numbers(best)).combine_chunks()
        batches = whole.to_batches()
        self._tables = batches[:1] if batches else self._tables[:1]
        self._keys = [key[best]]


def best_rows(sort: SortName | None, top: int | None, criterion: Criterion) -> BestRows:
    """The rows that the user asks for. Probabilities near 1 are equal in float32, so their distances order them."""
    falls = criterion.calibration.slope <= 0
    return BestRows(top or MOST_SORTED, far_first=sort != "distance" and not falls)


def check_sortable(source: str, rows: int, top: int | None) -> None:
    """Check that the rows fit into the bound.

    Raises:
        InputError: there are too many.
    """
    if top is None and rows > MOST_SORTED:
        raise InputError(
            f"{source}: has {rows:,} rows, and at most {MOST_SORTED:,} are sorted. Add --top N, or leave out --sort."
        )
