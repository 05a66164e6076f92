"""Files: atomic replacement, system errors as artsim's errors, digests, streams."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from artsim.errors import OutputError


@contextmanager
def writing(name: str | os.PathLike[str]) -> Iterator[None]:
    """Turn the system's errors in the block into an OutputError about `name`.

    Raises:
        OutputError: the block raised an OSError.
        BrokenPipeError: the reader of a pipe has gone away.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{os.fspath(name)}: can't be written ({error.strerror or error}).") from error


@contextmanager
def replacing(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path`; move it there if the block succeeds, else remove it.

    Text is UTF-8 and keeps its line ends.

    Raises:
        OutputError: the folder does not exist, or the file can't be written.
    """
    part = path.with_name(f".{uuid4().hex}.part")  # not the file's own name, which may have the maximal length
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "")
    with writing(path):
        try:
            with part.open(mode.replace("w", "x"), encoding=encoding, newline=newline) as file:
                yield file
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def is_stream(name: str) -> bool:
    """Whether a name is `-`, a named pipe or a device, which can be read or written only once."""
    path = Path(name)
    return name == "-" or (path.exists() and not path.is_file() and not path.is_dir())


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def stderr_to(file: IO[bytes]) -> Iterator[None]:
    """Redirect file descriptor 2 to a file, also for libraries in C and for processes started in the block."""
    sys.stderr.flush()
    terminal = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
