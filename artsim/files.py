"""Files: regular files only, atomic replacement, system errors as artsim's errors, digests, streams."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


def check_regular(path: str | os.PathLike[str]) -> None:
    """Check that a path leads to a regular file. Links are followed.

    Raises:
        OSError: there is no such file, or it is a folder, a pipe, a socket or a device. It was not opened: to open a
            pipe is to wait for its writer.
        ValueError: a null byte in the path.
    """
    _require_regular(Path(path).stat(), path)


def open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open a regular file to read its bytes. Links are followed.

    Raises:
        OSError, ValueError: see `check_regular`; or it can't be read.
    """
    check_regular(path)
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - the caller closes it
    try:
        _require_regular(os.fstat(file.fileno()), path)  # again, as another file may have taken its place
    except OSError:
        file.close()
        raise
    return file


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _require_regular(status: os.stat_result, path: str | os.PathLike[str]) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file, but a pipe, a socket or a device", os.fspath(path))


@contextmanager
def replacing(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path`; move it there if the block succeeds, else remove it.

    Text is UTF-8 and keeps its line ends. The permissions of a file that is replaced stay.

    Raises:
        OutputError: the folder does not exist, or the file can't be written.
    """
    part = path.with_name(f".{uuid4().hex}.part")  # not the file's own name, which may have the maximal length
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "")
    with writing(path):
        try:
            with part.open(mode.replace("w", "x"), encoding=encoding, newline=newline) as file:
                keep_permissions(path, part)  # before the first byte: a private file stays private
                yield file
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def keep_permissions(old: Path, new: Path) -> None:
    """Give a new file the permissions of the file that it will replace, if there is one."""
    with suppress(OSError):  # no such file, or a file system without permissions
        new.chmod(stat.S_IMODE(old.stat().st_mode) & 0o777)


def check_own(path: Path, *, is_folder: bool = False) -> None:
    """Check a hidden file or folder of artsim that exists already: it is no link, and this user's.

    In a folder that others can write to, they could otherwise make artsim write to a file of their choice.

    Raises:
        OutputError: it is a link, has several names, is of another kind, or is another user's.
    """
    status = path.lstat()
    of_kind = stat.S_ISDIR(status.st_mode) if is_folder else stat.S_ISREG(status.st_mode) and status.st_nlink == 1
    if not of_kind:
        raise OutputError(
            f"{path}: is in the way, and is no {'folder' if is_folder else 'file'} of artsim (a link, or something "
            "else). Remove it, or name an output in another folder."
        )
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise OutputError(
            f"{path}: belongs to another user, who may be writing the same output. Wait, name an output in another "
            "folder, or have the file removed."
        )


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
