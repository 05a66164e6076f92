"""Sealed archives: zip files whose comment is the SHA-256 of all bytes before it, so that damage is noticed."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import IO

SEAL = b"sha256:"  # begins the comment; the hex digest follows
DIGITS = 64
BLOCK = 2**20  # bytes that are read at once


def seal(path: Path) -> None:
    """Write the digest of an archive into its comment."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = SEAL + DIGITS * b"0"
    with path.open("r+b") as file:
        end = file.seek(-DIGITS, io.SEEK_END)
        file.seek(0)
        digest = _digest(file, end)
        file.seek(end)
        file.write(digest.encode())


def has_seal(file: IO[bytes]) -> bool:
    """Whether an archive has a seal that artsim wrote.

    Raises:
        ValueError: it has one, but of other bytes.
    """
    end = file.seek(0, io.SEEK_END) - DIGITS
    file.seek(max(0, end - len(SEAL)))
    seal_and_digest = file.read()
    if end < len(SEAL) or not seal_and_digest.startswith(SEAL):
        return False
    if _digest(file, end).encode() != seal_and_digest[len(SEAL) :]:
        raise ValueError("its SHA-256 is not the one that was written")
    return True


def _digest(file: IO[bytes], end: int) -> str:
    """The SHA-256 of the bytes before `end`, in hex."""
    digest = hashlib.sha256()
    file.seek(0)
    while end > 0 and (block := file.read(min(end, BLOCK))):
        digest.update(block)
        end -= len(block)
    return digest.hexdigest()
