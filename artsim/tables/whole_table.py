"""Tables that are written at once: csv, jsonl or parquet by the suffix of the output."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet

from artsim.tables.compression import compress
from artsim.tables.formats import CsvFormat, Format, JsonlFormat
from artsim.tables.output import FormatName, format_of, open_output

_TEXT: dict[FormatName, Callable[[pa.Schema], Format]] = {"csv": CsvFormat, "jsonl": JsonlFormat}


def write_whole_table(output: str, table: pa.RecordBatch) -> None:
    """Write a table; a file is complete or absent.

    Raises:
        UsageError: see `format_of`.
        OutputError: see `open_output`.
    """
    name, compression = format_of(output)
    with open_output(output) as file:
        if name == "parquet":
            pyarrow.parquet.write_table(pa.Table.from_batches([table]), file)
            return
        made = _TEXT[name](table.schema)
        for part in (made.head(), made.encode(table)):
            file.write(compress(part, compression) if compression else part)
