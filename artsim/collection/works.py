"""Collections: the works of a folder or of a table, their names, and their artists if known.

Every command reads collections here, so one folder or table has the same works and artists everywhere. `artsim score`
finds images by the names. A name is a path within a folder, with `/`, or a value of a table's column `filename`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.collection.artists import ATTRIBUTION, Qualified, settle_artists, without_artist
from artsim.collection.attribution import kind_of
from artsim.collection.columns import ARTIST, FILENAME, Columns, position_of
from artsim.collection.folders import artist_of, check_text, list_folder
from artsim.collection.work_tables import read_work_table
from artsim.errors import InputError
from artsim.messages import Say, listed, say_nothing
from artsim.tables.bounds import reading as reading_of


@dataclass(frozen=True)
class Reading:
    """How collections are read.

    Attributes:
        say: receives notes about what is passed over, and about artists.
        columns: the columns that the user names.
        qualified: what becomes of qualified attributions.
        needs_artists: False: there are no notes about artists.
        needs_text: False: names that are not UTF-8 text are accepted.
    """

    say: Say = say_nothing
    columns: Columns = field(default_factory=Columns)
    qualified: Qualified = "drop"
    needs_artists: bool = True
    needs_text: bool = True


QUIET = Reading()


@dataclass(frozen=True)
class Works:
    """`table`: filename and other columns, all text; `folder`: the folder of the files, None for a table."""

    table: pd.DataFrame
    folder: Path | None
    source: str

    @property
    def names(self) -> list[str]:
        """(N,) the names of the works."""
        return list(self.table[FILENAME])

    @property
    def artists(self) -> list[str | None]:
        """(N,) the artist of each work; None if unknown."""
        if ARTIST not in self.table.columns:
            return [None] * len(self.table)
        return [artist or None for artist in self.table[ARTIST]]

    @property
    def attributions(self) -> list[str | None]:
        """(N,) the cell of each work that names several artists, or one with a reservation; else None."""
        if ATTRIBUTION not in self.table.columns:
            return [None] * len(self.table)
        return [cell if kind_of(cell) in ("qualified", "several") else None for cell in self.table[ATTRIBUTION]]

    @property
    def without_artist(self) -> int:
        """The number of works that have no artist."""
        return without_artist(self.table)

    def labels(self, column: str) -> NDArray[np.int64]:
        """(N,) the values of a column as numbers in order of appearance; -1 for an empty cell.

        Raises:
            InputError: there is no such column.
        """
        columns = list(self.table.columns)
        position = position_of(column, columns)
        if position is None:
            raise InputError(f"{self.source}: there is no column {column}. The columns are: {listed(columns)}.")
        return numbered([value if value.strip() else None for value in self.table[columns[position]]])


def numbered(values: Sequence[str | None]) -> NDArray[np.int64]:
    """(N,) the values as numbers in order of appearance; -1 for None."""
    codes, _ = pd.factorize(
        np.array([*values, ""], dtype=object)[:-1]
    )  # the added value makes an array of objects even of no values
    return codes.astype(np.int64)


def read_works(source: str, reading: Reading = QUIET, required: Sequence[str] = (FILENAME,)) -> Works:
    """Read the works of a folder or of a table with the column `filename`.

    A folder holds images, or a subfolder for each artist: the first subfolder of an image is its artist. The files of a
    table need not exist. Notes about what is passed over, and about artists, go to `reading.say`.

    Raises:
        InputError: the source does not exist, has no works, or is not a readable table.
    """
    path = Path(source).expanduser()
    with reading_of(source):  # a folder without permission, a name too long
        is_folder, exists = path.is_dir(), path.exists()
    if is_folder:
        works, notes = _from_folder(path)
    elif exists:
        found = read_work_table(path, reading.columns, required)
        works, notes = Works(found.table, None, source), found.notes
    else:
        raise InputError(
            f"{path}: no such file or folder. Name a folder of images, or a table with the column {FILENAME}."
        )
    if reading.needs_text:
        check_text(works.names, source)
    table, artist_notes = settle_artists(works.table, reading.qualified, source)
    for note in (*notes, *(artist_notes if reading.needs_artists else [])):
        reading.say(note)
    return Works(table, works.folder, source)


def _from_folder(folder: Path) -> tuple[Works, list[str]]:
    listing = list_folder(folder)
    artists = [artist_of(name) for name in listing.names]
    columns = {FILENAME: listing.names} | ({ARTIST: artists} if any(artists) else {})
    table = pd.DataFrame(columns, dtype=object)  # pandas' text can't hold a name that is not UTF-8
    return Works(table, folder, str(folder)), listing.notes(folder)
