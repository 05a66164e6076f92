"""Works for pairs and searches: their names, and their artists if known.

`artsim score` finds images by these names. A name is a path within a folder, with `/`, or a value of a csv's column
`filename`.
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
    """`table`: filename and other columns, all text; `folder`: the folder of the files, None for a csv."""

    table: pd.DataFrame
    folder: Path | None
    source: str

    @property
    def names(self) -> list[str]:
        """(N,) the names of the works."""
        return list(self.table["filename"])

    @property
    def artists(self) -> list[str | None]:
        """(N,) the artist of each work; None if unknown."""
        if "artist" not in self.table.columns:
            return [None] * len(self.table)
        return [artist if artist.strip() else None for artist in self.table["artist"]]

    def labels(self, column: str) -> NDArray[np.int64]:
        """(N,) the values of a column as numbers in order of appearance; -1 for an empty cell.

        Raises:
            InputError: there is no such column.
        """
        if column not in self.table.columns:
            columns = ", ".join(self.table.columns)
            raise InputError(f"{self.source}: there is no column {column}. The columns are: {columns}.")
        return numbered([value if value.strip() else None for value in self.table[column]])


def numbered(values: Sequence[str | None]) -> NDArray[np.int64]:
    """(N,) the values as numbers in order of appearance; -1 for None."""
    codes, _ = pd.factorize(
        np.array([*values, ""], dtype=object)[:-1]
    )  # the added value makes an array of objects even of no values
    return codes.astype(np.int64)


def read_works(source: str) -> Works:
    """Read the works of a folder or of a csv with the column `filename`.

    A folder holds images, or one subfolder per artist. The files of a csv need not exist.

    Raises:
        InputError: the source does not exist, has no works, or is not a readable csv.
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
    artists = [image.artist for image in found if image.artist is not None]  # known for all images or for none
    table = pd.DataFrame({"filename": names, "artist": artists} if artists else {"filename": names}, dtype=str)
    return Works(table, folder, str(folder))


def _check_text(names: Sequence[str], source: str) -> None:
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{source}: the file name {name!a} is not UTF-8 text. Rename the file.") from error


def read_queries(sources: Sequence[str], collection: Works) -> Works:
    """Read queries to a collection from image files, folders and csv files.

    A file in the collection's folder is named by its path within it. Any other file is named by its full path. Names
    in a csv are not changed. The artist of a work that is in the collection is the one given there.

    Raises:
        InputError: as `read_works`, or a query is named twice.
    """
    tables = [_query_table(source, collection.folder) for source in sources]
    table = pd.concat(tables, ignore_index=True).fillna("")
    again = table["filename"][table["filename"].duplicated()]
    if len(again):
        raise InputError(f"These queries are named twice: {first_few(list(again.unique()))}. Name each once.")
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
    """An absolute path without `..`. Links are not resolved: a link in the collection's folder is a file in it."""
    return Path(os.path.normpath(path.absolute()))
