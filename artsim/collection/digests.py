"""The works of a selection by content: `works.csv` with the columns filename, artist, split and sha256.

Names differ between collections; the bytes of a file do not. So two runs can tell which works they share.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from artsim.collection.selection import TRAIN, Selection, as_csv
from artsim.errors import InputError
from artsim.files import file_sha256, replacing
from artsim.machine import core_count
from artsim.prefetch import prefetch_map

COLUMNS = ["filename", "artist", "split", "sha256"]


def write_works(selection: Selection, path: Path) -> None:
    """Compute the digests of all files, and write the table.

    Raises:
        InputError: a file has gone since it was selected.
        OutputError: the table cannot be written.
    """
    works = selection.table[COLUMNS[:3]]
    try:
        digests = list(prefetch_map(file_sha256, selection.paths(works), 2 * core_count()))
    except OSError as error:
        raise InputError(f"{error.filename}: can't be read ({error.strerror}). Restore the file.") from error
    with replacing(path) as file:
        file.write(as_csv(works.assign(sha256=digests)))


def read_works(path: Path) -> pd.DataFrame:
    """Read the table.

    Raises:
        InputError: it is not such a table.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        return table[COLUMNS]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: not a table of works of `artsim train` ({error}).") from error


def fitted_digests(works: pd.DataFrame, *, refit: bool) -> set[str]:
    """The digests of the works that a tower was fitted on: the training works, or all of them after a refit."""
    fitted = works if refit else works[works["split"] == TRAIN]
    return set(fitted["sha256"])
