"""Ranked works or artists as a text table: csv or jsonl by suffix, a row at a time.

Numbers are float32, written as the shortest text that reads back equal. An unknown value is empty in csv and null in
jsonl.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from artsim.tables.output import check_output, open_output

Cell = str | int | float | np.float32 | None
Row = Mapping[str, Cell]


@contextmanager
def open_ranked_writer(output: str, columns: Sequence[str]) -> Iterator[Callable[[Row], None]]:
    """Open an output and yield a function that writes a row; a file is complete or absent.

    Raises:
        UsageError, OutputError: see `check_output`.
        OutputError: the disk is full.
    """
    is_csv = check_output(output, plain_text=True)[0] == "csv"
    with open_output(output) as file:
        header = [_csv_line(columns)] if is_csv else []

        def write(row: Row) -> None:
            cells = [row[column] for column in columns]
            lines = [*header, _csv_line(cells) if is_csv else _json_line(dict(zip(columns, cells, strict=True)))]
            header.clear()
            file.write("".join(lines).encode())

        yield write
        file.write("".join(header).encode())  # only now: a failure before the first row writes nothing


def _csv_line(cells: Sequence[Cell]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([_csv_cell(cell) for cell in cells])
    return line.getvalue()[:-2] + "\n"


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, bool) else str(cell)


def _json_line(row: dict[str, Cell]) -> str:
    # A float32 as the double of the same shortest text, so that the JSON has that text.
    plain = {name: float(str(cell)) if isinstance(cell, np.float32) else cell for name, cell in row.items()}
    return json.dumps(plain, ensure_ascii=False) + "\n"
