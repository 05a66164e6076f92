"""Tables that are read in blocks, as often as needed: csv, jsonl and parquet, the first two also compressed.

A csv is UTF-8 with or without a byte order mark, with any line ends and quoted cells; all its columns are text, as it
stands there. The others keep their types.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet

from artsim.errors import InputError
from artsim.tables.csv_faults import first_fault, has_odd_quotes, read_header

BLOCK_BYTES = 2**23  # of text; a row has to be shorter
BLOCK_ROWS = 2**17  # of parquet
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


class TableReader(Protocol):
    """A table: its columns, and its rows from the first one on each time they are asked for."""

    schema: Any

    def batches(self) -> Iterator[Any]:
        """Record batches of all rows, in order.

        Raises:
            InputError: what can't be read, with the row where that can be said.
        """


class CsvReader:
    """A csv file; `name` is what messages call it."""

    def __init__(self, path: Path, name: str, compression: str | None) -> None:
        self._path, self._name, self._compression = path, name, compression
        with reading(name):
            header = read_header(self._open, name)
        self.schema = pa.schema([(column, pa.string()) for column in header])
        self._were_quotes_seen = False  # whether they stand where they may
        self._is_checked = False  # strictly

    def batches(self) -> Iterator[Any]:
        """Record batches of text."""
        if not self._were_quotes_seen:
            with reading(self._name):
                are_odd = has_odd_quotes(self._open)
            if are_odd:
                self._check_strictly()
            self._were_quotes_seen = True
        try:
            yield from self._read()
        except pa.ArrowInvalid as error:
            with reading(self._name):
                fault = first_fault(self._open, self._name, len(self.schema))
            raise fault or InputError(f"{self._name}: can't be read as csv ({_first_line(error)}).") from None

    def _read(self) -> Iterator[Any]:
        with reading(self._name), self._open() as file:
            try:
                reader = pyarrow.csv.open_csv(
                    file,
                    pyarrow.csv.ReadOptions(block_size=BLOCK_BYTES),
                    pyarrow.csv.ParseOptions(newlines_in_values=True),
                    pyarrow.csv.ConvertOptions(column_types=self.schema),
                )
            except pa.ArrowInvalid as error:
                if "Empty CSV file" in str(error):  # a header without a line end
                    return
                raise
            for batch in reader:
                # A quote that is never closed takes in the rows that follow, until another one ends it.
                if not self._is_checked and any(_has_line_end(column) for column in batch.columns):
                    self._check_strictly()
                yield batch

    def _check_strictly(self) -> None:
        with reading(self._name):
            fault = first_fault(self._open, self._name, len(self.schema))
        if fault is not None:
            raise fault
        self._is_checked = True

    def _open(self) -> IO[bytes]:
        return open_bytes(self._path, self._compression)


class JsonlReader:
    """A file with a JSON object a line; the first block says which columns there are and of which types."""

    def __init__(self, path: Path, name: str, compression: str | None) -> None:
        self._path, self._name, self._compression = path, name, compression
        with self._faults_named(), self._open() as file:
            inferred = _json_reader(file, None).schema
        # What looks like a time stays the text that it is.
        self.schema = pa.schema(
            [(field.name, pa.string() if pa.types.is_timestamp(field.type) else field.type) for field in inferred]
        )

    def batches(self) -> Iterator[Any]:
        """Record batches of the types that the first block has."""
        with self._faults_named(), self._open() as file:
            for batch in _json_reader(file, self.schema):
                batch.validate(full=True)  # text that is not UTF-8
                yield batch

    def _open(self) -> IO[bytes]:
        return open_bytes(self._path, self._compression)

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        with reading(self._name):
            try:
                yield
            except pa.ArrowInvalid as error:
                raise self._fault(error) from error

    def _fault(self, error: pa.ArrowInvalid) -> InputError:
        """Read again, slowly, to say which line is at fault."""
        number = 0
        with self._open() as file:
            for number, line in enumerate(file, start=1):
                try:
                    if line.strip() and not isinstance(json.loads(line), dict):
                        return InputError(f"{self._name}, line {number}: is no JSON object.")
                except ValueError as fault:
                    return InputError(f"{self._name}, line {number}: is no JSON object ({fault}).")
        if number == 0:
            return InputError(f"{self._name}: is empty; expected a JSON object for each pair.")
        return InputError(
            f"{self._name}: its lines do not have the same columns of the same types throughout ({_first_line(error)})."
        )


class ParquetReader:
    """A parquet file."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        with reading(name), self._open() as file:
            self.schema = file.schema_arrow

    def batches(self) -> Iterator[Any]:
        """Record batches of the file's types."""
        with reading(self._name), self._open() as file:
            try:
                for batch in file.iter_batches(BLOCK_ROWS):
                    batch.validate(full=True)  # text that is not UTF-8
                    step = max(1, BLOCK_ROWS * BLOCK_BYTES // max(batch.nbytes, BLOCK_BYTES))
                    yield from (batch.slice(start, step) for start in range(0, len(batch), step))
            except pa.ArrowException as error:
                raise InputError(f"{self._name}: is a damaged parquet file ({_first_line(error)}).") from error

    def _open(self) -> Any:
        try:
            return pyarrow.parquet.ParquetFile(self._path)
        except pa.ArrowInvalid as error:
            raise InputError(f"{self._name}: is no parquet file, or not a whole one ({_first_line(error)}).") from error


def _json_reader(file: IO[bytes], schema: Any) -> Any:
    return pyarrow.json.open_json(
        file,
        pyarrow.json.ReadOptions(block_size=BLOCK_BYTES),
        pyarrow.json.ParseOptions(
            explicit_schema=schema,
            newlines_in_values=False,
            unexpected_field_behavior="error" if schema else "infer",
        ),
    )


def open_reader(path: Path, name: str, *, sniff: bool = False) -> TableReader:
    """Open a table by its suffix, what has no known one as csv; `sniff` looks at its first bytes instead.

    Raises:
        InputError: not there, a folder, empty, or not what it seems to be.
    """
    with reading(name):
        kind, compression = _sniffed(path) if sniff else _by_suffix(path)
    if kind == ".parquet":
        return ParquetReader(path, name)
    return (JsonlReader if kind == ".jsonl" else CsvReader)(path, name, compression)


def open_bytes(path: Path, compression: str | None) -> IO[bytes]:
    """Open a file for reading what it holds, compressed or not."""
    if compression == "gzip":
        # pyarrow takes what was cut off between two blocks for the end.
        return io.BufferedReader(gzip.open(path, "rb"), 2**20)
    if compression == "zstd":
        return io.BufferedReader(pa.input_stream(str(path), compression="zstd"), 2**20)
    return path.open("rb")


def _by_suffix(path: Path) -> tuple[str, str | None]:
    compression = COMPRESSIONS.get(path.suffix.lower())
    return (path.with_suffix("") if compression else path).suffix.lower(), compression


def _sniffed(path: Path) -> tuple[str, str | None]:
    with path.open("rb") as file:
        start = file.read(4)
    compression = next((known for magic, known in _MAGIC.items() if start.startswith(magic)), None)
    with open_bytes(path, compression) as file:
        start = file.read(4)
    if start == b"PAR1":
        return ".parquet", None
    return (".jsonl" if start.lstrip().startswith(b"{") else ".csv"), compression


def _has_line_end(column: Any) -> bool:
    buffer = column.buffers()[2]
    text = b"" if buffer is None else memoryview(buffer).tobytes()
    return b"\n" in text or b"\r" in text


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn what the system says of a file into an InputError."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{name}: is no whole compressed file ({error}).") from error
    except OSError as error:
        raise InputError(f"{name}: can't be read ({error.strerror or _first_line(error)}).") from error
