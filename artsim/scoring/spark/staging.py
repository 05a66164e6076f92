"""Staging of pairs for a Spark cluster: this machine reads them once and writes parquet with numbered rows.

A csv with quoted newlines can only be read from its start, by one machine. So this machine reads it, with the same
checks and messages as without Spark. Reading 20 million rows takes about as long as Spark takes to start.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from artsim.errors import InputError
from artsim.files import writing
from artsim.scoring.spark.stages import ROW_COLUMN
from artsim.tables.image_index import ImageNumbering, check_found
from artsim.tables.pairs_file import Block, PairsFile


@dataclass(frozen=True)
class StagedPairs:
    """The parquet files of a pairs file; two names of one path are one image."""

    pairs: Path  # row, first, second (numbers from 0), same (if there are labels), c0, c1, …
    images: Path  # image, path (absolute), name (in messages)
    columns: list[str]  # of the pairs file, the names of c0, c1, …
    rows: int
    image_count: int
    labelled: int  # rows with a label
    names_note: str  # a line about names that were found under another spelling
    faults: dict[int, str]  # what to say of some of the missing images, by number


def stage_pairs(pairs: PairsFile, folder: Path, place: Path) -> StagedPairs:
    """Read pairs with images in `folder` and write both files to `place`.

    Raises:
        InputError: a row that can't be used, a column with a name or type that the output can't have, or no image.
        OutputError: the files can't be written.
    """
    columns = pairs.schema.names
    if ROW_COLUMN in columns:
        raise InputError(
            f"{pairs.name}: has a column '{ROW_COLUMN}', which --engine spark needs for the rows' numbers. Rename it."
        )
    for field in pairs.schema:
        if pa.types.is_time(field.type) or pa.types.is_duration(field.type):
            raise InputError(
                f"{pairs.name}: the column '{field.name}' holds {field.type}, which Spark does not know. Leave it out."
            )
    numbers = ImageNumbering(folder)
    staged_pairs, staged_images = place / "pairs.parquet", place / "images.parquet"
    rows = labelled = 0
    with writing(place):
        with _Writer(staged_pairs) as writer:
            for block in pairs.blocks():
                writer.write(_numbered(block, rows, numbers))
                rows += len(block)
                labelled += block.labelled
            if rows == 0:
                writer.write(_no_rows(pairs))
        pyarrow.parquet.write_table(_image_table(numbers, pairs.name), staged_images)
    check_found(pairs.name, folder, numbers.lookup, numbers.names)
    sentences = numbers.lookup.faults(numbers.names)
    faults = {number: sentences[name] for number, name in enumerate(numbers.names) if name in sentences}
    note = numbers.lookup.note
    return StagedPairs(staged_pairs, staged_images, columns, rows, len(numbers.paths), labelled, note, faults)


def _image_table(numbers: ImageNumbering, name: str) -> pa.Table:
    """Number, absolute path and name of each image.

    Raises:
        InputError: a path that is not UTF-8, which Spark does not accept.
    """
    paths = numbers.paths
    try:
        return pa.table(
            {
                "image": pa.array(range(len(paths)), pa.int32()),
                "path": pa.array([str(Path(path).absolute()) if path else "" for path in paths], pa.string()),
                "name": pa.array(paths, pa.string()),
            }
        )
    except UnicodeEncodeError as error:
        raise InputError(
            f"{name}: Spark needs names in UTF-8, and the folder of its images has another name. Rename it."
        ) from error


class _Writer:
    """A parquet file with the columns of its first table."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pyarrow.parquet.ParquetWriter | None = None

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, table: pa.Table) -> None:
        if self._writer is None:
            # Spark's timestamps have microseconds.
            self._writer = pyarrow.parquet.ParquetWriter(
                self._path, table.schema, coerce_timestamps="us", allow_truncated_timestamps=True
            )
        self._writer.write_table(table)


def _numbered(block: Block, rows_before: int, numbers: ImageNumbering) -> pa.Table:
    first, second = numbers.of(block).astype(np.int32)
    columns: dict[str, pa.Array] = {
        "row": pa.array(np.arange(rows_before, rows_before + len(block), dtype=np.int64)),
        "first": pa.array(first),
        "second": pa.array(second),
    }
    if block.same is not None:
        columns["same"] = pa.array(block.same.astype(np.int8))
    return pa.table(columns | {f"c{place}": column for place, column in enumerate(block.table.columns)})


def _no_rows(pairs: PairsFile) -> pa.Table:
    kinds = {"row": pa.int64(), "first": pa.int32(), "second": pa.int32()}
    kinds |= {"same": pa.int8()} if pairs.labelled else {}
    kinds |= {f"c{place}": kind for place, kind in enumerate(pairs.schema.types)}
    return pa.schema(list(kinds.items())).empty_table()
