"""Which row of a csv is at fault: what pyarrow, which reads it, does not say or does not notice.

Rows are counted from 1 below the header; blank lines are no rows.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from artsim.errors import InputError

CHUNK_BYTES = 2**24

Open = Callable[[], IO[bytes]]

_QUOTE = ord('"')
_BESIDE = np.isin(np.arange(256), list(b',\n\r"'))  # what may stand on one side of a quote, if it is in its place


def read_header(open_file: Open, name: str) -> list[str]:
    """The names of the columns.

    Raises:
        InputError: there is none, or it is no csv in UTF-8.
    """
    try:
        with _rows(open_file) as rows:
            header: list[str] = next(rows, [])
    except csv.Error as error:
        raise InputError(f"{name}: its header is no csv ({error}).") from error
    if not _is_text(header):
        raise InputError(f"{name}: its header is not UTF-8 text.")
    if not header:
        raise InputError(f"{name}: is empty; expected a header and a row for each pair.")
    return header


def has_odd_quotes(open_file: Open) -> bool:
    """Whether some quote is neither at an end of a cell nor beside another: then it may be out of place."""
    with open_file() as file:
        last = np.full(2, ord("\n"), dtype=np.uint8)
        while chunk := file.read(CHUNK_BYTES):
            text = np.concatenate([last, np.frombuffer(chunk, dtype=np.uint8)])
            if _odd(text):
                return True
            last = text[-2:]
    return _odd(np.append(last, np.uint8(ord("\n"))))


def first_fault(open_file: Open, name: str, columns: int) -> InputError | None:
    """Read a csv with that many columns strictly, and slowly, to say which row is at fault; None: no row is."""
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
    """Of the bytes between the first and the last one."""
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
def _rows(open_file: Open) -> Iterator[Any]:
    with io.TextIOWrapper(open_file(), encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        yield csv.reader(text, strict=True)


def _is_text(row: list[str]) -> bool:
    """Whether all bytes of a row were UTF-8: those that were not have become lone surrogates."""
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return False
    return True
