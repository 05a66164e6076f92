"""Scored pairs as they are written: csv, jsonl, parquet, or what Kaggle takes.

The input's columns, as they were, then

    distance      float32, the shortest text that reads back equal
    probability   float32, likewise
    prediction    0 or 1
    status        ok, or what is wrong with either image

A pair with a bad image has empty scores: nothing in csv, null in jsonl and parquet. Kaggle's file has two columns
instead: the input's `index`, and the probability as `sameArtist`.

A format turns record batches into bytes that can be written one after the other, however they are cut: what was
written before a program was killed stays as it is.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet

from artsim.errors import InputError
from artsim.tables.arrow import of_texts, text
from artsim.tables.pairs_file import LABEL_COLUMN, SCORE_COLUMNS

GZIP_LEVEL = 6
INDEX_COLUMN = "index"

_SCORE_TYPES = (pa.float32(), pa.float32(), pa.int8(), pa.string())
_QUOTED = [ord(mark) for mark in '",\r\n']  # what a cell of csv with it has to be quoted for
_ESCAPED = [ord('"'), ord("\\"), *range(32)]


def with_scores(schema: Any) -> Any:
    """The columns of the output, for those of the input."""
    return pa.schema([*schema, *zip(SCORE_COLUMNS, _SCORE_TYPES, strict=True)])


class Format(Protocol):
    """How scored rows look in a file; `is_text` says that the rows are the file, and nothing is left to finish."""

    is_text: bool

    def head(self) -> bytes:
        """What stands before the first row."""

    def encode(self, batch: Any) -> Any:
        """Some rows, as a bytes-like object; takes a record batch of `with_scores`."""

    def finish(self, rows: Path) -> Path:
        """Turn head and rows, as they were written, into what was asked for; the same file, where they are that."""


class _Text:
    """A format whose rows are the file."""

    is_text = True

    def finish(self, rows: Path) -> Path:
        """Nothing is left to do."""
        return rows


class CsvFormat(_Text):
    r"""csv with as few quotes as possible and \n at the end of a row."""

    def __init__(self, schema: Any) -> None:
        self._columns = with_scores(schema).names

    def head(self) -> bytes:
        """The names of the columns."""
        return ",".join(quoted(of_texts(self._columns)).to_pylist()).encode() + b"\n"

    def encode(self, batch: Any) -> Any:
        """Rows of text."""
        return joined(batch.num_rows, "", *_separated([quoted(_text(column)) for column in batch.columns], ","), "\n")


class JsonlFormat(_Text):
    """One JSON object a line."""

    def __init__(self, schema: Any) -> None:
        self._columns = with_scores(schema).names

    def head(self) -> bytes:
        """Nothing: each row names its columns."""
        return b""

    def encode(self, batch: Any) -> Any:
        """Rows of text."""
        parts: list[Any] = []
        for name, column in zip(self._columns, batch.columns, strict=True):
            parts += [("{" if not parts else ", ") + json.dumps(name, ensure_ascii=False) + ": ", _json(column)]
        return joined(batch.num_rows, *parts, "}\n")


class KaggleFormat(_Text):
    """index,sameArtist: the submission of Painter by Numbers, with a probability for each pair.

    Raises:
        InputError: the pairs have no column `index`.
    """

    def __init__(self, schema: Any) -> None:
        if INDEX_COLUMN not in schema.names:
            raise InputError(f"the pairs have no column '{INDEX_COLUMN}', which Kaggle's format is to give back.")

    def head(self) -> bytes:
        """The names of both columns."""
        return f"{INDEX_COLUMN},{LABEL_COLUMN}\n".encode()

    def encode(self, batch: Any) -> Any:
        """Rows of text."""
        index, probability = (_text(batch.column(name)) for name in (INDEX_COLUMN, "probability"))
        return joined(batch.num_rows, "", quoted(index), ",", probability, "\n")


class ParquetFormat:
    """Columns of the input's types and the scores'; rows are kept as Arrow streams, one after the other, until the end.

    A parquet file ends with a list of all that is in it, so it can't be gone on with.
    """

    is_text = False

    def __init__(self, schema: Any) -> None:
        self._schema = with_scores(schema)

    def head(self) -> bytes:
        """Nothing: each stream names its columns."""
        return b""

    def encode(self, batch: Any) -> Any:
        """A stream of one batch."""
        stream = pa.BufferOutputStream()
        with pyarrow.ipc.new_stream(stream, self._schema) as writer:
            writer.write_batch(batch)
        return stream.getvalue()

    def finish(self, rows: Path) -> Path:
        """Read the streams and write them as parquet, a row group each."""
        whole = rows.with_name("whole")
        with rows.open("rb") as file, pyarrow.parquet.ParquetWriter(whole, self._schema) as writer:
            end = file.seek(0, 2)
            file.seek(0)
            while file.tell() < end:
                writer.write_table(pyarrow.ipc.open_stream(file).read_all())
        rows.unlink()
        return whole


class Compressed:
    """Another format, each piece of it compressed by itself: pieces that follow each other are one compressed file."""

    def __init__(self, plain: Format, compress: Callable[[Any], bytes]) -> None:
        self.is_text = plain.is_text
        self._plain = plain
        self._compress = compress

    def head(self) -> bytes:
        """As the other format has it."""
        head = self._plain.head()
        return self._compress(head) if head else head

    def encode(self, batch: Any) -> Any:
        """As the other format has it."""
        return self._compress(self._plain.encode(batch))

    def finish(self, rows: Path) -> Path:
        """As the other format has it."""
        return self._plain.finish(rows)


def gzipped(data: Any) -> bytes:
    """A whole gzip member, the same for the same data at any time."""
    return gzip.compress(data, GZIP_LEVEL, mtime=0)


def zstandard(data: Any) -> bytes:
    """A whole frame of zstd."""
    compressed: bytes = pa.Codec("zstd").compress(data, asbytes=True)
    return compressed


def quoted(cells: Any) -> Any:
    """Cells of csv (N,), in quotes where they need them."""
    if not _has_any(cells, _QUOTED):
        return cells
    in_quotes = concatenated('"', pc.replace_substring(cells, '"', '""'), '"')
    return pc.if_else(pc.match_substring_regex(cells, '[",\r\n]'), in_quotes, cells)


def joined(count: int, *parts: Any) -> Any:
    """The bytes of `count` texts, one after the other, each made of the parts: strings, or arrays of them."""
    if not count:
        return b""
    texts = concatenated(*parts)
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + count + 1]
    return texts.buffers()[2].slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


def concatenated(*parts: Any) -> Any:
    """Texts (N,) made of the parts: strings, or arrays of them; null where one is."""
    arrays = [text(part) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*arrays, text(""))


def _separated(cells: list[Any], separator: str) -> list[Any]:
    return [part for cell in cells for part in (separator, cell)][1:]


def _text(column: Any) -> Any:
    return pc.fill_null(column.cast(pa.string()), text(""))


def _json(column: Any) -> Any:
    """A column as JSON's values."""
    kind = column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
    elif not (pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        column = _json_strings(column.cast(pa.string()))
    return pc.fill_null(column.cast(pa.string()), text("null"))


def _json_strings(texts: Any) -> Any:
    if not _has_any(texts, _ESCAPED):
        return concatenated('"', texts, '"')
    codes = texts.dictionary_encode()
    escaped = [json.dumps(text, ensure_ascii=False) for text in codes.dictionary.to_pylist()]
    return of_texts(escaped).take(codes.indices)


def _has_any(texts: Any, marks: list[int]) -> bool:
    """Whether any of some ASCII characters is in any of the texts."""
    buffer = texts.buffers()[2]
    if buffer is None or not len(texts):
        return False
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    found = np.zeros(256, dtype=bool)
    found[np.frombuffer(buffer, dtype=np.uint8)[offsets[0] : offsets[-1]]] = True
    return bool(found[marks].any())
