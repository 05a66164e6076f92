"""Files that are whole or not there: written beside their place, then moved into it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from artsim.errors import OutputError


@contextmanager
def replacing(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path` and move it there when the block ends well; else remove it.

    Text is UTF-8 with the line ends as written.

    Raises:
        OutputError: the folder is not there or the file can't be written.
    """
    part = None
    try:
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, mode, **({} if "b" in mode else {"encoding": "utf-8", "newline": ""})) as file:
            yield file
        Path(part).chmod(0o666 & ~_umask())  # mkstemp makes files that only their owner may read
        Path(part).replace(path)
        part = None
    except OSError as error:
        raise OutputError(f"{path}: can't be written ({error.strerror or error}).") from error
    finally:
        if part is not None:
            Path(part).unlink(missing_ok=True)


def _umask() -> int:
    """The process's umask; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
