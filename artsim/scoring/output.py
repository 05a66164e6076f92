"""Where scores go: a file that is whole or not there, a device or pipe, or standard output."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from artsim.errors import OutputError
from artsim.files import replacing
from artsim.scoring.table import TableWriter, format_of, is_stream


@contextmanager
def open_table(output: str, header: Sequence[str]) -> Iterator[TableWriter]:
    """Open an output for scores; a regular file takes its place when the block ends well.

    Raises:
        UsageError, OutputError: see `check_output`.
        OutputError: the disk is full.
        BrokenPipeError: who reads the pipe has gone away.
    """
    make_writer = format_of(output)
    with open_output(output) as file:
        writer = make_writer(file, header)
        yield writer
        writer.close()


def open_output(output: str) -> AbstractContextManager[IO[bytes]]:
    """Open `-`, a device or pipe as it is, and anything else by way of a temporary file beside it.

    A symbolic link stays one: what it points to is replaced.

    Raises:
        OutputError: see `check_place`, or a disk that is full.
    """
    check_place(output)
    path = Path(output)
    if output == "-" or is_stream(path):
        return _stream(output)
    return replacing(Path(os.path.realpath(path)), "wb")


def check_output(output: str) -> None:
    """See that scores can be written there, before there are any.

    Raises:
        UsageError: an unknown suffix.
        OutputError: see `check_place`.
    """
    format_of(output)
    check_place(output)


def check_place(output: str) -> None:
    """See that a file can be written there, before there is something to write.

    Raises:
        OutputError: a folder, one that is not there or takes no files, or a file that is write-protected.
    """
    path = Path(output)
    if output == "-":
        return
    if path.is_dir():
        raise OutputError(f"{output}: is a folder; name a file in it.")
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise OutputError(f"{output}: can't be written, there is no folder {path.parent}.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise OutputError(f"{output}: can't be written, no permission.")


@contextmanager
def _stream(output: str) -> Iterator[IO[bytes]]:
    name = "standard output" if output == "-" else output
    try:
        with _standard_output() if output == "-" else Path(output).open("wb") as file:
            yield file
            file.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{name}: can't be written ({error.strerror or error}).") from error


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
