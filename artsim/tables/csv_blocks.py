"""Blocks of complete rows of a csv, in memory of Arrow.

Arrow's own reader of blocks reads ahead in threads. If it is left before its end, these threads still call Python and
free its buffers, which aborts or stops the process while it exits. So the blocks are cut here, and each is parsed by a
call that returns when its threads have ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from artsim.tables.bounds import BLOCK_BYTES
from artsim.tables.compression import READ_BYTES
from artsim.tables.dialect import Dialect

_QUOTE, _NEWLINE, _RETURN = b'"\n\r'
TAIL_BYTES = 2**16  # of a block, searched at once for the end of a row; a setting for speed and memory


def parse_blocks(file: IO[bytes], schema: pa.Schema, dialect: Dialect, size: int) -> Iterator[pa.Table]:
    """The rows of a csv in UTF-8 as tables of about `size` bytes; the first one has the names of the header.

    Raises:
        pyarrow.ArrowInvalid: a row is too long or has another number of cells, or text is not UTF-8.
    """
    how = pyarrow.csv.ParseOptions(delimiter=dialect.separator, newlines_in_values=True)
    kinds = pyarrow.csv.ConvertOptions(column_types=schema)
    skipped, names = dialect.skipped, None
    for block in _complete_rows(file, dialect.separator, size):
        options = pyarrow.csv.ReadOptions(block_size=len(block) + 1, skip_rows=skipped, column_names=names)
        try:
            yield pyarrow.csv.read_csv(arrow_memory(block), options, how, kinds)
        except pa.ArrowInvalid as error:
            if "Empty CSV file" not in str(error):  # a header without a line end, or blank lines
                raise
        skipped, names = 0, schema.names


def arrow_memory(data: bytes) -> pa.BufferReader:
    """A stream of a copy of some bytes, which threads can free without Python."""
    buffer = pa.allocate_buffer(len(data))
    np.frombuffer(buffer, np.uint8)[:] = np.frombuffer(data, np.uint8)
    return pa.BufferReader(buffer)


def _complete_rows(file: IO[bytes], separator: str, size: int) -> Iterator[bytes]:
    """The bytes of a file, cut between rows."""
    wanted, data = size, b""
    while chunk := file.read(min(size, READ_BYTES)):
        data += chunk  # CPython appends in place
        if len(data) < wanted:
            continue
        end = _end_of_rows(data, separator)
        if not end and len(data) > BLOCK_BYTES:
            raise pa.ArrowInvalid(f"a row is longer than {BLOCK_BYTES / 2**20:.3g} MiB")
        if end:
            yield data[:end]
        data = data[end:]
        wanted = size if end else min(2 * len(data), BLOCK_BYTES + 1)
    if data:
        yield data


def _rows_of(separator: str) -> re.Pattern[bytes]:
    """Complete rows. A quote opens a quoted part at the start of a cell only, as for Arrow."""
    edge = b"[\\n\\r" + re.escape(separator.encode()) + b"]"
    quoted = b"(?:\\A|(?<=" + edge + b'))"(?:[^"]++|"")*+"'
    return re.compile(b'(?:(?:[^"\\n\\r]++|' + quoted + b"|(?<!\\A)(?<!" + edge + b')")*+[\\n\\r])*+')


def _end_of_rows(data: bytes, separator: str) -> int:
    """The end of the last complete row; 0: there is none."""
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    if _open_and_close_in_turns(text, quotes, separator):
        return _end_by_parity(text, quotes)
    found = _rows_of(separator).match(data)
    return found.end() if found else 0


def _open_and_close_in_turns(text: NDArray[np.uint8], quotes: NDArray[np.int64], separator: str) -> bool:
    """Whether each second quote opens: at the start of a cell, or as the second one of two that stand for a quote."""
    opening = quotes[::2]
    is_at_start = np.isin(text[opening - 1], list(f"{separator}\n\r".encode())) | (opening == 0)
    is_second = np.diff(quotes, prepend=-2)[::2] == 1
    return bool(np.all(is_at_start | is_second))


def _end_by_parity(text: NDArray[np.uint8], quotes: NDArray[np.int64]) -> int:
    """The same, where quotes open and close in turns."""
    for stop in range(len(text), 0, -TAIL_BYTES):
        start = max(stop - TAIL_BYTES, 0)
        tail = text[start:stop]
        ends = np.flatnonzero((tail == _NEWLINE) | (tail == _RETURN)) + start + 1
        outside = ends[np.searchsorted(quotes, ends) % 2 == 0]
        if len(outside):
            return int(outside[-1])
    return 0
