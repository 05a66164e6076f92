"""Ranked works, or artists, as a table of text: csv or jsonl by suffix, a row at a time.

Numbers are float32, the shortest text that reads back equal; what is unknown is empty in csv and null in jsonl.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from artsim.errors import UsageError
from artsim.tables.output import check_place, format_of, open_output

FORMATS = ("csv", "jsonl")

Row = Mapping[str, Any]


def check_ranked_output(output: str) -> None:
    """See that answers can be written there, before there are any.

    Raises:
        UsageError: an unknown suffix.
        OutputError: no place for a file.
    """
    _format_of(output)
    check_place(output)


@contextmanager
def open_ranked_writer(output: str, columns: Sequence[str]) -> Iterator[Callable[[Row], None]]:
    """Open an output and get what writes a row; a regular file takes its place when the block ends well.

    Raises:
        UsageError, OutputError: see `check_ranked_output`.
        OutputError: the disk is full.
    """
    is_csv = _format_of(output) == "csv"
    with open_output(output) as file:
        header = [_csv_line(columns)] if is_csv else []

        def write(row: Row) -> None:
            cells = [row[column] for column in columns]
            lines = [*header, _csv_line(cells) if is_csv else _json_line(dict(zip(columns, cells, strict=True)))]
            header.clear()
            file.write("".join(lines).encode())

        yield write
        file.write("".join(header).encode())  # only now, so that what fails before the first row writes nothing


def _csv_line(cells: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([_cell(cell) for cell in cells])
    return line.getvalue()[:-2] + "\n"


def _cell(cell: Any) -> str:
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, bool) else str(cell)


def _json_line(row: dict[str, Any]) -> str:
    # A float32 as the double of the same shortest text, so that the JSON has that text.
    plain = {name: float(str(cell)) if isinstance(cell, np.float32) else cell for name, cell in row.items()}
    return json.dumps(plain, ensure_ascii=False) + "\n"


def _format_of(output: str) -> str:
    name, compression = format_of(output)
    if compression or name not in FORMATS:
        raise UsageError(f"{output}: answers are written as {' or '.join(FORMATS)}, without compression.")
    return name
