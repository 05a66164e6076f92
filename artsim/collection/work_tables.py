"""Tables of works: csv, jsonl and parquet, read as text into a pandas table.

Rows are counted from 1, in a csv below the header. Blank lines are not rows.
"""

from __future__ import annotations

import posixpath
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from artsim.collection.columns import ARTIST, FILENAME, Columns
from artsim.errors import InputError
from artsim.files import is_stream
from artsim.json_fields import LONGEST
from artsim.messages import counted, first_few, quoted, shortened
from artsim.tables.arrow import as_texts
from artsim.tables.bounds import reading
from artsim.tables.compression import split_suffix
from artsim.tables.readers import open_reader

# Suffixes that tell a table from an image. Each text format may be compressed.
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".jsonl", ".parquet"})
_NO_NAME = "Unnamed: "  # pandas' name of a column without one


@dataclass(frozen=True)
class WorkTable:
    """`table`: filename, artist if known, then the other columns in the file's order, all text.

    Columns of `columns.NAMES` have these names. `notes` are for the user.
    """

    table: pd.DataFrame
    notes: list[str]


def is_table(path: Path) -> bool:
    """Whether a file is a table by its suffix."""
    return split_suffix(path)[0] in TABLE_SUFFIXES


def has_columns(path: Path, columns: Columns, required: Sequence[str] = (FILENAME,)) -> bool:
    """Whether a regular file can be opened as a table, and has the columns that are required."""
    try:
        with reading(str(path)):
            if not path.is_file():
                return False
        header = open_reader(path, str(path)).schema.names
        return bool(columns.find(header, required, str(path)))
    except InputError:
        return False


def read_work_table(path: Path, columns: Columns, required: Sequence[str] = (FILENAME,)) -> WorkTable:
    """Read a table of works: one row for each, no file twice.

    Rows of empty cells are passed over. So are columns that have no name, or hold neither text nor numbers.

    Args:
        path: the file; without a known suffix it is a csv.
        columns: those that the user names.
        required: the columns of `columns.NAMES` that must be there. Each filename must be filled.

    Raises:
        InputError: the file can't be read, lacks a column or rows, or has faulty rows. The message counts all of them.
    """
    with _file_of(path) as (file, is_copy):
        reader = open_reader(file, str(path), sniff=is_copy)
        header = reader.schema.names
        place = columns.find(header, required, str(path))
        cells, notes = _columns_of(list(reader.batches()), reader.schema, path)
    lost = [name for name, position in place.items() if position not in cells]
    if lost:
        raise InputError(f"{path}: the column {quoted(header[place[lost[0]]])} holds no text. Name another: --columns.")
    name_of = _names_of(header, place)
    first = [place[name] for name in (FILENAME, ARTIST) if name in place]
    order = [*first, *(position for position in cells if position not in first)]
    table = pd.DataFrame({name_of[position]: cells[position] for position in order}, dtype=str)
    filled = (table.apply(lambda column: column.str.strip()) != "").any(axis=1)
    table = table[filled]
    _check_rows(table, path)
    notes += _note_of_letter_case(table[FILENAME], path)
    return WorkTable(table.reset_index(drop=True), [*filter(None, [reader.note]), *notes])


@contextmanager
def _file_of(path: Path) -> Iterator[tuple[Path, bool]]:
    """The file itself, or a copy of what a pipe holds, as a table is read more than once."""
    if not is_stream(str(path)):
        yield path, False
        return
    with tempfile.TemporaryDirectory(prefix="artsim-") as folder:
        copy = Path(folder, "works")
        with reading(str(path)), path.open("rb") as stream, copy.open("wb") as file:
            shutil.copyfileobj(stream, file)
        yield copy, True


def _columns_of(batches: list[pa.RecordBatch], schema: pa.Schema, path: Path) -> tuple[dict[int, list[str]], list[str]]:
    """The cells of each column that is read, by its position, and a note about columns that are not."""
    cells: dict[int, list[str]] = {}
    not_text, nameless = [], 0
    for position, name in enumerate(schema.names):
        try:
            texts = [text for batch in batches for text in as_texts(batch.column(position)).to_pylist()]
        except pa.ArrowException:  # lists, structs, bytes
            not_text.append(name)
            continue
        if name.strip() and not name.startswith(_NO_NAME):
            cells[position] = texts
        elif not _is_index(texts):
            nameless += 1
    passed_over = [f"{counted(nameless, 'column')} without a name"] if nameless else []
    if not_text:
        passed_over.append(
            f"{counted(len(not_text), 'column')} without text or numbers ({first_few([*map(shortened, not_text)])})"
        )
    return cells, [f"{path}: {' and '.join(passed_over)} passed over."] if passed_over else []


def _is_index(texts: list[str]) -> bool:
    """Whether a column numbers the rows, as pandas' index does; rows may have been left out."""
    return all(text.isdecimal() or not text.strip() for text in texts)


def _names_of(header: Sequence[str], place: dict[str, int]) -> dict[int, str]:
    """A name for each column by its position. Names that are there already get a number."""
    names = {position: name for name, position in place.items()}
    for position, column in enumerate(header):
        taken, name, number = set(names.values()), column.strip(), 0
        while position not in names:
            if name not in taken:
                names[position] = name
            number += 1
            name = f"{column.strip()}.{number}"
    return names


def _path_of(name: str) -> str:
    r"""The path of a file: ./a.jpg is a.jpg, and b\a.jpg is b/a.jpg."""
    return posixpath.normpath(name.strip().replace("\\", "/"))


def _note_of_letter_case(names: pd.Series[str], path: Path) -> list[str]:
    """A note about names that differ only in letter case: whether they are one file is not known here."""
    again = names[names.str.casefold().duplicated()]
    if not len(again):
        return []
    first = dict(reversed(list(zip(names.str.casefold(), names, strict=True))))
    examples = [f"{quoted(first[name.casefold()])} and {quoted(name)}" for name in again]
    which = counted(len(again), "name")
    return [f"{path}: {which} that another one differs from only in letter case: {first_few(examples, '; ')}."]


def _check_rows(table: pd.DataFrame, path: Path) -> None:
    """Check that each row names a file, and no file twice. `table` has the rows' own numbers, from 0."""
    if table.empty:
        raise InputError(f"{path}: there are no rows below the header.")
    names = table[FILENAME].str.strip()
    faults = []
    empty = names[names == ""]
    if len(empty):
        rows = first_few([f"{row + 1:,}" for row in empty.index.tolist()])
        faults.append(f"{counted(len(empty), 'row')} without a {FILENAME} (row {rows}): fill them or remove the rows")
    long = table.index[table[ARTIST].str.len() > LONGEST].tolist() if ARTIST in table.columns else []
    if len(long):
        rows = first_few([f"{row + 1:,}" for row in long])
        faults.append(
            f"{counted(len(long), 'row')} with an {ARTIST} of more than {LONGEST:,} characters (row {rows}): shorten it"
        )
    paths = table[FILENAME].map(_path_of)
    again = paths[(names != "") & paths.duplicated()]
    if len(again):
        first = paths.drop_duplicates()
        row_of = dict(zip(first, first.index.tolist(), strict=True))
        rows_of = zip(again, again.index.tolist(), strict=True)
        rows = first_few([f"{quoted(name)} in the rows {row_of[name] + 1:,} and {row + 1:,}" for name, row in rows_of])
        faults.append(f"{counted(len(again), 'file')} listed twice ({rows}): remove one of the rows")
    if faults:
        raise InputError(f"{path}: {'; '.join(faults)}.")
