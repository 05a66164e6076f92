"""What is known of the paintings of scored pairs: artist, title, styles and genres, by the table of works."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.collection.columns import ARTIST, FILENAME
from artsim.tables.labels import UNLABELLED
from artsim.tables.scores_file import ScoredPairs

SEPARATOR = ","  # of several styles or genres of one work


@dataclass(frozen=True)
class Paintings:
    """M paintings: `artist` (M,) has numbers into `artists`, -1 where unknown; `listed` are in the table of works."""

    names: list[str]
    artists: list[str]  # (A,) sorted
    artist: NDArray[np.int64]  # (M,)
    titles: list[str]  # (M,) "" where unknown
    styles: list[list[str]]  # (M,) names as they are written
    genres: list[list[str]]  # (M,)
    listed: int = 0

    @classmethod
    def of(cls, names: list[str], works: pd.DataFrame | None) -> Paintings:
        """Look up names in a table of works; None: nothing is known."""
        if works is None:
            nothing: list[list[str]] = [[] for _ in names]
            return cls(names, [], np.full(len(names), -1), [""] * len(names), nothing, nothing)
        row_of = {posixpath.normpath(name): row for row, name in enumerate(works[FILENAME])}
        rows = [row_of.get(posixpath.normpath(name), -1) for name in names]
        artist_names = _column(works, ARTIST, rows)
        artists = sorted({name for name in artist_names if name})
        number = {name: index for index, name in enumerate(artists)}
        return cls(
            names,
            artists,
            np.array([number.get(name, -1) for name in artist_names], dtype=np.int64),
            _column(works, "title", rows),
            [_parts(text) for text in _column(works, "style", rows)],
            [_parts(text) for text in _column(works, "genre", rows)],
            sum(row >= 0 for row in rows),
        )

    def labels(self, pairs: ScoredPairs) -> NDArray[np.uint8]:
        """The labels of pairs (N,) by their artists; UNLABELLED where an artist is unknown."""
        one, other = self.artist[pairs.first], self.artist[pairs.second]
        return np.where((one < 0) | (other < 0), UNLABELLED, one == other).astype(np.uint8)


def _column(works: pd.DataFrame, column: str, rows: list[int]) -> list[str]:
    """The cells of some rows, stripped; "" for the row -1 and without such a column."""
    if column not in works.columns:
        return [""] * len(rows)
    cells = [str(cell).strip() for cell in works[column].fillna("")]
    return [cells[row] if row >= 0 else "" for row in rows]


def _parts(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(SEPARATOR) if part.strip()))
