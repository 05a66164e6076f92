"""Queries to a collection: image files, and the works of folders and tables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from artsim.collection.columns import ARTIST, FILENAME
from artsim.collection.folders import check_text
from artsim.collection.work_tables import is_table
from artsim.collection.works import QUIET, Reading, Works, read_works
from artsim.errors import InputError
from artsim.messages import first_few, shortened
from artsim.tables.bounds import reading as reading_of


def read_queries(sources: Sequence[str], collection: Works, reading: Reading = QUIET) -> Works:
    """Read queries to a collection from image files, folders and tables.

    A file in the collection's folder is named by its path within it. Any other file is named by its full path. Names
    in a table are not changed. The artist of a work that is in the collection is the one given there.

    Raises:
        InputError: as `read_works`, or a query is named twice.
    """
    tables = [_query_table(source, collection.folder, reading) for source in sources]
    table = pd.concat(tables, ignore_index=True).fillna("")
    again = table[FILENAME][table[FILENAME].duplicated()]
    if len(again):
        raise InputError(
            f"These queries are named twice: {first_few([*map(shortened, again.unique())])}. Name each once."
        )
    known = dict(zip(collection.names, collection.artists, strict=True))
    own = Works(table, None, "").artists
    artists = [known.get(name) or artist for name, artist in zip(table[FILENAME], own, strict=True)]
    table = pd.DataFrame({FILENAME: table[FILENAME], ARTIST: [artist or "" for artist in artists]}, dtype=str)
    return Works(table, collection.folder, ", ".join(sources))


def _query_table(source: str, folder: Path | None, reading: Reading) -> pd.DataFrame:
    path = Path(source).expanduser()
    with reading_of(source):
        is_image = path.is_file() and not is_table(path)
    if is_image:
        name = _name_from(path, folder)
        check_text([name], source)
        return pd.DataFrame({FILENAME: [name]}, dtype=str)
    works = read_works(source, reading)
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
