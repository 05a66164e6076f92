"""A catalogue: a table of paintings, one row per work, and the folder of their files.

The table has the columns `filename` and `artist`, then the other columns of its source (title, style, genre, date, …).
All values are text. The rows are in the order of the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from platformdirs import user_cache_path

from artsim import demo
from artsim.collection.artists import ATTRIBUTION
from artsim.collection.columns import ARTIST, FILENAME
from artsim.collection.folders import check_own_files, find_folder
from artsim.collection.works import QUIET, Reading, Works, read_works
from artsim.errors import InputError
from artsim.image_names import ImageNames
from artsim.messages import Progress, counted
from artsim.tables.bounds import reading as reading_of

DEMO = "demo"


@dataclass(frozen=True)
class Catalogue:
    """`table`: filename, artist, …; `folder`: the folder of the files; `source`: the name that messages use."""

    table: pd.DataFrame
    folder: Path
    source: str

    def paths(self, table: pd.DataFrame) -> list[Path]:
        """The files of some of the works."""
        lookup = ImageNames(self.folder)
        return [lookup.path(name) or self.folder for name in table["filename"]]

    def names_note(self) -> str:
        """A line about names that were found under another spelling; empty if there are none.

        Raises:
            InputError: two works have one file.
        """
        lookup, names = ImageNames(self.folder), list(self.table["filename"])
        lookup.paths(names)
        check_own_files(names, lookup, self.source)
        return lookup.note


def read_catalogue(
    source: str,
    data_dir: Path | None,
    reading: Reading = QUIET,
    *,
    artists: int | None = None,
    works: int | None = None,
    progress: Progress | None = None,
) -> Catalogue:
    """Read the works with an artist: of a table, of a folder with one subfolder per artist, or the embedded collection.

    Args:
        source: a path, or `demo`.
        data_dir: the folder of a table's files; None: see `find_folder`.
        reading: how a collection is read. `reading.say` receives the number of works without an artist.
        artists: the number of artists of the embedded collection, which has no whole.
        works: the number of works of each of them.
        progress: receives the progress of painting the embedded collection.

    Raises:
        InputError: the source does not exist, can't be read as a collection, or no work has an artist.
    """
    if source.lower() == DEMO:
        folder = user_cache_path("artsim") / f"demo-{demo.GENERATOR}"
        if artists is None or works is None:
            raise ValueError("the embedded collection needs a number of artists and of works")
        listed = demo.write_demo(folder, artists, works, progress=progress, csv_name=f"{artists}x{works}.csv")
        found = read_works(str(listed), Reading(reading.say), (FILENAME, ARTIST))
        return Catalogue(found.table, folder / demo.IMAGES, DEMO)
    check_source(source)
    path = Path(source).expanduser()
    found = read_works(source, reading, (FILENAME, ARTIST))
    table = _with_artist(found, reading)
    return Catalogue(table, found.folder or find_folder(path, data_dir, found.names), source)


def check_source(source: str) -> None:
    """Check that a collection is there.

    Raises:
        InputError: it is not.
    """
    if source.lower() == DEMO:
        return
    path = Path(source).expanduser()
    with reading_of(source):
        exists = path.exists()
    if not exists:
        raise InputError(
            f"{path}: no such file or folder. Name a table, a folder with one subfolder per artist, or '{DEMO}'."
        )


def _with_artist(works: Works, reading: Reading) -> pd.DataFrame:
    without = works.without_artist
    if without == len(works.table):
        raise InputError(
            f"{works.source}: no work has an artist. Put the works of each artist into a subfolder of their own, or "
            "fill the column artist."
        )
    if not without:
        return works.table
    reading.say(f"{works.source}: {counted(without, 'work')} of {len(works.table):,} without an artist left out.")
    table = works.table[works.table[ARTIST] != ""].reset_index(drop=True)
    # An empty column would only change the selection's digest.
    is_empty = ATTRIBUTION in table.columns and not table[ATTRIBUTION].str.strip().any()
    return table.drop(columns=ATTRIBUTION) if is_empty else table
