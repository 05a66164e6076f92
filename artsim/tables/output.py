"""Where scores go: a file that is whole or not there, a device or pipe, or standard output."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from artsim.errors import OutputError, UsageError
from artsim.files import replacing, writing
from artsim.tables.formats import (
    Compressed,
    CsvFormat,
    Format,
    JsonlFormat,
    KaggleFormat,
    ParquetFormat,
    gzipped,
    zstandard,
)
from artsim.tables.readers import COMPRESSIONS

FormatName = Literal["csv", "jsonl", "parquet", "kaggle"]

FORMATS: dict[FormatName, Callable[[Any], Format]] = {
    "csv": CsvFormat,
    "jsonl": JsonlFormat,
    "parquet": ParquetFormat,
    "kaggle": KaggleFormat,
}
COMPRESS: dict[str, Callable[[Any], bytes]] = {"gzip": gzipped, "zstd": zstandard}
_SUFFIXES: dict[str, FormatName] = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}


def open_output(output: str) -> AbstractContextManager[IO[bytes]]:
    """Open `-`, a device or pipe as it is, and anything else by way of a temporary file beside it.

    A symbolic link stays one: what it points to is replaced.

    Raises:
        OutputError: see `check_place`, or the disk is full.
        BrokenPipeError: who reads the pipe has gone away.
    """
    check_place(output)
    path = Path(output)
    if output == "-" or is_stream(path):
        return _stream(output)
    return replacing(Path(os.path.realpath(path)), "wb")


def format_of(output: str, asked: FormatName | None = None) -> tuple[FormatName, str | None]:
    """The format and the compression of an output: as its suffix says, csv for a stream, or another one asked for.

    Raises:
        UsageError: a suffix that says nothing, or something else than what was asked for.
    """
    path = Path(output)
    if output == "-" or (not path.suffix and is_stream(path)):
        return asked or "csv", None
    compression = COMPRESSIONS.get(path.suffix.lower())
    suffix = (path.with_suffix("") if compression else path).suffix.lower()
    said = _SUFFIXES.get(suffix)
    name = asked or said
    if name is None:
        raise UsageError(
            f"{output}: an output ends in {', '.join(_SUFFIXES)}, the first two perhaps in .gz or .zst after that, or "
            "is - for standard output."
        )
    if said is not None and name != said and (name, said) != ("kaggle", "csv"):
        raise UsageError(f"{output}: can't be of the format {name} with this suffix.")
    if name == "parquet" and compression:
        raise UsageError(f"{output}: parquet is compressed inside already; leave {path.suffix} out.")
    return name, compression


def make_format(output: str, asked: FormatName | None, schema: Any) -> Format:
    """What writes an output, for the columns of the input.

    Raises:
        UsageError: see `format_of`.
        InputError: the format wants a column that the input does not have.
    """
    name, compression = format_of(output, asked)
    plain = FORMATS[name](schema)
    return Compressed(plain, COMPRESS[compression]) if compression else plain


def check_place(output: str) -> None:
    """See that a file can be written there, before there is something to write.

    Raises:
        OutputError: a folder, one that is not there or takes no files, or a file that is write-protected.
    """
    if output == "-":
        return
    with writing(output):  # a name that is too long, a folder without permission
        _check(output, Path(output))


def _check(output: str, path: Path) -> None:
    if path.is_dir():
        raise OutputError(f"{output}: is a folder; name a file in it.")
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise OutputError(f"{output}: can't be written, there is no folder {path.parent}.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise OutputError(f"{output}: can't be written, no permission.")


def is_stream(path: Path) -> bool:
    """Whether this is there and is neither a file nor a folder: /dev/null, a named pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextmanager
def _stream(output: str) -> Iterator[IO[bytes]]:
    name = "standard output" if output == "-" else output
    with writing(name), _standard_output() if output == "-" else Path(output).open("wb") as file:
        yield file
        file.flush()


@contextmanager
def _standard_output() -> Iterator[IO[bytes]]:
    """A buffer of our own over standard output: Python's would try again at exit what has failed before."""
    try:
        descriptor = sys.stdout.fileno()
    except io.UnsupportedOperation:  # replaced by something in memory, as in tests and notebooks
        yield sys.stdout.buffer
        return
    sys.stdout.flush()
    with open(descriptor, "wb", closefd=False) as file:
        yield file
