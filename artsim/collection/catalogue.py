"""The catalogue: a table of all works that a run may choose from, and the folder of their files.

The table has one row for each work, in the order of the source. `filename` and `artist` come first, then the other
columns of the source (title, style, genre, date, …). All values are text.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from platformdirs import user_cache_path

from artsim import demo
from artsim.errors import InputError

DEMO = "demo"
REQUIRED = ("filename", "artist")
IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class Catalogue:
    """`table` has filename, artist and more; `folder` holds the files; `source` is what the user named."""

    table: pd.DataFrame
    folder: Path
    source: str


def read_catalogue(
    source: str,
    data_dir: Path | None,
    *,
    artists: int,
    works: int,
    progress: Callable[[int, int], None] | None = None,
) -> Catalogue:
    """Read a csv, a folder with one folder for each artist, or the embedded collection.

    Args:
        source: a path, or `demo`.
        data_dir: the folder of a csv's files; None: the csv's own folder.
        artists: number of artists of the embedded collection.
        works: number of works by each of them.
        progress: receives (works written, all works) of the embedded collection.

    Raises:
        InputError: the source does not exist or is no collection.
    """
    if source.lower() == DEMO:
        folder = user_cache_path("artsim") / f"demo-{demo.GENERATOR}"
        listed = demo.write_demo(folder, artists, works, progress=progress, csv_name=f"{artists}x{works}.csv")
        return _from_csv(listed, folder / demo.IMAGES, DEMO)
    path = Path(source).expanduser()
    if path.is_dir():
        return _from_folder(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder. Name a csv, a folder of artists, or '{DEMO}'.")
    return _from_csv(path, data_dir, source)


def _from_folder(folder: Path) -> Catalogue:
    files = sorted(file for file in folder.glob("*/*") if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file())
    if not files:
        raise InputError(
            f"{folder}: no images found. The folder needs one folder for each artist, with the works inside."
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
    """Read a csv as text cells, with the required columns first.

    Raises:
        InputError: not a csv in UTF-8, a missing column, a repeated file name, no rows, or an empty required cell.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a first row with too many fields
            table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except (OSError, ValueError, pd.errors.ParserWarning) as error:  # its parser and decoding errors are ValueErrors
        raise InputError(f"{path}: can't be read as a csv ({str(error).strip()}). Save it as csv in UTF-8.") from error
    table = table.fillna("")  # fields that a short row lacks
    missing = [column for column in required if column not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns)) or "none"
        raise InputError(f"{path}: no column {' and no column '.join(missing)}; the columns found: {found}.")
    if table.empty:
        raise InputError(f"{path}: has a header but no rows.")
    for column in required:
        empty = table[column].str.strip() == ""
        if empty.any():
            row = int(empty.to_numpy().argmax()) + 1
            raise InputError(f"{path}: row {row} after the header has an empty {column}. Fill it or remove the row.")
    if table["filename"].duplicated().any():
        row = int(table["filename"].duplicated().to_numpy().argmax())
        raise InputError(
            f"{path}: {table['filename'].iloc[row]!r} is listed twice, the second time in row {row + 1} after the "
            "header. Keep one."
        )
    others = [column for column in table.columns if column not in required]
    return table[[*required, *others]]


def find_folder(path: Path, data_dir: Path | None, filenames: pd.Series[str]) -> Path:
    """Find the folder of a csv's files: `data_dir`, the csv's own folder, or the folder that Painter by Numbers uses.

    Painter by Numbers has the folder `train` beside `train_info.csv`. The first 20 files are looked for.

    Raises:
        InputError: no folder holds any of them.
    """
    candidates = [data_dir] if data_dir else [path.parent, path.parent / path.stem.removesuffix("_info")]
    first = list(filenames.head(20))
    for folder in candidates:
        if any((folder / name).is_file() for name in first):
            return folder
    looked = " or ".join(str(folder) for folder in candidates)
    raise InputError(
        f"{path}: its first file {first[0]!r} is not in {looked}. Name the images' folder with --data-dir."
    )
