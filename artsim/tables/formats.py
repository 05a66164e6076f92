"""Formats of scored pairs: csv, jsonl, parquet, and Kaggle's submission.

The columns of the input, unchanged, are followed by

    distance      float32, the shortest text that reads back equal
    probability   float32, likewise
    prediction    0 or 1
    status        ok, or the fault of each bad image
    log10_lr      float32, if asked for
    unfamiliar    the unfamiliar photographs, if asked for
    same_work     1 for two photographs of one painting, else 0; empty if unknown; if asked for
    artist1, artist2, style1, style2    of the works, empty where unknown; with a table of works

A pair with a bad image has empty scores: nothing in csv, null in jsonl and parquet. Kaggle's file has two columns
instead: `index` of the input, and the probability as `sameArtist`.

A format turns record batches into bytes that are written one after the other. The bytes of a batch do not depend on
the batches before it, so an interrupted output can be continued.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet

from artsim.errors import InputError
from artsim.tables.arrow import as_texts, of_texts, text, text_bytes
from artsim.tables.compression import Compression, compress
from artsim.tables.labels import LABEL_COLUMN
from artsim.tables.output import FormatName, format_of
from artsim.tables.pairs_file import (
    EVIDENCE_COLUMN,
    SAME_WORK_COLUMN,
    SCORE_COLUMNS,
    UNFAMILIAR_COLUMN,
    WORK_COLUMNS,
)

INDEX_COLUMN = "index"

_SCORE_TYPES = (pa.float32(), pa.float32(), pa.int8(), pa.string())
_OPTIONAL_TYPES = {
    EVIDENCE_COLUMN: pa.float32(),
    UNFAMILIAR_COLUMN: pa.string(),
    SAME_WORK_COLUMN: pa.int8(),
    **dict.fromkeys(WORK_COLUMNS, pa.string()),
}
_QUOTED = [ord(mark) for mark in '",\r\n']  # a csv cell with one of these needs quotes
_ESCAPED = [ord('"'), ord("\\"), *range(32)]


# Both have the bytes that a file writes.
Bytes: TypeAlias = "pa.Buffer | bytes"


def with_scores(schema: pa.Schema, optional: Sequence[str] = ()) -> pa.Schema:
    """The columns of the output: those of the input, then the scores, then optional ones."""
    scores = zip(SCORE_COLUMNS, _SCORE_TYPES, strict=True)
    return pa.schema([*schema, *scores, *((name, _OPTIONAL_TYPES[name]) for name in optional)])


class Format(Protocol):
    """The bytes of scored rows, with the schema `with_scores`; if `is_text`, head and rows are the complete file."""

    is_text: bool

    def head(self) -> bytes:
        """The bytes before the first row."""

    def encode(self, batch: pa.RecordBatch) -> Bytes:
        """The bytes of a record batch of the schema `with_scores`."""

    def finish(self, rows: Path) -> Path:
        """Turn a file of head and rows into the output file; for text it is the same file."""


class _Text:
    """A format whose head and rows are the complete file."""

    is_text = True

    def head(self) -> bytes:
        """Nothing, unless the format has a header."""
        return b""

    def finish(self, rows: Path) -> Path:
        """The same file."""
        return rows


class CsvFormat(_Text):
    r"""csv with quotes only where they are needed, and rows that end in \n."""

    def __init__(self, schema: pa.Schema) -> None:
        self._columns = schema.names

    def head(self) -> bytes:
        """The names of the columns."""
        return bytes(joined(*_separated([quoted(of_texts([name])) for name in self._columns]), "\n"))

    def encode(self, batch: pa.RecordBatch) -> Bytes:
        """Rows of text."""
        return joined(*_separated([quoted(as_texts(column)) for column in batch.columns]), "\n")


class JsonlFormat(_Text):
    """One JSON object per line."""

    def __init__(self, schema: pa.Schema) -> None:
        self._columns = schema.names

    def encode(self, batch: pa.RecordBatch) -> Bytes:
        """Rows of text."""
        parts: list[str | pa.StringArray] = []
        for name, column in zip(self._columns, batch.columns, strict=True):
            parts += [("{" if not parts else ", ") + json.dumps(name, ensure_ascii=False) + ": ", _json(column)]
        return joined(*parts, "}\n")


class KaggleFormat(_Text):
    """index,sameArtist: the submission format of Painter by Numbers, with the probability of each pair.

    Raises:
        InputError: the pairs have no column `index`.
    """

    def __init__(self, schema: pa.Schema) -> None:
        if INDEX_COLUMN not in schema.names:
            raise InputError(f"the pairs have no column '{INDEX_COLUMN}', which Kaggle's format needs. Add it.")

    def head(self) -> bytes:
        """The names of both columns."""
        return f"{INDEX_COLUMN},{LABEL_COLUMN}\n".encode()

    def encode(self, batch: pa.RecordBatch) -> Bytes:
        """Rows of text."""
        index, probability = (as_texts(batch.column(name)) for name in (INDEX_COLUMN, "probability"))
        return joined(quoted(index), ",", probability, "\n")


class ParquetFormat:
    """parquet with the types of the columns; until the end, rows are Arrow streams, one after the other.

    A parquet file ends with its table of contents, so an interrupted one cannot be continued.
    """

    is_text = False

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema

    def head(self) -> bytes:
        """Nothing: each stream names its columns."""
        return b""

    def encode(self, batch: pa.RecordBatch) -> Bytes:
        """An Arrow stream of one batch."""
        stream = pa.BufferOutputStream()
        with pyarrow.ipc.new_stream(stream, self._schema) as writer:
            writer.write_batch(batch)
        return stream.getvalue()

    def finish(self, rows: Path) -> Path:
        """Write each stream as a row group of a parquet file."""
        whole = rows.with_name("whole")
        with rows.open("rb") as file, pyarrow.parquet.ParquetWriter(whole, self._schema) as writer:
            end = file.seek(0, 2)
            file.seek(0)
            while file.tell() < end:
                writer.write_table(pyarrow.ipc.open_stream(file).read_all())
        rows.unlink()
        return whole


class Compressed:
    """A text format whose head and blocks are compressed one by one; concatenated, they are one compressed file."""

    is_text = True

    def __init__(self, plain: Format, compression: Compression) -> None:
        self._plain, self._compression = plain, compression

    def head(self) -> bytes:
        """The compressed head, if there is one."""
        head = self._plain.head()
        return compress(head, self._compression) if head else head

    def encode(self, batch: pa.RecordBatch) -> Bytes:
        """Compressed rows of text."""
        return compress(self._plain.encode(batch), self._compression)

    def finish(self, rows: Path) -> Path:
        """The same file."""
        return rows


_FORMATS: dict[FormatName, Callable[[pa.Schema], Format]] = {
    "csv": CsvFormat,
    "jsonl": JsonlFormat,
    "parquet": ParquetFormat,
    "kaggle": KaggleFormat,
}


def make_format(output: str, asked: FormatName | None, schema: pa.Schema, optional: Sequence[str] = ()) -> Format:
    """The format of an output, for the columns of the input and the optional columns.

    Raises:
        UsageError: see `format_of`.
        InputError: the input lacks a column that the format needs.
    """
    name, compression = format_of(output, asked)
    plain = _FORMATS[name](with_scores(schema, optional))
    return Compressed(plain, compression) if compression else plain


def quoted(cells: pa.StringArray) -> pa.StringArray:
    """Cells of csv (N,), in quotes where they need them."""
    if not _has_any(cells, _QUOTED):
        return cells
    in_quotes = concatenated('"', pc.replace_substring(cells, '"', '""'), '"')
    return pc.if_else(pc.match_substring_regex(cells, '[",\r\n]'), in_quotes, cells)


def joined(*parts: str | pa.StringArray) -> pa.Buffer:
    """The bytes of all `concatenated` texts, one after the other."""
    return text_bytes(concatenated(*parts))


def concatenated(*parts: str | pa.StringArray) -> pa.StringArray:
    """Texts (N,), each the concatenation of the parts: strings, or arrays of strings; null if a part is null."""
    arrays = [text(part) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*arrays, text(""))


def _separated(cells: list[pa.StringArray]) -> list[str | pa.StringArray]:
    return [part for cell in cells for part in (",", cell)][1:]


def _json(column: pa.Array) -> pa.StringArray:
    """A column as JSON values."""
    kind = column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
    elif not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        column = _json_strings(column.cast(pa.string()))
    return pc.fill_null(column.cast(pa.string()), text("null"))


def _json_strings(texts: pa.StringArray) -> pa.StringArray:
    if not _has_any(texts, _ESCAPED):
        return concatenated('"', texts, '"')
    codes = texts.dictionary_encode()
    escaped = [json.dumps(text, ensure_ascii=False) for text in codes.dictionary.to_pylist()]
    return of_texts(escaped).take(codes.indices)


def _has_any(texts: pa.StringArray, marks: list[int]) -> bool:
    """Whether one of some ASCII characters is in one of the texts."""
    found = np.zeros(256, dtype=bool)
    found[np.frombuffer(text_bytes(texts), dtype=np.uint8)] = True
    return bool(found[marks].any())
