"""A file of pairs, read in blocks, as often as needed: csv, jsonl or parquet.

Rows are counted from 1 (in a csv, below the header); blank lines are no rows.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from artsim.errors import InputError
from artsim.tables.arrow import numbers_of, of_texts, text
from artsim.tables.readers import open_reader, reading

IMAGE_COLUMNS = (("image1", "image2"), ("img1", "img2"))
LABEL_COLUMN = "sameArtist"
SCORE_COLUMNS = ("distance", "probability", "prediction", "status")

_LABELS = of_texts(["0", "1"])


@dataclass(frozen=True)
class Block:
    """Some rows of a pairs file.

    `table` is a pyarrow RecordBatch of all its columns, `image1` and `image2` are arrays of strings (B,), empty where
    there is no name; `same` is uint8 (B,), 1 for the same artist, or None without labels.
    """

    table: Any
    image1: Any
    image2: Any
    same: NDArray[np.uint8] | None

    def __len__(self) -> int:
        return int(self.table.num_rows)


class PairsFile:
    """An open pairs file whose columns were checked.

    `name` is what messages call it; `is_copy` says that it is what came out of a pipe.

    Raises:
        InputError: not there, a folder, empty, not what its suffix says, or columns that can't be scored.
    """

    def __init__(self, path: Path, name: str, *, is_copy: bool = False) -> None:
        self.path = path
        self.name = name
        self._is_copy = is_copy
        self._at_first = self._state()
        self._source = open_reader(path, name, sniff=is_copy)
        self.schema: Any = self._source.schema
        self._check_columns()
        self._image1, self._image2 = self._image_columns()

    @property
    def labelled(self) -> bool:
        """Whether the file says which pairs are by the same artist."""
        return LABEL_COLUMN in self.schema.names

    def blocks(self) -> Iterator[Block]:
        """Read the rows from the first one on.

        Raises:
            InputError: a row that can't be used, with its number, or a file that has changed since it was opened.
        """
        before = 0
        try:
            for batch in self._source.batches():
                if batch.schema.names != self.schema.names:
                    raise self.changed()
                yield Block(
                    batch,
                    _texts(batch.column(self._image1)),
                    _texts(batch.column(self._image2)),
                    self._labels(batch, before),
                )
                before += batch.num_rows
        except InputError:
            self._check_unchanged()
            raise
        self._check_unchanged()

    def identity(self) -> str:
        """What tells this file from others, and from what it was before a change."""
        if self._is_copy:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        return f"{self.path.absolute()} {self._at_first}"

    def changed(self) -> InputError:
        """What is to be said where the file is not what it was."""
        return InputError(f"{self.name}: changed while it was read; start again once it is complete.")

    def _check_unchanged(self) -> None:
        if self._state() != self._at_first:
            raise self.changed()

    def _state(self) -> tuple[int, int]:
        """Size and time of the last change, which a file that is written to does not keep."""
        try:
            status = self.path.stat()
        except OSError:
            return -1, -1
        return status.st_size, status.st_mtime_ns

    def _labels(self, batch: Any, before: int) -> NDArray[np.uint8] | None:
        if not self.labelled:
            return None
        labels = pc.index_in(_texts(_as_numbers(batch.column(LABEL_COLUMN))), _LABELS)
        if labels.null_count:
            row = labels.is_null().to_pylist().index(True)
            wrong = batch.column(LABEL_COLUMN)[row].as_py()
            raise InputError(f"{self.name}, row {before + row + 1}: {LABEL_COLUMN} is {wrong!r}, should be 0 or 1.")
        return numbers_of(labels).astype(np.uint8)

    def _image_columns(self) -> tuple[str, str]:
        header = self.schema.names
        for first, second in IMAGE_COLUMNS:
            if first in header and second in header:
                return first, second
        wanted = " or ".join(",".join(columns) for columns in IMAGE_COLUMNS)
        raise InputError(f"{self.name}: needs the columns {wanted}, has {', '.join(header)}.")

    def _check_columns(self) -> None:
        header = self.schema.names
        for column in SCORE_COLUMNS:
            if column in header:
                raise InputError(
                    f"{self.name}: has a column '{column}', which the scores are to be written to; "
                    "rename it or leave it out."
                )
        for column, kind in zip(header, self.schema.types, strict=True):
            if header.count(column) > 1:
                raise InputError(f"{self.name}: has the column '{column}' more than once.")
            if not _can_be_text(kind):
                raise InputError(f"{self.name}: the column '{column}' holds {kind}; only text and numbers can be kept.")


@contextmanager
def open_pairs(source: str) -> Iterator[PairsFile]:
    """Open a file of pairs, `-` for standard input; what can't be read twice is copied to a temporary file.

    A file's format is what its suffix says, csv where that says nothing; that of a copy is seen in its first bytes.

    Raises:
        InputError: see PairsFile.
    """
    path = Path(source)
    with reading(source):
        is_pipe = source == "-" or (path.exists() and not path.is_file() and not path.is_dir())
    if not is_pipe:
        yield PairsFile(path, source)
        return
    with tempfile.TemporaryDirectory(prefix="artsim-") as folder:
        copy = Path(folder) / "pairs"
        try:
            with copy.open("wb") as file, _pipe(source) as pipe:
                shutil.copyfileobj(pipe, file)
        except OSError as error:
            raise InputError(f"{source}: can't be copied to {folder} to be read twice ({error.strerror}).") from error
        yield PairsFile(copy, "standard input" if source == "-" else source, is_copy=True)


def _pipe(source: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb")


def folder_of(source: str) -> Path:
    """Where a pairs file's images lie unless it is said: beside it; for `-`, the working folder."""
    return Path() if source == "-" else Path(source).parent


def _can_be_text(kind: Any) -> bool:
    """Whether values of a type can be kept in any output."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    types = pa.types
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind)
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind)
    return bool(text or number or types.is_temporal(kind))


def _texts(column: Any) -> Any:
    """A column as strings; nothing is the empty one."""
    return pc.fill_null(column.cast(pa.string()), text(""))


def _as_numbers(labels: Any) -> Any:
    """Truth values as 0 and 1."""
    return labels.cast(pa.int8()) if pa.types.is_boolean(labels.type) else labels
