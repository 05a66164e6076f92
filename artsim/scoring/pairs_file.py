"""A csv file of pairs, read in blocks, as often as needed.

UTF-8 with or without a byte order mark, any line ends, quoted cells with commas and newlines. Rows are
counted from 1 below the header; blank lines are no rows.
"""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from artsim.errors import InputError

BLOCK_ROWS = 65_536
IMAGE_COLUMNS = (("image1", "image2"), ("img1", "img2"))
LABEL_COLUMN = "sameArtist"
SCORE_COLUMNS = ("distance", "probability", "prediction", "status")

_LABELS = {"0": 0, "1": 1}


@dataclass(frozen=True)
class Block:
    """Some rows of a pairs file; `same` is uint8 (B,), 1 for the same artist, or None without labels."""

    rows: list[list[str]]
    image1: list[str]
    image2: list[str]
    same: NDArray[np.uint8] | None


class PairsFile:
    """An open pairs file whose header was checked; `name` is what messages call it.

    Raises:
        InputError: not there, a folder, empty, no csv in UTF-8, or columns that can't be scored.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        try:
            self.header = self._read_header()
        except OSError as error:
            raise InputError(f"{name}: can't be read ({error.strerror}).") from error
        self._image1, self._image2 = self._image_columns()
        self._label = self.header.index(LABEL_COLUMN) if LABEL_COLUMN in self.header else None
        self._check_header()

    @property
    def labelled(self) -> bool:
        """Whether the file says which pairs are by the same artist."""
        return self._label is not None

    def blocks(self) -> Iterator[Block]:
        """Read the rows from the first one on.

        Raises:
            InputError: a row that can't be used, with its number.
        """
        try:
            with self._open() as reader:
                next(reader)
                while rows := list(islice(reader, BLOCK_ROWS)):
                    yield self._block([row for row in rows if row])
        except (csv.Error, UnicodeDecodeError, _BadRowError):
            raise self._first_fault() from None

    def _block(self, rows: list[list[str]]) -> Block:
        if any(len(row) != len(self.header) for row in rows):
            raise _BadRowError
        same = None
        if self._label is not None:
            labels = [row[self._label] for row in rows]
            if not _LABELS.keys() >= set(labels):
                raise _BadRowError
            same = np.array([_LABELS[label] for label in labels], dtype=np.uint8)
        return Block(rows, [row[self._image1] for row in rows], [row[self._image2] for row in rows], same)

    @contextmanager
    def _open(self, errors: str = "strict") -> Iterator[Any]:
        with self.path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
            yield csv.reader(file, strict=True)

    def _read_header(self) -> list[str]:
        try:
            with self._open(errors="surrogateescape") as reader:
                header: list[str] = next(reader, [])
        except csv.Error as error:
            raise InputError(f"{self.name}: its header is no csv ({error}).") from error
        if not _is_text(header):
            raise InputError(f"{self.name}: its header is not UTF-8 text.")
        if not header:
            raise InputError(f"{self.name}: is empty; expected a header and a row for each pair.")
        return header

    def _image_columns(self) -> tuple[int, int]:
        for first, second in IMAGE_COLUMNS:
            if first in self.header and second in self.header:
                return self.header.index(first), self.header.index(second)
        wanted = " or ".join(",".join(columns) for columns in IMAGE_COLUMNS)
        raise InputError(f"{self.name}: needs the columns {wanted}, has {', '.join(self.header)}.")

    def _check_header(self) -> None:
        for column in SCORE_COLUMNS:
            if column in self.header:
                raise InputError(
                    f"{self.name}: has a column '{column}', which the scores are to be written to; "
                    "rename it or leave it out."
                )
        for column in self.header:
            if self.header.count(column) > 1:
                raise InputError(f"{self.name}: has the column '{column}' more than once.")

    def _first_fault(self) -> InputError:
        """Read again, slowly, to say which row is at fault."""
        row_number = 0
        with self._open(errors="surrogateescape") as reader:
            try:
                for row in reader:
                    fault = self._fault(row) if row_number else None
                    if fault is not None:
                        return self._at(row_number, reader.line_num, fault)
                    row_number += bool(row)
            except csv.Error as error:
                return self._at(row_number, reader.line_num, f"a quote out of place, or never closed ({error})")
        return InputError(f"{self.name}: changed while it was read.")

    def _fault(self, row: list[str]) -> str | None:
        if not _is_text(row):
            return "is not UTF-8 text"
        if row and len(row) != len(self.header):
            return f"has {len(row)} cells, the header has {len(self.header)}"
        if row and self._label is not None and row[self._label] not in _LABELS:
            return f"{LABEL_COLUMN} is {row[self._label]!r}, should be 0 or 1"
        return None

    def _at(self, row: int, line: int, fault: str) -> InputError:
        return InputError(f"{self.name}, row {row} (it ends in line {line}): {fault}.")


@contextmanager
def open_pairs(source: str) -> Iterator[PairsFile]:
    """Open a file of pairs, `-` for standard input; what can't be read twice is copied to a temporary file.

    Raises:
        InputError: see PairsFile.
    """
    path = Path(source)
    if source != "-" and (path.is_file() or not path.exists() or path.is_dir()):
        yield PairsFile(path, source)
        return
    with tempfile.TemporaryDirectory(prefix="artsim-") as folder:
        copy = Path(folder) / "pairs.csv"
        try:
            with copy.open("wb") as file, _pipe(source) as pipe:
                shutil.copyfileobj(pipe, file)
        except OSError as error:
            raise InputError(f"{source}: can't be copied to {folder} to be read twice ({error.strerror}).") from error
        yield PairsFile(copy, "standard input" if source == "-" else source)


def _pipe(source: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if source == "-" else Path(source).open("rb")


def folder_of(source: str) -> Path:
    """Where a pairs file's images lie unless it is said: beside it; for `-`, the working folder."""
    return Path() if source == "-" else Path(source).parent


def _is_text(row: list[str]) -> bool:
    """Whether all bytes of a row were UTF-8: those that were not have become lone surrogates."""
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return False
    return True


class _BadRowError(Exception):
    """Some row of a block is at fault; which one, `_first_fault` says."""
