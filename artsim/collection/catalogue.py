"""A catalogue: a table of paintings, one row per work, and the folder of their files.

The table has the columns `filename` and `artist`, then the other columns of its source (title, style, genre, date, …).
All values are text. The rows are in the order of the source.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from platformdirs import user_cache_path

from artsim import demo
from artsim.errors import InputError
from artsim.image_names import ImageNames
from artsim.messages import Progress

DEMO = "demo"
REQUIRED = ("filename", "artist")
IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


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
        """A line about names that were found under another spelling; empty if there are none."""
        lookup = ImageNames(self.folder)
        lookup.paths(list(self.table["filename"]))
        return lookup.note


def read_catalogue(
    source: str,
    data_dir: Path | None,
    *,
    artists: int,
    works: int,
    progress: Progress | None = None,
) -> Catalogue:
    """Read a csv, a folder with one subfolder per artist, or the embedded collection.

    Args:
        source: a path, or `demo`.
        data_dir: the folder of a csv's files; None: see `find_folder`.
        artists: the number of artists of the embedded collection.
        works: the number of works of each of them.
        progress: receives the progress of painting the embedded collection.

    Raises:
        InputError: the source does not exist, or can't be read as a collection.
    """
    if source.lower() == DEMO:
        folder = user_cache_path("artsim") / f"demo-{demo.GENERATOR}"
        listed = demo.write_demo(folder, artists, works, progress=progress, csv_name=f"{artists}x{works}.csv")
        return _from_csv(listed, folder / demo.IMAGES, DEMO)
    path = Path(source).expanduser()
    if path.is_dir():
        return _from_folder(path)
    if not path.exists():
        raise InputError(
            f"{path}: no such file or folder. Name a csv, a folder with one subfolder per artist, or '{DEMO}'."
        )
    return _from_csv(path, data_dir, source)


def _from_folder(folder: Path) -> Catalogue:
    files = sorted(file for file in folder.glob("*/*") if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file())
    if not files:
        raise InputError(
            f"{folder}: the folder has no images. Put the works of each artist into a subfolder of their own."
        )
    table = pd.DataFrame(
        {
            "filename": [f"{file.parent.name}/{file.name}" for file in files],
            "artist": [file.parent.name for file in files],
        }
    )
    return Catalogue(table, folder, str(folder))


def _from_csv(path: Path, data_dir: Path | None, source: str) -> Catalogue:
    table = read_table(path)
    return Catalogue(table, find_folder(path, data_dir, table["filename"]), source)


def read_table(path: Path, required: Sequence[str] = REQUIRED) -> pd.DataFrame:
    """Read a csv as text, with the required columns first.

    Raises:
        InputError: the file is not a csv in UTF-8, lacks a required column, has no rows, has an empty cell in a
            required column, or lists a file twice.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # raised for a first row with too many fields
            table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except (
        OSError,
        ValueError,
        pd.errors.ParserWarning,
    ) as error:  # pandas' parser and decoding errors are ValueErrors
        raise InputError(f"{path}: the file can't be read as a csv in UTF-8 ({str(error).strip()}).") from error
    table = table.fillna("")  # fields that a short row lacks
    missing = [column for column in required if column not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns)) or "none"
        raise InputError(
            f"{path}: the csv has no column {' and no column '.join(missing)}. It has the columns: {found}."
        )
    if table.empty:
        raise InputError(f"{path}: the csv has a header but no rows.")
    for column in required:
        empty = table[column].str.strip() == ""
        if empty.any():
            row = int(empty.to_numpy().argmax()) + 1
            raise InputError(f"{path}: row {row} after the header has an empty {column}. Fill it or remove the row.")
    if table["filename"].duplicated().any():
        row = int(table["filename"].duplicated().to_numpy().argmax())
        raise InputError(
            f"{path}: {table['filename'].iloc[row]!r} is listed twice. Remove one of the rows; the second is row "
            f"{row + 1} after the header."
        )
    others = [column for column in table.columns if column not in required]
    return table[[*required, *others]]


def find_folder(path: Path, data_dir: Path | None, filenames: pd.Series[str]) -> Path:
    """Find the folder of a csv's files.

    It is `data_dir` if given. Otherwise it is the folder of the csv, or, as in Painter by Numbers, the folder `train`
    next to `train_info.csv`. A folder is accepted if it has one of the first 20 files.

    Raises:
        InputError: no folder has one of them.
    """
    candidates = [data_dir] if data_dir else [path.parent, path.parent / path.stem.removesuffix("_info")]
    first = list(filenames.head(20))
    for folder in candidates:
        if any((folder / name).is_file() for name in first):
            return folder
    for folder in candidates:  # only now: a name that is a file as it is written says more
        lookup = ImageNames(folder)
        lookup.paths(first)
        if lookup.found:
            return folder
    searched = " or ".join(str(folder) for folder in candidates)
    raise InputError(f"{path}: its first file {first[0]!r} is not in {searched}. Name the folder with --data-dir.")
