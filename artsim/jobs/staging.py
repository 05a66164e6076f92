"""Pairs as a cluster takes them: one pass of this machine's reader turns them into parquet with numbered rows.

A csv with quoted newlines can only be read from its start, by one machine, and so this one does, with the checks and
the messages that it has for itself; 20 million rows take about as long as Spark takes to start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from artsim.errors import InputError, OutputError
from artsim.scoring.pairs_file import Block, PairsFile
from artsim.scoring.spark import ROW_COLUMN


@dataclass(frozen=True)
class StagedPairs:
    """What was read: `columns` are those of the pairs file, in order; two names of one path are one image.

    `pairs` is a parquet file of row, first, second (numbers from 0), same (where there are labels), c0, c1, …;
    `images` one of image, path (absolute), name (as messages call it).
    """

    pairs: Path
    images: Path
    columns: list[str]
    rows: int
    image_count: int
    labelled: bool


def stage_pairs(pairs: PairsFile, folder: Path, place: Path) -> StagedPairs:
    """Read pairs, whose images lie in `folder`, and write both files to `place`.

    Raises:
        InputError: a row that can't be used, or a column called like one of the output's.
        OutputError: they can't be written.
    """
    columns = pairs.schema.names
    if ROW_COLUMN in columns:
        raise InputError(
            f"{pairs.name}: has a column '{ROW_COLUMN}', which --engine spark writes the rows' numbers to; rename it."
        )
    for field in pairs.schema:
        if pa.types.is_time(field.type) or pa.types.is_duration(field.type):
            raise InputError(f"{pairs.name}: the column '{field.name}' holds {field.type}, which Spark does not know.")
    numbers = _Numbers(folder)
    staged_pairs, staged_images = place / "pairs.parquet", place / "images.parquet"
    rows = 0
    with writing(place):
        with _Writer(staged_pairs) as writer:
            for block in pairs.blocks():
                writer.write(_numbered(block, rows, numbers))
                rows += len(block)
            if rows == 0:
                writer.write(_nothing(pairs))
        pyarrow.parquet.write_table(numbers.table(), staged_images)
    return StagedPairs(staged_pairs, staged_images, columns, rows, len(numbers.row_of_path), pairs.labelled)


class _Numbers:
    """The number of each image, in the order in which they first come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, int] = {}
        self.row_of_path: dict[str, int] = {}

    def of(self, names: Any) -> NDArray[np.int32]:
        """The numbers (B,) of an array of names."""
        encoded = names.dictionary_encode()
        numbers = np.array([self._number(name) for name in encoded.dictionary.to_pylist()], dtype=np.int32)
        found: NDArray[np.int32] = numbers[np.asarray(encoded.indices)]
        return found

    def table(self) -> Any:
        """Where each image is, and what messages call it."""
        names = list(self.row_of_path)
        return pa.table(
            {
                "image": pa.array(range(len(names)), pa.int32()),
                "path": pa.array([str(Path(name).absolute()) if name else "" for name in names], pa.string()),
                "name": pa.array(names, pa.string()),
            }
        )

    def _number(self, name: str) -> int:
        if name not in self._known:
            path = str(self._folder / name) if name else ""  # an empty name is no folder
            self._known[name] = self.row_of_path.setdefault(path, len(self.row_of_path))
        return self._known[name]


class _Writer:
    """A parquet file whose columns are those of the first table."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, table: Any) -> None:
        if self._writer is None:
            # Spark's times have microseconds.
            self._writer = pyarrow.parquet.ParquetWriter(
                self._path, table.schema, coerce_timestamps="us", allow_truncated_timestamps=True
            )
        self._writer.write_table(table)


def _numbered(block: Block, before: int, numbers: _Numbers) -> Any:
    # Both columns at once, so that images are numbered in the order of the local engine's list.
    count = len(block)
    both = numbers.of(pa.concat_arrays([block.image1, block.image2]))
    columns: dict[str, Any] = {
        "row": pa.array(np.arange(before, before + count, dtype=np.int64)),
        "first": pa.array(both[:count]),
        "second": pa.array(both[count:]),
    }
    if block.same is not None:
        columns["same"] = pa.array(block.same.astype(np.int8))
    return pa.table(columns | {f"c{place}": column for place, column in enumerate(block.table.columns)})


def _nothing(pairs: PairsFile) -> Any:
    kinds = {"row": pa.int64(), "first": pa.int32(), "second": pa.int32()}
    kinds |= {"same": pa.int8()} if pairs.labelled else {}
    kinds |= {f"c{place}": kind for place, kind in enumerate(pairs.schema.types)}
    return pa.schema(list(kinds.items())).empty_table()


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn what the system says of what is written there into an OutputError."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{place}: can't be written ({error.strerror or error}).") from error
