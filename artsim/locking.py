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
    """Hold a lock for writing `path`, by a hidden file beside it that goes when the block ends.

    The system drops the lock of a process that dies; the empty file it leaves keeps nobody out. All names of one file,
    by way of links, are one output.

    Raises:
        OutputError: another run holds it, or the folder takes no files.
    """
    place = Path(os.path.realpath(path))
    if not place.parent.is_dir():  # which the library would make
        raise OutputError(f"{path}: can't be written, there is no folder {path.parent}.")
    # A digest, not the name: it may be as long as names can be.
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
        # Before it is released: who opened it meanwhile sees that it has lost its name, and tries the next one.
        hidden.unlink(missing_ok=True)
        lock.release()
