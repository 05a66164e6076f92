"""The faulty rows of a jsonl file, which Arrow's reader does not name.

Rows are counted from 1. Blank lines are not rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pyarrow as pa

from artsim.errors import InputError
from artsim.messages import FEW, first_few, quoted, shortened
from artsim.tables.json_lines import object_of
from artsim.tables.labels import LABEL_COLUMN

_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    dict: "an object",
    list: "a list",
}
_LABEL = re.compile(
    rb'("' + LABEL_COLUMN.encode() + rb'"\s*:\s*)(?:(true|"?1(?:\.0*)?"?)|(false|"?0(?:\.0*)?"?))(?=\s*[,}])'
)


def find_faults(pieces: Iterable[tuple[int, bytes]], name: str, schema: pa.Schema | None) -> InputError | None:
    """Read complete lines slowly, and name the first faulty rows and their number; None if there is none.

    Args:
        pieces: complete lines, each piece with the number of lines before it.
        name: of the file.
        schema: the columns, if they are known.
    """
    count = 0
    first: list[str] = []
    for row, line, fault in _faults(pieces, schema):
        count += 1
        if len(first) < FEW:
            first.append(f"row {row:,} (line {line:,}): {fault}")
    return InputError(f"{name}, {first_few(first, '; ', of=count)}.") if count else None


def with_one_kind_of_label(rows: bytes, schema: pa.Schema | None) -> bytes:
    """The same rows with labels of the schema's type, or with 0 and 1: programs write 1, 1.0, true and "1"."""
    kind = None if schema is None or LABEL_COLUMN not in schema.names else schema.field(LABEL_COLUMN).type
    same, different = b"1", b"0"
    if kind is not None and pa.types.is_boolean(kind):
        same, different = b"true", b"false"
    elif kind is not None and pa.types.is_string(kind):
        same, different = b'"1"', b'"0"'
    return _LABEL.sub(lambda label: label[1] + (same if label[2] else different), rows)


def _faults(pieces: Iterable[tuple[int, bytes]], schema: pa.Schema | None) -> Iterator[tuple[int, int, str]]:
    """The number, the line and the fault of each faulty row."""
    kinds = {} if schema is None else {field.name: _kind_of(field.type) for field in schema}
    row = 0
    for lines_before, piece in pieces:
        for number, line in enumerate(piece.splitlines(), start=lines_before + 1):
            if line.strip():
                row += 1
                if fault := _fault(line, kinds, is_complete=schema is not None):
                    yield row, number, fault


def _fault(line: bytes, kinds: dict[str, type | None], *, is_complete: bool) -> str | None:
    """What is wrong with a line. Columns that are not known yet get the kind of their value."""
    try:
        values = object_of(line)
    except ValueError as error:
        return str(error)
    for column, value in values.items():
        if is_complete and column not in kinds:
            return f"has the column {quoted(column)}, which the first rows lack"
        kind = kinds.get(column)
        if kind is None:
            kinds[column] = _kind_of_value(value)
        elif not _fits(value, kind):
            return f"{shortened(column)} is {quoted(value)}, and {_KINDS[kind]} in the rows before"
    return None


def _kind_of_value(value: object) -> type | None:
    """The kind of a column by its first value. Later numbers may have a fraction, as the type is not chosen yet."""
    if value is None:
        return None
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _fits(value: object, kind: type) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and kind is float
    return value is None or type(value) is kind or is_number


def _kind_of(kind: pa.DataType) -> type | None:
    """The kind of a column's values in JSON; None: any."""
    known = {
        bool: pa.types.is_boolean, int: pa.types.is_integer, float: pa.types.is_floating, str: pa.types.is_string,
        dict: pa.types.is_struct, list: pa.types.is_list,
    }  # fmt: skip
    return next((each for each, is_of in known.items() if is_of(kind)), None)
