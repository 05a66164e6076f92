"""Works to pair or to search: their names, and their artists if known.

The names are those that scoring looks up: paths within a folder, with `/`, or the csv's column `filename`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.collection.catalogue import read_table
from artsim.collection.inputs import list_folder
from artsim.errors import InputError
from artsim.messages import first_few

CSV_SUFFIX = ".csv"


@dataclass(frozen=True)
class Works:
    """`table` has filename and more, all text. `folder` holds the names; it is None for a csv."""

    table: pd.DataFrame
    folder: Path | None
    source: str

    @property
    def names(self) -> list[str]:
        """(N,) of the works."""
        return list(self.table["filename"])

    @property
    def artists(self) -> list[str | None]:
        """(N,) who made each work; None where nothing says so."""
        if "artist" not in self.table.columns:
            return [None] * len(self.table)
        return [artist if artist.strip() else None for artist in self.table["artist"]]

    def labels(self, column: str) -> NDArray[np.int64]:
        """(N,) a number for each value of a column, in order of appearance; -1 for an empty cell.

        Raises:
            InputError: no such column.
        """
        if column not in self.table.columns:
            raise InputError(f"{self.source}: no column {column}; the columns found: {', '.join(self.table.columns)}.")
        return numbered([value if value.strip() else None for value in self.table[column]])


def numbered(values: Sequence[str | None]) -> NDArray[np.int64]:
    """(N,) a number for each different value, in order of appearance; -1 for None."""
    codes, _ = pd.factorize(np.array([*values, ""], dtype=object)[:-1])  # of no values, too, an array of objects
    return codes.astype(np.int64)


def read_works(source: str) -> Works:
    """Read a folder of works, a folder with one folder for each artist, or a csv with the column `filename`.

    A csv's files need not be there.

    Raises:
        InputError: nothing there, no works in it, or no csv that can be read.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _from_folder(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder. Name a folder of images, or a csv with the column filename.")
    return Works(read_table(path, required=("filename",)), None, source)


def _from_folder(folder: Path) -> Works:
    found = list_folder(folder)
    names = [image.name for image in found]
    _check_text(names, str(folder))
    artists = [image.artist for image in found if image.artist is not None]  # of all of them, or of none
    table = pd.DataFrame({"filename": names, "artist": artists} if artists else {"filename": names}, dtype=str)
    return Works(table, folder, str(folder))


def _check_text(names: Sequence[str], source: str) -> None:
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{source}: the file name {name!a} is not UTF-8 text. Rename the file.") from error


def read_queries(sources: Sequence[str], collection: Works) -> Works:
    """Queries: image files, folders of images and csv files, named as the works of a collection.

    A file in the collection's folder is named by its path within it, any other file by its full path. The names of a
    csv stay. The collection's artist of a work counts.

    Raises:
        InputError: as `read_works`, or a repeated name.
    """
    tables = [_query_table(source, collection.folder) for source in sources]
    table = pd.concat(tables, ignore_index=True).fillna("")
    again = table["filename"][table["filename"].duplicated()]
    if len(again):
        raise InputError(f"these queries are named twice: {first_few(list(again.unique()))}. Name each once.")
    known = dict(zip(collection.names, collection.artists, strict=True))
    own = Works(table, None, "").artists
    artists = [known.get(name) or artist for name, artist in zip(table["filename"], own, strict=True)]
    table = table[["filename"]].assign(artist=[artist or "" for artist in artists])
    return Works(table, collection.folder, ", ".join(sources))


def _query_table(source: str, folder: Path | None) -> pd.DataFrame:
    path = Path(source).expanduser()
    if path.is_file() and path.suffix.lower() != CSV_SUFFIX:
        name = _name_from(path, folder)
        _check_text([name], source)
        return pd.DataFrame({"filename": [name]}, dtype=str)
    works = read_works(source)
    if works.folder is None:
        return works.table
    return works.table.assign(filename=[_name_from(works.folder / name, folder) for name in works.names])


def _name_from(path: Path, folder: Path | None) -> str:
    full = _full(path)
    if folder is not None and full.is_relative_to(_full(folder)):
        return full.relative_to(_full(folder)).as_posix()
    return full.as_posix()


def _full(path: Path) -> Path:
    """The path without `..`. Links stay: a link in the collection's folder is in the collection."""
    return Path(os.path.normpath(path.absolute()))
