"""At most one process writes an output. The lock disappears when its process ends.

Some file systems of networks have no locks. Then the existence of a file is the lock. The file names its process, so
that the next run on the same computer knows whether that process has ended.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from artsim.errors import OutputError
from artsim.files import check_own, writing
from artsim.messages import Say, say_nothing

# What file systems without locks answer: NFS, Lustre, FUSE.
NO_LOCKS = {getattr(errno, name) for name in ("ENOLCK", "ENOSYS", "EOPNOTSUPP", "ENOTSUP") if hasattr(errno, name)}

SOFT_PATIENCE = 0.3  # seconds: the first try may only remove the lock of a process that has ended


@contextmanager
def only_one(path: Path, say: Say = say_nothing, patience: float = 0) -> Iterator[None]:
    """Lock `path` for writing, by a hidden file beside it, which is removed when the block ends.

    The system releases the lock of a process that dies; its empty file locks nothing. All links to a file are one
    output. `say` receives one line where the file system has no locks. `patience` is the number of seconds to wait for
    another process.

    Raises:
        OutputError: another run holds the lock, the folder can't be written, or a file that artsim has not made is in
            the lock's place.
    """
    place = Path(os.path.realpath(path))
    if not place.parent.is_dir():  # the library would create it
        raise OutputError(f"{path}: can't be written, there is no folder {path.parent}. Create it first.")
    # A digest, as the name itself may have the maximal length.
    hidden = place.with_name(f".{sha256(os.fsencode(place.name)).hexdigest()[:32]}.lock")
    with writing(path):
        lock = _locked(hidden, path, say, patience)
    try:
        yield
    finally:
        # Before the release: a process that has opened the file meanwhile sees that its name is gone, and tries again.
        hidden.unlink(missing_ok=True)
        lock.release()


def _locked(hidden: Path, path: Path, say: Say, patience: float) -> BaseFileLock:
    """Acquire the system's lock, or a soft one where the file system has none."""
    try:
        return _acquired(FileLock(hidden, timeout=patience, fallback_to_soft=False), path)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    hidden.unlink(missing_ok=True)  # it locks nothing
    soft = _acquired(SoftFileLock(hidden.with_suffix(".softlock"), timeout=max(SOFT_PATIENCE, patience)), path)
    say(f"{path}: its file system has no locks. Do not let two computers write this output at once.")
    return soft


def _acquired(lock: BaseFileLock, path: Path) -> BaseFileLock:
    with suppress(FileNotFoundError):
        check_own(Path(lock.lock_file))
    try:
        lock.acquire()
    except Timeout as error:
        remedy = f" If there is none, remove {lock.lock_file}." if isinstance(lock, SoftFileLock) else ""
        raise OutputError(f"{path}: another run is writing it. Wait for it, or name another output.{remedy}") from error
    return lock
