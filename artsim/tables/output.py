"""Outputs: files that are complete or absent, devices, pipes and standard output; their formats by suffix."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, cast

from artsim.errors import OutputError, UsageError
from artsim.escaping import printable_text
from artsim.files import is_stream, replacing, writing
from artsim.tables.compression import Compression, split_suffix

if TYPE_CHECKING:
    from typing_extensions import Buffer

FormatName = Literal["csv", "jsonl", "parquet", "kaggle"]

NO_RESUME_NOTE = "Output to a stream cannot be resumed. With -o FILE it can."

_FORMAT_OF: dict[str, FormatName] = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}


@contextmanager
def open_output(output: str) -> Iterator[IO[bytes]]:
    """Open an output: a stream (`-`, pipe, device) directly, a file through a temporary file beside it.

    A symbolic link stays a link; its target is replaced.

    Raises:
        OutputError: see `check_place`; or the disk is full.
        BrokenPipeError: the reader of a pipe has gone away.
    """
    check_place(output)
    stream = is_stream(output)
    with _stream(output) if stream else replacing(Path(os.path.realpath(output)), "wb") as file:
        try:
            yield file
        except KeyboardInterrupt as error:
            error.add_note(NO_RESUME_NOTE if stream else f"{output} was not written.")
            raise


def format_of(output: str, asked: FormatName | None = None) -> tuple[FormatName, Compression | None]:
    """The format and the compression of an output.

    Its suffix says both. A stream without a suffix is csv. `asked` is the format that the user asks for.

    Raises:
        UsageError: an unknown suffix, or one that contradicts `asked`.
    """
    path = Path(output)
    if not path.suffix and is_stream(output):
        return asked or "csv", None
    suffix, compression = split_suffix(path)
    by_suffix = _FORMAT_OF.get(suffix)
    name = asked or by_suffix
    if name is None:
        raise UsageError(
            f"{output}: unknown suffix. Name an output that ends in {', '.join(_FORMAT_OF)}; .gz or .zst may follow "
            "the first two. - is standard output."
        )
    if by_suffix is not None and name != by_suffix and (name, by_suffix) != ("kaggle", "csv"):
        raise UsageError(f"{output}: the suffix contradicts the format {name}. Change one of them.")
    if name == "parquet" and compression:
        raise UsageError(f"{output}: parquet is compressed inside already. Leave {path.suffix} out.")
    return name, compression


def check_output(output: str, *, plain_text: bool = False) -> tuple[FormatName, Compression | None]:
    """Check an output before there is something to write, and return its format; `plain_text`: csv or jsonl only.

    Raises:
        UsageError: see `format_of`; or compression or parquet where the output is plain text.
        OutputError: see `check_place`.
    """
    name, compression = format_of(output)
    if plain_text and (compression or name == "parquet"):
        raise UsageError(f"{output}: this output is csv or jsonl, without compression. Name it .csv or .jsonl.")
    check_place(output)
    return name, compression


def check_place(output: str) -> None:
    """Check that a file can be written there, before there is something to write.

    Raises:
        OutputError: a folder, a missing or write-protected folder, or a write-protected file.
    """
    if output == "-":
        return
    path = Path(output)
    with writing(output):  # a name that is too long, a folder without permission
        if path.is_dir():
            raise OutputError(f"{output}: is a folder. Name a file in it.")
        folder = Path(os.path.realpath(path)).parent
        if not folder.is_dir():
            raise OutputError(f"{output}: can't be written, there is no folder {path.parent}. Create it first.")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise OutputError(f"{output}: can't be written, no permission.")


@contextmanager
def _stream(output: str) -> Iterator[IO[bytes]]:
    name = "standard output" if output == "-" else output
    with writing(name), _standard_output() if output == "-" else Path(output).open("wb") as file:
        yield file
        file.flush()


@contextmanager
def _standard_output() -> Iterator[IO[bytes]]:
    """Standard output with a buffer of our own: at exit, Python's would write again what has failed before.

    On a terminal, control characters in names are escaped. A file or a pipe gets the bytes as they are.
    """
    try:
        descriptor = sys.stdout.fileno()
    except io.UnsupportedOperation:  # replaced by something in memory, as in tests and notebooks
        yield sys.stdout.buffer
        return
    sys.stdout.flush()
    with open(descriptor, "wb", closefd=False) as file:
        yield cast("IO[bytes]", _Terminal(file)) if file.isatty() else file


class _Terminal:
    """Writes text to a terminal, whole characters at a time."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def write(self, data: Buffer) -> int:
        text = self._decoder.decode(bytes(data))
        self._file.write(printable_text(text).encode())
        return memoryview(data).nbytes

    def flush(self) -> None:
        self._file.flush()
