"""Writers of unscored pairs: `image1,image2`, and `sameArtist` if artists are known.

The label is 1 for the same artist and 0 for two artists. It is empty where an artist is unknown.

The suffix says the format: csv or jsonl, each perhaps with .gz or .zst, or parquet.

A row of text consists of two halves, one for each work. There are far fewer works than pairs, so every half is made
once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, parquet

from artsim.tables.arrow import of_texts
from artsim.tables.compression import ByteWriter, compressing
from artsim.tables.formats import quoted
from artsim.tables.labels import LABEL_COLUMN
from artsim.tables.output import FormatName, format_of, open_output
from artsim.tables.pairs_file import IMAGE_COLUMNS

IMAGE1, IMAGE2 = IMAGE_COLUMNS[0]

UNKNOWN = 2  # the place of the empty label after 0 and 1

Indices = NDArray[np.int64]
# The halves of rows: those of the first work (N,), and those of the second, (N,) for each label or for no label.
Halves = tuple[list[str], list[list[str]]]


class PairsWriter(Protocol):
    """Writes pairs of works, given by their numbers, in blocks; `close` completes the table."""

    def write(self, first: Indices, second: Indices, same: Indices | None) -> None:
        """Add a block (B,) of pairs; `same` is 0 or 1, or -1 for an unknown artist; None if all are unknown."""

    def close(self) -> None:
        """Complete the table; the file stays open."""


def csv_halves(names: Sequence[str], labelled: bool) -> Halves:
    r"""Cells with quotes only where they are needed, and rows that end in \n."""
    cells = quoted(of_texts(names)).to_pylist()
    ends = [",0\n", ",1\n", ",\n"] if labelled else ["\n"]
    return [cell + "," for cell in cells], [[cell + end for cell in cells] for end in ends]


def json_halves(names: Sequence[str], labelled: bool) -> Halves:
    """One JSON object per line; the label is a number."""
    cells = [json.dumps(name, ensure_ascii=False) for name in names]
    ends = [f', "{LABEL_COLUMN}": {label}}}\n' for label in ("0", "1", "null")] if labelled else ["}\n"]
    return (
        [f'{{"{IMAGE1}": {cell}, ' for cell in cells],
        [[f'"{IMAGE2}": {cell}{end}' for cell in cells] for end in ends],
    )


class TextPairsWriter:
    """Rows of text, each joined from two halves."""

    def __init__(self, file: ByteWriter, halves: Halves, header: str) -> None:
        self._file = file
        first, seconds = halves
        self._works = len(first)
        self._first = pa.array(first, pa.large_string())
        self._second = pa.array([half for each in seconds for half in each], pa.large_string())
        self._file.write(header.encode())

    def write(self, first: Indices, second: Indices, same: Indices | None) -> None:
        """Add a block."""
        ends = second if same is None else second + self._works * np.where(same < 0, UNKNOWN, same)
        halves = self._first.take(pa.array(first)), self._second.take(pa.array(ends))
        rows = compute.binary_join_element_wise(*halves, pa.scalar("", pa.large_string()))
        _, ends, values = rows.buffers()
        length = int(np.frombuffer(ends, dtype=np.int64)[len(rows)])
        self._file.write(values.slice(0, length))  # the rows, one after the other

    def close(self) -> None:
        """Do nothing: every row is written already."""


class ParquetPairsWriter:
    """Columns of strings, and the label as int8; one row group per block."""

    def __init__(self, file: ByteWriter, names: Sequence[str], labelled: bool) -> None:
        self._names = pa.array(names, pa.string())
        strings = pa.dictionary(pa.int32(), pa.string())
        label = [(LABEL_COLUMN, pa.int8())] if labelled else []
        self._schema = pa.schema([(IMAGE1, strings), (IMAGE2, strings), *label])
        # Readers get strings, not the dictionaries that the strings are written from.
        self._writer = parquet.ParquetWriter(file, self._schema, store_schema=False)

    def write(self, first: Indices, second: Indices, same: Indices | None) -> None:
        """Add a block."""
        columns = [pa.DictionaryArray.from_arrays(pa.array(rows, pa.int32()), self._names) for rows in (first, second)]
        label = [] if same is None else [pa.array(same, pa.int8(), mask=same < 0)]
        self._writer.write_table(pa.Table.from_arrays([*columns, *label], schema=self._schema))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


@contextmanager
def open_pairs_writer(output: str, names: Sequence[str], labelled: bool) -> Iterator[PairsWriter]:
    """Open an output for pairs of works with these names; a file is complete or absent.

    Raises:
        UsageError, OutputError: see `output.check_output`.
        OutputError: the disk is full.
    """
    name, compression = format_of(output)
    with (
        open_output(output) as file,
        compressing(file, compression) as stream,
        closing(_writer(name, stream, names, labelled)) as writer,
    ):
        yield writer


def _writer(name: FormatName, file: ByteWriter, names: Sequence[str], labelled: bool) -> PairsWriter:
    if name == "parquet":
        return ParquetPairsWriter(file, names, labelled)
    if name == "jsonl":
        return TextPairsWriter(file, json_halves(names, labelled), "")
    header = ",".join([IMAGE1, IMAGE2, *([LABEL_COLUMN] if labelled else [])]) + "\n"
    return TextPairsWriter(file, csv_halves(names, labelled), header)
