"""At most one process writes an output. The lock disappears when its process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from artsim.errors import OutputError
from artsim.files import writing


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Lock `path` for writing, by a hidden file beside it, which is removed when the block ends.

    The system releases the lock of a process that dies; its empty file locks nothing. All links to a file are one
    output.

    Raises:
        OutputError: another run holds the lock, or the folder can't be written.
    """
    place = Path(os.path.realpath(path))
    if not place.parent.is_dir():  # the library would create it
        raise OutputError(f"{path}: can't be written, there is no folder {path.parent}. Create it first.")
    # A digest, as the name itself may have the maximal length.
    hidden = place.with_name(f".{sha256(os.fsencode(place.name)).hexdigest()[:32]}.lock")
    lock = FileLock(hidden, timeout=0)
    with writing(path):
        try:
            lock.acquire()
        except Timeout as error:
            raise OutputError(f"{path}: another run is writing it. Wait for it, or name another output.") from error
    try:
        yield
    finally:
        # Before the release: a process that has opened the file meanwhile sees that its name is gone, and tries again.
        hidden.unlink(missing_ok=True)
        lock.release()
