"""A reader of parquet, whose batches have a bounded size however well the file is compressed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from artsim.errors import InputError
from artsim.tables.arrow import numbers_of
from artsim.tables.bounds import check_columns, first_line, reading
from artsim.tables.parquet_pages import DELTA_BYTE_ARRAY, DICTIONARY_PAGE, Page, pages, schema_elements

ROW_BYTES = 64  # of an ordinary row, which turns bytes into rows
CELL_BYTES = 16  # of a number, and of a text beside its characters
READ_BLOCKS = 4  # decoded at once
BUFFER_BYTES = 2**20  # of a column's compressed bytes
MAX_PAGES_BYTES = 2**28  # of a row group's columns, two pages each
MAX_DICTIONARY_BYTES = 2**28  # of the values of a row group in a column that stays a dictionary
SHORT_DICTIONARY = 64  # bytes; each value may be as long without harm


class ParquetReader:
    """A parquet file; messages call it `name`."""

    note = ""  # nothing to say

    def __init__(self, path: Path, name: str, block_bytes: int) -> None:
        self._path, self._name, self._block_bytes = path, name, block_bytes
        with reading(name):
            check_columns(schema_elements(path) - 1, name)
            try:
                with self._open() as file:
                    self.schema = file.schema_arrow
                check_columns(len(self.schema.names), name)
            except UnicodeDecodeError as error:
                raise InputError(f"{name}: the name of a column is not UTF-8 text.") from error
        self._rows: list[int] | None = None  # of a batch, by row group

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Record batches of the file's types."""
        with reading(self._name):
            if self._rows is None:
                self._rows = self._plan()
            gathered: list[pa.RecordBatch] = []
            for batch in self._decoded(self._rows):
                if gathered and not self._fits([*gathered, batch]):
                    yield from self._sized(gathered)
                    gathered = []
                gathered.append(batch)
            if gathered:
                yield from self._sized(gathered)

    def _open(self, **options: Any) -> pyarrow.parquet.ParquetFile:
        try:
            return pyarrow.parquet.ParquetFile(self._path, buffer_size=BUFFER_BYTES, **options)
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{self._name}: is not a parquet file, or not a complete one ({first_line(error)})."
            ) from error

    def _decoded(self, rows: Sequence[int]) -> Iterator[pa.RecordBatch]:
        with self._open() as file, self._damage_named():
            for group, count in enumerate(rows):
                for batch in file.iter_batches(count, row_groups=[group]):
                    batch.validate(full=True)  # text that is not UTF-8
                    yield batch

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except pa.ArrowException as error:
            raise InputError(f"{self._name}: the parquet file is damaged ({first_line(error)}).") from error

    @property
    def _block_rows(self) -> int:
        return max(1, self._block_bytes // max(ROW_BYTES, 8 * len(self.schema)))

    def _fits(self, batches: Sequence[pa.RecordBatch]) -> bool:
        """Whether batches together are at most a block. Dictionaries differ, and are not put together."""
        if any(isinstance(kind, pa.DictionaryType) for kind in self.schema.types):
            return False
        rows, size = sum(batch.num_rows for batch in batches), sum(batch.nbytes for batch in batches)
        return bool(rows <= self._block_rows and size <= self._block_bytes)

    def _sized(self, batches: Sequence[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """One batch of small ones; or, of a large one, batches of about the size of a block."""
        batch = batches[0] if len(batches) == 1 else pa.concat_batches(batches)
        size = sum(_bytes_of(column) for column in batch.columns)
        step = max(1, batch.num_rows * self._block_bytes // max(size, self._block_bytes))
        yield from (batch.slice(start, step) for start in range(0, len(batch), step))

    def _plan(self) -> list[int]:
        """The rows of a batch, by row group, so that it is at most READ_BLOCKS blocks and some pages."""
        with self._open() as file, self._path.open("rb") as raw, self._damage_named():
            groups = [file.metadata.row_group(group) for group in range(file.metadata.num_row_groups)]
            return [self._rows_of(raw, group, number) for number, group in enumerate(groups)]

    def _rows_of(self, raw: IO[bytes], group: pyarrow.parquet.RowGroupMetaData, number: int) -> int:
        width, pages_bytes = 0.0, 0
        for column in range(group.num_columns):
            chunk = group.column(column)
            found = self._pages_of(raw, chunk)
            pages_bytes += sum(sorted((page.size for page in found), reverse=True)[:2])
            if pages_bytes > MAX_PAGES_BYTES:
                raise InputError(
                    f"{self._name}: its pages are too large to be read together ({pages_bytes / 2**20:,.0f} MiB). "
                    "Write it with smaller pages, or leave columns out."
                )
            width += max(CELL_BYTES, self._longest(found, chunk, number))
        return max(1, min(int(READ_BLOCKS * self._block_bytes / max(1.0, width)), self._block_rows))

    def _pages_of(self, raw: IO[bytes], chunk: pyarrow.parquet.ColumnChunkMetaData) -> list[Page]:
        start = chunk.data_page_offset
        if chunk.has_dictionary_page and chunk.dictionary_page_offset:
            start = min(start, chunk.dictionary_page_offset)
        found = list(pages(raw, start, chunk.total_compressed_size, chunk.num_values, self._name))
        kept = self.schema.field(chunk.path_in_schema).type if chunk.path_in_schema in self.schema.names else None
        if isinstance(kept, pa.DictionaryType) and sum(page.size for page in found) > MAX_DICTIONARY_BYTES:
            raise InputError(
                f"{self._name}: the column '{chunk.path_in_schema}' has too many different values in one row group. "
                "Write it as text."
            )
        return found

    def _longest(self, found: Sequence[Page], chunk: pyarrow.parquet.ColumnChunkMetaData, number: int) -> float:
        """The bytes of a value, in the mean over the page with the longest, once repetitions are written out."""
        if chunk.physical_type != "BYTE_ARRAY":
            return CELL_BYTES
        longest = 0.0
        for page in found:
            if page.kind == DICTIONARY_PAGE:
                longest = max(longest, self._longest_entry(chunk.path_in_schema, number, page))
            else:
                longest = max(longest, page.size / (1 if page.encoding == DELTA_BYTE_ARRAY else max(1, page.values)))
        return longest + CELL_BYTES

    def _longest_entry(self, column: str, group: int, page: Page) -> int:
        """The bytes of the longest value in a dictionary."""
        if page.size <= SHORT_DICTIONARY or column not in self.schema.names:
            return page.size
        try:
            with self._open(read_dictionary=[column]) as file:
                row = next(file.iter_batches(1, row_groups=[group], columns=[column])).column(0)
        except (StopIteration, OSError):  # no row; or values that Arrow can't leave in a dictionary
            return page.size
        if not isinstance(row.type, pa.DictionaryType):
            return page.size
        lengths = numbers_of(pc.binary_length(row.dictionary))
        return int(lengths.max(initial=0))


def _bytes_of(column: pa.Array) -> int:
    """The size of a column without its dictionary, which slices share."""
    return int((column.indices if isinstance(column, pa.DictionaryArray) else column).nbytes)
