"""The selection: the works that one run uses, with their split. `selection.csv` holds it.

The table has `filename`, `artist`, `split` and the source's other columns, one row a work; `split` is `train`,
`val_seen` or `val_unseen`. The digest is the SHA-256 of its rows sorted by filename, written as csv.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from artsim.collection.catalogue import Catalogue, find_folder, read_table
from artsim.errors import InputError
from artsim.files import replacing
from artsim.messages import counted

TRAIN = "train"
VAL_SEEN = "val_seen"
VAL_UNSEEN = "val_unseen"
SPLITS = (TRAIN, VAL_SEEN, VAL_UNSEEN)


@dataclass(frozen=True)
class Selection:
    """`table` has filename, artist, split and more; `folder` holds the files; `source` is what the user named."""

    table: pd.DataFrame
    folder: Path
    source: str

    @property
    def digest(self) -> str:
        """SHA-256 of the rows sorted by filename."""
        return hashlib.sha256(as_csv(self.table.sort_values("filename")).encode()).hexdigest()

    def part(self, split: str) -> pd.DataFrame:
        """The works of one split, in the selection's order."""
        return self.table[self.table["split"] == split].reset_index(drop=True)

    def paths(self, table: pd.DataFrame) -> list[Path]:
        """The files of some works."""
        return [self.folder / name for name in table["filename"]]

    def write(self, path: Path) -> None:
        """Write `selection.csv`, whole or not at all.

        Raises:
            OutputError: it can't be written.
        """
        with replacing(path) as file:
            file.write(as_csv(self.table))


def as_csv(table: pd.DataFrame) -> str:
    """A table as csv text, the same on every system."""
    return table.to_csv(index=False, lineterminator="\n")


def choose(catalogue: Catalogue, artists: int, works: int, seed: int) -> tuple[Catalogue, list[str]]:
    """Choose the artists with most works, ties in the source's order, and random works of each.

    Returns:
        The chosen works in the source's order, and notes for the user if there are fewer artists or works than
        requested.
    """
    counts = catalogue.table["artist"].value_counts(sort=False)  # in order of appearance
    chosen = counts.sort_values(ascending=False, kind="stable").head(artists)
    notes = []
    if len(counts) < artists:
        there = counted(len(counts), "artist")
        notes.append(f"{catalogue.source} has {there}, fewer than the {artists} requested. All are used.")
    short = int((chosen < works).sum())
    if short:
        have = "has" if short == 1 else "have"
        notes.append(f"{short} of the {len(chosen)} artists {have} fewer than {works} works. All of them are used.")
    table = catalogue.table[catalogue.table["artist"].isin(chosen.index)]
    drawn = table.sample(frac=1, random_state=seed).groupby("artist", sort=False).head(works)
    return Catalogue(
        table.loc[drawn.index.sort_values()].reset_index(drop=True), catalogue.folder, catalogue.source
    ), notes


def read_selection(path: Path, data_dir: Path | None) -> Selection | Catalogue:
    """Read a saved selection: `selection.csv`, or the 2018 program's text file of `path label` lines.

    Returns:
        A selection, or a catalogue if the file has no split.

    Raises:
        InputError: no such file, or neither format.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file. --read-prefetched-data needs a saved selection.")
    table = read_table(path) if _has_csv_header(path) else _read_old_text(path)
    folder = find_folder(path, data_dir, table["filename"])
    if "split" not in table.columns:
        return Catalogue(table, folder, str(path))
    wrong = ~table["split"].isin(SPLITS)
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise InputError(
            f"{path}: row {row + 1} after the header has the split {table['split'].iloc[row]!r}; "
            f"it is one of {', '.join(SPLITS)}."
        )
    others = [column for column in table.columns if column not in ("filename", "artist", "split")]
    return Selection(table[["filename", "artist", "split", *others]], folder, str(path))


def _has_csv_header(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline(65_536)
    return {"filename", "artist"} <= {column.strip('"') for column in header.strip().split(",")}


def _read_old_text(path: Path) -> pd.DataFrame:
    """Lines of `path label`, split at the first space. The 2018 program could not use paths with spaces."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: neither a selection.csv nor the old text file ({error}).") from error
    rows = [(number, *line.partition(" ")) for number, line in enumerate(lines, start=1) if line.strip()]
    for number, filename, _, label in rows:
        if not filename or not label.strip():
            raise InputError(
                f"{path}: line {number} is not 'path label', and the file has no csv header with filename and artist."
            )
    if not rows:
        raise InputError(f"{path}: empty.")
    return pd.DataFrame({"filename": [row[1] for row in rows], "artist": [row[3].strip() for row in rows]})
