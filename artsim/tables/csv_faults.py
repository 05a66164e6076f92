"""The faulty rows of a csv, which pyarrow's reader does not name or does not notice.

Rows are counted from 1 below the header. Blank lines are not rows.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from artsim.errors import InputError
from artsim.messages import FEW, counted, first_few
from artsim.tables.bounds import BLOCK_BYTES, Open
from artsim.tables.dialect import Dialect

CHUNK_BYTES = 2**24

_QUOTE = ord('"')
_LINE_END = re.compile("\r\n|\n|\r")


@dataclass(frozen=True)
class Survey:
    """What the bytes of a csv show: a quote that may be out of place, and whether all text is UTF-8."""

    has_odd_quotes: bool
    is_utf8: bool


def read_header(open_file: Open, name: str, dialect: Dialect) -> list[str]:
    """The names of the columns.

    Raises:
        InputError: no header, or not a csv in UTF-8.
    """
    header: list[str] = []
    try:
        with _rows(open_file, dialect) as rows:
            header = next((row for row in rows if row), [])
    except csv.Error as error:
        raise InputError(f"{name}: the header is not csv ({error}).") from error
    if not _is_text(header):
        raise InputError(f"{name}: the header is not UTF-8 text. Save the file as UTF-8.")
    if not header:
        raise InputError(f"{name}: is empty. Expected a header and rows.")
    return header


def survey(open_file: Open, separator: str) -> Survey:
    """Read all bytes once.

    A quote may be out of place if it is neither at an end of a cell nor beside another quote.
    """
    beside = np.isin(np.arange(256), list(f'{separator}\n\r"'.encode()))
    decoder = codecs.getincrementaldecoder("utf-8")()
    last = np.full(2, ord("\n"), dtype=np.uint8)
    is_odd, is_utf8 = False, True
    with open_file() as file:
        while chunk := file.read(CHUNK_BYTES):
            if not is_odd:
                text = np.concatenate([last, np.frombuffer(chunk, dtype=np.uint8)])
                is_odd = _odd(text, beside)
                last = text[-2:]
            is_utf8 = is_utf8 and _is_decoded(decoder, chunk)
    is_utf8 = is_utf8 and _is_decoded(decoder, b"", final=True)
    return Survey(is_odd or _odd(np.append(last, np.uint8(ord("\n"))), beside), is_utf8)


def find_faults(open_file: Open, name: str, columns: int, dialect: Dialect) -> InputError | None:
    """Read a csv strictly, and slowly, and name the first faulty rows and their number; None if there is none."""
    count = 0
    first: list[str] = []
    for row, line, fault in _faults(open_file, columns, dialect):
        count += 1
        if len(first) < FEW:
            first.append(f"row {row} (it ends in line {line}): {fault}")
    return InputError(f"{name}, {first_few(first, '; ', of=count)}.") if count else None


def _faults(open_file: Open, columns: int, dialect: Dialect) -> Iterator[tuple[int, int, str]]:
    """The number, the last line and the fault of each faulty row. A fault of quotes is the last one."""
    row_number = 0
    with _rows(open_file, dialect) as reader:
        try:
            for row in reader:
                fault = _fault(row, columns, dialect.separator) if row_number else None
                if fault is not None:
                    yield row_number, reader.line_num + dialect.skipped, fault
                row_number += bool(row)
        except csv.Error as error:
            line = reader.line_num + dialect.skipped
            yield row_number, line, f"a quote out of place, or never closed ({error})"


def _is_decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    if chunk.isascii() and not final and not decoder.getstate()[0]:
        return True
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _odd(text: NDArray[np.uint8], beside: NDArray[np.bool_]) -> bool:
    """Whether a quote is out of place; the first and the last byte are context only."""
    quotes = np.flatnonzero(text[1:-1] == _QUOTE)
    return bool(np.any(~beside[text[quotes]] & ~beside[text[quotes + 2]]))


def _fault(row: list[str], columns: int, separator: str) -> str | None:
    if not _is_text(row):
        return "is not UTF-8 text, so save the file as UTF-8"
    if row and len(row) != columns:
        return f"has {counted(len(row), 'cell')}, the header has {columns}"
    if any(_holds_rows(cell, column, columns, separator) for column, cell in enumerate(row)):
        return "a quoted cell holds whole rows: a quote is out of place, or closed some rows later"
    return None


def _holds_rows(cell: str, column: int, columns: int, separator: str) -> bool:
    """Whether a cell looks like the end of a row, perhaps whole rows, and the beginning of a row.

    A quote that is closed in the same column of a later row gives such a cell, and no other sign. In prose a separator
    comes before a space, and the numbers of separators rarely fit.
    """
    first, *inner = _LINE_END.split(cell)
    if not inner or columns < 2 or '"' in cell:
        return False
    last = inner.pop()
    expected = [(first, columns - column), *((line, columns) for line in inner if line), (last, column + 1)]
    cells = [(line.split(separator), width) for line, width in expected]
    return all(len(found) == width and not any(each.startswith(" ") for each in found[1:]) for found, width in cells)


@contextmanager
def _rows(open_file: Open, dialect: Dialect) -> Iterator[_Rows]:
    with io.TextIOWrapper(open_file(), encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        for _ in range(dialect.skipped):
            text.readline()
        longest = csv.field_size_limit(BLOCK_BYTES)
        try:
            yield _Rows(text, dialect.separator)
        finally:
            csv.field_size_limit(longest)


class _Rows:
    """The rows of a csv; csv.Error for a faulty one, and for one of more characters than a block has bytes."""

    def __init__(self, text: IO[str], separator: str) -> None:
        self._text = text
        self._length = 0
        self._reader = csv.reader(self._lines(), delimiter=separator, strict=True)

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
