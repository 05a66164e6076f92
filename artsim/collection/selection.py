"""A selection: the works that one run uses and their split, as saved in `selection.csv`.

The table has the columns `filename`, `artist`, `split` and the other columns of its source, one row per work. `split`
is `train`, `val_seen` or `val_unseen`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from artsim.collection.catalogue import Catalogue
from artsim.collection.columns import ARTIST, FILENAME, position_of
from artsim.collection.folders import find_folder
from artsim.collection.work_tables import has_columns, read_work_table
from artsim.collection.works import QUIET, Reading
from artsim.errors import InputError
from artsim.files import replacing
from artsim.messages import counted, first_few, quoted
from artsim.tables.bounds import reading as reading_of

TRAIN = "train"
VAL_SEEN = "val_seen"
VAL_UNSEEN = "val_unseen"
SPLITS = (TRAIN, VAL_SEEN, VAL_UNSEEN)


@dataclass(frozen=True)
class Selection(Catalogue):
    """A catalogue whose works are split: its table has the column `split` after `filename` and `artist`."""

    @property
    def digest(self) -> str:
        """SHA-256 of the rows sorted by filename, as csv."""
        return hashlib.sha256(as_csv(self.table.sort_values("filename")).encode()).hexdigest()

    def part(self, split: str) -> pd.DataFrame:
        """The works of one part, in the selection's order."""
        return self.table[self.table["split"] == split].reset_index(drop=True)

    def write(self, path: Path) -> None:
        """Write `selection.csv`, completely or not at all.

        Raises:
            OutputError: the file can't be written.
        """
        with replacing(path) as file:
            file.write(as_csv(self.table))


def as_csv(table: pd.DataFrame) -> str:
    """The table as csv text, the same on every system."""
    return table.to_csv(index=False, lineterminator="\n")


def choose(catalogue: Catalogue, artists: int | None, works: int | None, seed: int) -> tuple[Catalogue, list[str]]:
    """Choose the artists with the most works, and at most `works` random works of each. None: all of them.

    Artists with equally many works are taken in the order of the source.

    Returns:
        The chosen works in the order of the source, and notes for the user if there are fewer artists or works.
    """
    counts = catalogue.table["artist"].value_counts(sort=False)  # in order of appearance
    chosen = counts.sort_values(ascending=False, kind="stable").head(artists or len(counts))
    notes = []
    if artists is not None and len(counts) < artists:
        there = counted(len(counts), "artist")
        notes.append(f"{catalogue.source} has {there}, fewer than --num-of-artists {artists}. All are used.")
    short = int((chosen < (works or 0)).sum())
    if short:
        have = "has" if short == 1 else "have"
        notes.append(f"{short} of the {len(chosen)} artists {have} fewer than {works} works. All of them are used.")
    table = catalogue.table[catalogue.table["artist"].isin(chosen.index)]
    if works is not None:
        drawn = table.sample(frac=1, random_state=seed).groupby("artist", sort=False).head(works)
        table = table.loc[drawn.index.sort_values()]
    return replace(catalogue, table=table.reset_index(drop=True)), notes


def read_selection(path: Path, data_dir: Path | None, reading: Reading = QUIET) -> Catalogue:
    """Read a saved selection: `selection.csv`, or the text file of the 2018 program with `path label` on each line.

    The artists are as written: the selection was made of them.

    Returns:
        A `Selection`; a plain catalogue if the file has no column `split`.

    Raises:
        InputError: the file does not exist, or has neither format.
    """
    with reading_of(str(path)):
        is_file = path.is_file()
    if not is_file:
        raise InputError(
            f"{path}: no such file. With --read-prefetched-data, --data-file-path must name a saved selection."
        )
    is_table = has_columns(path, reading.columns, (FILENAME, ARTIST))
    table = _read_rows(path, reading) if is_table else _read_old_text(path)
    folder = find_folder(path, data_dir, table["filename"])
    position = position_of("split", list(table.columns))
    if position is None:
        return Catalogue(table, folder, str(path))
    table = table.rename(columns={table.columns[position]: "split"})
    _check_cells(table["split"].isin(SPLITS), table["split"], f"a split that is not one of {', '.join(SPLITS)}", path)
    others = [column for column in table.columns if column not in ("filename", "artist", "split")]
    return Selection(table[["filename", "artist", "split", *others]], folder, str(path))


def _read_rows(path: Path, reading: Reading) -> pd.DataFrame:
    found = read_work_table(path, reading.columns, (FILENAME, ARTIST))
    for note in found.notes:
        reading.say(note)
    _check_cells(found.table[ARTIST].str.strip() != "", found.table[ARTIST], "no artist", path)
    return found.table


def _check_cells(is_right: pd.Series[bool], cells: pd.Series[str], fault: str, path: Path) -> None:
    wrong = [f"row {row + 1:,}" + (f": {quoted(cells[row])}" if cells[row] else "") for row in cells.index[~is_right]]
    if wrong:
        rows = counted(len(wrong), "row")
        raise InputError(f"{path}: {rows} below the header with {fault} ({first_few(wrong)}). Correct the file.")


def _read_old_text(path: Path) -> pd.DataFrame:
    """Read lines of `path label`, split at the first space. The 2018 program could not use paths with spaces."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: the file is neither a csv nor lines of 'path label' in UTF-8 ({error}).") from error
    rows = [(number, *line.partition(" ")) for number, line in enumerate(lines, start=1) if line.strip()]
    for number, filename, _, label in rows:
        if not filename or not label.strip():
            raise InputError(
                f"{path}: line {number} is not 'path label', and the file has no csv header with filename and artist. "
                "Name a saved selection."
            )
    if not rows:
        raise InputError(f"{path}: the file is empty. Name a saved selection.")
    return pd.DataFrame({"filename": [row[1] for row in rows], "artist": [row[3].strip() for row in rows]})
