"""Scored pairs as a table: csv, jsonl or parquet, by suffix.

The input's columns as text, as they were, then

    distance      float32, the shortest text that reads back equal
    probability   float32, likewise
    prediction    0 or 1
    status        ok, or what is wrong with either image

A pair with a bad image has empty scores: nothing in csv, null in jsonl and parquet.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from artsim.errors import UsageError
from artsim.scoring.pairs_file import SCORE_COLUMNS


@dataclass(frozen=True)
class ScoredBlock:
    """Some rows of the input with what is to stand beside them; the scores count where `good` says so."""

    rows: list[list[str]]
    good: NDArray[np.bool_]  # (B,)
    distance: NDArray[np.float32]  # (B,)
    probability: NDArray[np.float32]  # (B,)
    prediction: NDArray[np.int8]  # (B,)
    status: list[str]


class TableWriter(Protocol):
    """What writes a table, a block at a time; closed, the table is whole."""

    def write(self, block: ScoredBlock) -> None:
        """Add a block."""

    def close(self) -> None:
        """Write what is still missing; the file stays open."""


class CsvWriter:
    r"""csv with as few quotes as possible and \n at the end of a row."""

    def __init__(self, file: IO[bytes], header: Sequence[str]) -> None:
        self._file = file
        self._write_rows([[*header, *SCORE_COLUMNS]])

    def write(self, block: ScoredBlock) -> None:
        """Add a block."""
        scores = zip(
            _texts(block.distance, block.good),
            _texts(block.probability, block.good),
            _texts(block.prediction, block.good),
            block.status,
            strict=True,
        )
        self._write_rows([*row, *cells] for row, cells in zip(block.rows, scores, strict=True))

    def close(self) -> None:
        """Nothing is held back."""

    def _write_rows(self, rows: Any) -> None:
        lines = _Lines()
        # The csv module quotes a carriage return only where it is part of the line end, so it has to be.
        csv.writer(lines, lineterminator="\r\n").writerows(rows)
        self._file.write("".join(lines.parts).encode())


class JsonlWriter:
    """One JSON object a line: the input's columns as strings, the scores as numbers or null."""

    def __init__(self, file: IO[bytes], header: Sequence[str]) -> None:
        self._file = file
        self._columns = [*header, *SCORE_COLUMNS]

    def write(self, block: ScoredBlock) -> None:
        """Add a block."""
        text = io.StringIO()
        scores = zip(
            # The double with the same shortest text as the float32, so that the JSON has that text.
            [float(cell) if cell else None for cell in _texts(block.distance, block.good)],
            [float(cell) if cell else None for cell in _texts(block.probability, block.good)],
            [int(cell) if cell else None for cell in _texts(block.prediction, block.good)],
            block.status,
            strict=True,
        )
        for row, cells in zip(block.rows, scores, strict=True):
            text.write(json.dumps(dict(zip(self._columns, [*row, *cells], strict=True)), ensure_ascii=False) + "\n")
        self._file.write(text.getvalue().encode())

    def close(self) -> None:
        """Nothing is held back."""


class ParquetWriter:
    """Columns of strings, then float32, float32, int8 and string; a row group for each block."""

    def __init__(self, file: IO[bytes], header: Sequence[str]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        types = [pa.string()] * len(header) + [pa.float32(), pa.float32(), pa.int8(), pa.string()]
        self._schema = pa.schema(list(zip([*header, *SCORE_COLUMNS], types, strict=True)))
        self._width = len(header)
        self._writer = parquet.ParquetWriter(file, self._schema)

    def write(self, block: ScoredBlock) -> None:
        """Add a block."""
        import pyarrow as pa

        scores = [
            pa.array(column, mask=~block.good) for column in (block.distance, block.probability, block.prediction)
        ]
        inputs = [pa.array([row[column] for row in block.rows], pa.string()) for column in range(self._width)]
        columns = [*inputs, *scores, pa.array(block.status, pa.string())]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


FORMATS: dict[str, Callable[[IO[bytes], Sequence[str]], TableWriter]] = {
    ".csv": CsvWriter,
    ".jsonl": JsonlWriter,
    ".parquet": ParquetWriter,
}


def format_of(output: str) -> Callable[[IO[bytes], Sequence[str]], TableWriter]:
    """The writer that an output's suffix asks for; standard output, a device or a pipe without one gets csv.

    Raises:
        UsageError: an unknown suffix.
    """
    path = Path(output)
    suffix = path.suffix.lower()
    if output == "-" or (not suffix and is_stream(path)):
        return CsvWriter
    if suffix not in FORMATS:
        raise UsageError(f"{output}: an output ends in {', '.join(FORMATS)}, or is - for standard output.")
    return FORMATS[suffix]


def is_stream(path: Path) -> bool:
    """Whether this is there and is neither a file nor a folder: /dev/null, a named pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _texts(column: NDArray[Any], good: NDArray[np.bool_]) -> list[str]:
    """The shortest text of each number that reads back equal in its precision; none where it is not good."""
    texts = np.where(good, column.astype(np.str_), "")
    return list(texts.tolist())


class _Lines:
    r"""What csv.writer writes to, one call a row: takes \n for the \r\n at its end."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, line: str) -> None:
        self.parts.append(line[:-2] + "\n")
