"""Pairs still to be scored as a table: `image1,image2` and, where artists are known, `sameArtist` of 0 and 1.

The suffix says which: csv or jsonl, after which .gz or .zst compresses, or parquet.

A row of text is two halves, of which there are only as many as works: they are made once, and joined for each pair.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import IO, Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from artsim.tables.arrow import of_texts
from artsim.tables.formats import quoted
from artsim.tables.output import check_place, format_of, open_output
from artsim.tables.pairs_file import IMAGE_COLUMNS, LABEL_COLUMN

IMAGE1, IMAGE2 = IMAGE_COLUMNS[0]
GZIP_LEVEL = 1  # 20 times as fast as pyarrow's 9, for files half as large again

Indices = NDArray[np.int64]
# Two halves of a row: of the first work (N,), and of the second one, without label or with it, 0 and 1: (N,) each.
Halves = tuple[list[str], list[list[str]]]


class PairsWriter(Protocol):
    """What writes pairs of works by their numbers, a block at a time; closed, the table is whole."""

    def write(self, first: Indices, second: Indices, same: Indices | None) -> None:
        """Add a block (B,) of pairs; `same` is 0 or 1, None where artists are unknown."""

    def close(self) -> None:
        """Write what is still missing; the file stays open."""


def csv_halves(names: Sequence[str], labelled: bool) -> Halves:
    r"""Cells with as few quotes as possible, \n at the end of a row."""
    cells = quoted(of_texts(names)).to_pylist()
    ends = [",0\n", ",1\n"] if labelled else ["\n"]
    return [cell + "," for cell in cells], [[cell + end for cell in cells] for end in ends]


def json_halves(names: Sequence[str], labelled: bool) -> Halves:
    """One JSON object a line; the label is a number."""
    cells = [json.dumps(name, ensure_ascii=False) for name in names]
    ends = [f', "{LABEL_COLUMN}": {label}}}\n' for label in (0, 1)] if labelled else ["}\n"]
    return (
        [f'{{"{IMAGE1}": {cell}, ' for cell in cells],
        [[f'"{IMAGE2}": {cell}{end}' for cell in cells] for end in ends],
    )


class TextPairsWriter:
    """Indices of text, joined of halves."""

    def __init__(self, file: IO[bytes], halves: Halves, header: str) -> None:
        self._file = file
        first, seconds = halves
        self._works = len(first)
        self._first = pa.array(first, pa.large_string())
        self._second = pa.array([half for each in seconds for half in each], pa.large_string())
        self._file.write(header.encode())

    def write(self, first: Indices, second: Indices, same: Indices | None) -> None:
        """Add a block."""
        ends = second if same is None else second + self._works * same
        halves = self._first.take(pa.array(first)), self._second.take(pa.array(ends))
        rows = compute.binary_join_element_wise(*halves, pa.scalar("", pa.large_string()))
        _, offsets, text = rows.buffers()
        length = int(np.frombuffer(offsets, dtype=np.int64)[len(rows)])
        self._file.write(text.slice(0, length))  # the rows, one after the other

    def close(self) -> None:
        """Nothing is held back."""


class ParquetPairsWriter:
    """Columns of strings, the label int8; a row group for each block."""

    def __init__(self, file: IO[bytes], names: Sequence[str], labelled: bool) -> None:
        self._names = pa.array(names, pa.string())
        strings = pa.dictionary(pa.int32(), pa.string())
        label = [(LABEL_COLUMN, pa.int8())] if labelled else []
        self._schema = pa.schema([(IMAGE1, strings), (IMAGE2, strings), *label])
        # Whoever reads it gets strings, not the dictionaries that they are written from.
        self._writer = parquet.ParquetWriter(file, self._schema, store_schema=False)

    def write(self, first: Indices, second: Indices, same: Indices | None) -> None:
        """Add a block."""
        columns = [pa.DictionaryArray.from_arrays(pa.array(rows, pa.int32()), self._names) for rows in (first, second)]
        label = [] if same is None else [pa.array(same, pa.int8())]
        self._writer.write_table(pa.Table.from_arrays([*columns, *label], schema=self._schema))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


def _csv(file: IO[bytes], names: Sequence[str], labelled: bool) -> PairsWriter:
    header = ",".join([IMAGE1, IMAGE2, *([LABEL_COLUMN] if labelled else [])]) + "\n"
    return TextPairsWriter(file, csv_halves(names, labelled), header)


def _jsonl(file: IO[bytes], names: Sequence[str], labelled: bool) -> PairsWriter:
    return TextPairsWriter(file, json_halves(names, labelled), "")


FORMATS: dict[str, Callable[[IO[bytes], Sequence[str], bool], PairsWriter]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": ParquetPairsWriter,
}


def check_pairs_output(output: str) -> None:
    """See that pairs can be written there, before there are any.

    Raises:
        UsageError: an unknown suffix.
        OutputError: no place for a file.
    """
    format_of(output)
    check_place(output)


@contextmanager
def open_pairs_writer(output: str, names: Sequence[str], labelled: bool) -> Iterator[PairsWriter]:
    """Open an output for pairs of works with these names; a regular file takes its place when the block ends well.

    Raises:
        UsageError, OutputError: see `check_pairs_output`.
        OutputError: the disk is full.
    """
    name, compression = format_of(output)
    with (
        open_output(output) as file,
        _compressed(file, compression) as stream,
        closing(FORMATS[name](stream, names, labelled)) as table,
    ):
        yield table


def _compressed(file: IO[bytes], compression: str | None) -> AbstractContextManager[Any]:
    if compression is None:
        return nullcontext(file)
    if compression == "gzip":
        return gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0)  # no time in it: the same pairs are the same bytes
    own = open(file.fileno(), "wb", closefd=False)  # noqa: SIM115 - pyarrow closes what it writes to
    zstd: AbstractContextManager[Any] = pa.CompressedOutputStream(own, "zstd")
    return zstd
