"""A reader of jsonl: a JSON object in each line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.json

from artsim.errors import InputError
from artsim.tables.bounds import bounded_lines, first_line, reading
from artsim.tables.compression import Compression, open_bytes
from artsim.tables.csv_blocks import arrow_memory
from artsim.tables.json_lines import count_columns, safe_pieces, split_rows
from artsim.tables.jsonl_faults import find_faults, with_one_kind_of_label

MAX_SEARCHED = 20  # columns that are null in the whole first block; to search for more takes too long


class JsonlReader:
    """A file with one JSON object per line; its first block decides the columns and their types.

    A column that is null in the whole first block has the type of its first value.
    """

    note = ""  # nothing to say

    def __init__(self, path: Path, name: str, compression: Compression | None, block_bytes: int) -> None:
        self._path, self._name, self._compression, self._block_bytes = path, name, compression, block_bytes
        with reading(name):
            self.schema = self._find_schema()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Record batches of the first block's types."""
        with reading(self._name):
            for _, piece in self._pieces():
                for rows in split_rows(piece, len(self.schema)):
                    yield from self._parsed(rows)

    def _find_schema(self) -> pa.Schema:
        schema: pa.Schema | None = None
        for lines_before, piece in self._pieces():
            if not piece.strip():
                continue
            if schema is None or any(_may_have_value(piece, column) for column in _untyped(schema)[:MAX_SEARCHED]):
                columns = count_columns(piece, self._name, lines_before)
                found = self._inferred(next(split_rows(piece, columns)), schema)
                schema = found if schema is None else _completed(schema, found)
            if schema is not None and not _untyped(schema):
                break
        if schema is None:
            raise InputError(f"{self._name}: is empty. Expected a JSON object for each row.")
        return schema

    def _inferred(self, rows: bytes, known: pa.Schema | None) -> pa.Schema:
        typed = None if known is None else pa.schema([field for field in known if not pa.types.is_null(field.type)])
        schema = self._read(rows, pyarrow.json.ParseOptions(explicit_schema=typed)).schema
        try:
            names = schema.names
        except UnicodeDecodeError as error:
            raise self._fault(error) from error
        # A text that looks like a time stays text.
        kinds = [pa.string() if pa.types.is_timestamp(kind) else kind for kind in schema.types]
        return pa.schema(list(zip(names, kinds, strict=True)))

    def _parsed(self, rows: bytes) -> Iterator[pa.RecordBatch]:
        if not rows.strip():
            return
        options = pyarrow.json.ParseOptions(explicit_schema=self.schema, unexpected_field_behavior="error")
        for batch in self._read(rows, options).combine_chunks().to_batches():
            try:
                batch.validate(full=True)  # text that is not UTF-8
            except pa.ArrowInvalid as error:
                raise self._fault(error) from error
            yield batch

    def _read(self, rows: bytes, options: pyarrow.json.ParseOptions) -> pa.Table:
        # Threads share a piece; a line may be as long as the piece.
        blocks = pyarrow.json.ReadOptions(block_size=len(rows) + 1)
        try:
            return pyarrow.json.read_json(arrow_memory(rows), blocks, options)
        except pa.ArrowInvalid as error:
            alike = with_one_kind_of_label(rows, options.explicit_schema)
            if alike == rows:
                raise self._fault(error, options) from error
        return self._read(alike, options)

    def _pieces(self) -> Iterator[tuple[int, bytes]]:
        with bounded_lines(self._open, self._name) as file:
            yield from safe_pieces(file, self._name, self._block_bytes)

    def _open(self) -> IO[bytes]:
        return open_bytes(self._path, self._compression)

    def _fault(self, error: Exception, options: pyarrow.json.ParseOptions | None = None) -> InputError:
        """Read again, slowly, and name the faulty rows."""
        is_known = options is not None and options.unexpected_field_behavior == "error"
        schema = self.schema if is_known else None
        alike = ((before, with_one_kind_of_label(piece, schema)) for before, piece in self._pieces())
        return find_faults(alike, self._name, schema) or InputError(
            f"{self._name}: all lines need the same columns of the same types ({first_line(error)})."
        )


def _untyped(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if pa.types.is_null(field.type)]


def _may_have_value(piece: bytes, column: str) -> bool:
    """Whether a column has a value in a piece that is not null; it may also be that of a nested key, or a text."""
    key = re.escape(column.encode(errors="surrogateescape"))
    return re.search(b'"' + key + rb'"\s*:\s*[^\sn]', piece) is not None


def _completed(schema: pa.Schema, found: pa.Schema) -> pa.Schema:
    """A schema with types of `found` where it has none."""
    kinds = {field.name: field.type for field in found}
    return pa.schema(
        [
            (field.name, kinds.get(field.name, field.type) if pa.types.is_null(field.type) else field.type)
            for field in schema
        ]
    )
