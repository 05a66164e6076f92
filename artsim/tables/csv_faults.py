"""The faulty row of a csv, which pyarrow's reader does not name or does not notice.

Rows are counted from 1 below the header. Blank lines are not rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np
from numpy.typing import NDArray

from artsim.errors import InputError
from artsim.tables.bounds import BLOCK_BYTES, Open

CHUNK_BYTES = 2**24

_QUOTE = ord('"')
_BESIDE = np.isin(np.arange(256), list(b',\n\r"'))  # a quote in its place has one of these on one side


def read_header(open_file: Open, name: str) -> list[str]:
    """The names of the columns.

    Raises:
        InputError: no header, or not a csv in UTF-8.
    """
    try:
        with _rows(open_file) as rows:
            header: list[str] = next(rows, [])
    except csv.Error as error:
        raise InputError(f"{name}: the header is not csv ({error}).") from error
    if not _is_text(header):
        raise InputError(f"{name}: the header is not UTF-8 text. Save the file as UTF-8.")
    if not header:
        raise InputError(f"{name}: is empty. Expected a header and a row for each pair.")
    return header


def has_odd_quotes(open_file: Open) -> bool:
    """Whether a quote is neither at an end of a cell nor beside another quote, and so may be out of place."""
    with open_file() as file:
        last = np.full(2, ord("\n"), dtype=np.uint8)
        while chunk := file.read(CHUNK_BYTES):
            text = np.concatenate([last, np.frombuffer(chunk, dtype=np.uint8)])
            if _odd(text):
                return True
            last = text[-2:]
    return _odd(np.append(last, np.uint8(ord("\n"))))


def first_fault(open_file: Open, name: str, columns: int) -> InputError | None:
    """Read a csv strictly, and slowly, and name the first faulty row; None if there is none."""
    row_number = 0
    with _rows(open_file) as reader:
        try:
            for row in reader:
                fault = _fault(row, columns) if row_number else None
                if fault is not None:
                    return _at(name, row_number, reader.line_num, fault)
                row_number += bool(row)
        except csv.Error as error:
            return _at(name, row_number, reader.line_num, f"a quote out of place, or never closed ({error})")
    return None


def _odd(text: NDArray[np.uint8]) -> bool:
    """Whether a quote is out of place; the first and the last byte are context only."""
    quotes = np.flatnonzero(text[1:-1] == _QUOTE)
    return bool(np.any(~_BESIDE[text[quotes]] & ~_BESIDE[text[quotes + 2]]))


def _fault(row: list[str], columns: int) -> str | None:
    if not _is_text(row):
        return "is not UTF-8 text"
    if row and len(row) != columns:
        return f"has {len(row)} cells, the header has {columns}"
    return None


def _at(name: str, row: int, line: int, fault: str) -> InputError:
    return InputError(f"{name}, row {row} (it ends in line {line}): {fault}.")


@contextmanager
def _rows(open_file: Open) -> Iterator[_Rows]:
    with io.TextIOWrapper(open_file(), encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        yield _Rows(text)


class _Rows:
    """The rows of a csv; csv.Error for a faulty one, and for one of more characters than a block has bytes."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._length = 0
        self._reader = csv.reader(self._lines(), strict=True)

    @property
    def line_num(self) -> int:
        """The number of lines read."""
        return self._reader.line_num

    def __iter__(self) -> _Rows:
        return self

    def __next__(self) -> list[str]:
        self._length = 0
        return next(self._reader)

    def _lines(self) -> Iterator[str]:
        for line in self._text:  # quoted line ends are no ends of a row
            self._length += len(line)
            if self._length > BLOCK_BYTES:
                raise csv.Error(f"a row is longer than {BLOCK_BYTES / 2**20:.3g} MiB")
            yield line


def _is_text(row: list[str]) -> bool:
    """Whether all bytes of a row were UTF-8; others have become lone surrogates."""
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return False
    return True
