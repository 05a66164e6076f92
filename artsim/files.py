"""Files that are whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from artsim.errors import OutputError


@contextmanager
def replacing(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path` and move it there when the block ends well; else remove it.

    Text is UTF-8 with the line ends as written.

    Raises:
        OutputError: the folder is not there, or the file can't be written.
    """
    part = path.with_name(f".{uuid4().hex}.part")  # not the file's own name, which may be as long as names can be
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "")
    try:
        try:
            with part.open(mode.replace("w", "x"), encoding=encoding, newline=newline) as file:
                yield file
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({error.strerror or error}).") from error
