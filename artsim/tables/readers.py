"""Readers of tables, in blocks and as often as needed: csv, jsonl and parquet; csv and jsonl also compressed.

A csv has any dialect of `dialect.py`, any line ends and quoted cells. All its columns are text, unchanged. jsonl and
parquet keep their types.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa

from artsim.errors import InputError
from artsim.tables.bounds import BLOCK_BYTES, bounded_lines, check_columns, first_line, reading
from artsim.tables.compression import Compression, open_bytes, sniff_compression, split_suffix
from artsim.tables.csv_blocks import parse_blocks
from artsim.tables.csv_faults import find_faults, read_header, survey
from artsim.tables.dialect import WINDOWS, Dialect, as_utf8, find_dialect, is_windows_text
from artsim.tables.jsonl_reader import JsonlReader
from artsim.tables.parquet_reader import ParquetReader


class TableReader(Protocol):
    """A table; every call of `batches` starts at the first row."""

    schema: pa.Schema

    @property
    def note(self) -> str:
        """What the user should know of how the table is read, known after the first batch; mostly empty."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Record batches of all rows, in order.

        Raises:
            InputError: the table can't be read; the message names the row if it is known.
        """


class CsvReader:
    """A csv file; messages call it `name`."""

    def __init__(self, path: Path, name: str, compression: Compression | None, block_bytes: int) -> None:
        self._path, self._name, self._compression, self._block_bytes = path, name, compression, block_bytes
        self._dialect = Dialect()
        with reading(name):
            self._dialect = find_dialect(self._open_file, name)
            header = read_header(self._open, name, self._dialect)
        check_columns(len(header), name)
        self.schema = pa.schema([(column, pa.string()) for column in header])
        self._is_surveyed = False
        self._is_checked_strictly = False

    @property
    def note(self) -> str:
        """Says that the text is taken for Windows-1252."""
        if self._dialect.encoding != WINDOWS:
            return ""
        return (
            f"{self._name}: the file is not UTF-8 and is read as Windows-1252. If names look wrong, save it as UTF-8."
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Record batches of text."""
        if not self._is_surveyed:
            with reading(self._name):
                self._survey()
        try:
            yield from self._read()
        except pa.ArrowInvalid as error:
            raise self._faults() or InputError(f"{self._name}: can't be read as csv ({first_line(error)}).") from None

    def _survey(self) -> None:
        """Look for odd quotes, and for bytes that are not UTF-8 further below than the dialect was looked for."""
        found = survey(self._open, self._dialect.separator)
        is_plain = all(column.isascii() for column in self.schema.names)
        if not found.is_utf8 and is_plain and is_windows_text(self._open_file):
            self._dialect = replace(self._dialect, encoding=WINDOWS)
        if found.has_odd_quotes:
            self._check_strictly()
        self._is_surveyed = True

    def _read(self) -> Iterator[pa.RecordBatch]:
        with reading(self._name), self._open() as file:
            for table in parse_blocks(file, self.schema, self._dialect, self._block_bytes):
                # A cell whose quote is not closed contains the next rows, up to another quote.
                if not self._is_checked_strictly and any(_has_line_end(column) for column in table.columns):
                    self._check_strictly()
                yield from table.combine_chunks().to_batches()

    def _check_strictly(self) -> None:
        faults = self._faults()
        if faults is not None:
            raise faults
        self._is_checked_strictly = True

    def _faults(self) -> InputError | None:
        with reading(self._name):
            return find_faults(self._open, self._name, len(self.schema), self._dialect)

    def _open(self) -> IO[bytes]:
        return bounded_lines(self._open_utf8, self._name)

    def _open_utf8(self) -> IO[bytes]:
        return as_utf8(self._open_file(), self._dialect.encoding)

    def _open_file(self) -> IO[bytes]:
        return open_bytes(self._path, self._compression)


def open_reader(path: Path, name: str, *, sniff: bool = False, block_bytes: int = BLOCK_BYTES) -> TableReader:
    """Open a table in the format of its suffix, csv if that is unknown.

    Args:
        path: the file.
        name: its name in messages.
        sniff: take the format from the first bytes instead.
        block_bytes: the size of a batch.

    Raises:
        InputError: missing, a folder, empty, or not of that format.
    """
    with reading(name):
        kind, compression = _sniffed(path) if sniff else split_suffix(path)
    if kind == ".parquet":
        return ParquetReader(path, name, block_bytes)
    return (JsonlReader if kind == ".jsonl" else CsvReader)(path, name, compression, block_bytes)


def _sniffed(path: Path) -> tuple[str, Compression | None]:
    compression = sniff_compression(path)
    with open_bytes(path, compression) as file:
        start = file.read(4)
    if start == b"PAR1":
        return ".parquet", None
    return (".jsonl" if start.lstrip().startswith(b"{") else ".csv"), compression


def _has_line_end(column: pa.ChunkedArray) -> bool:
    texts = (chunk.buffers()[2] for chunk in column.chunks)
    return any(mark in memoryview(text).tobytes() for text in texts if text is not None for mark in (b"\n", b"\r"))
