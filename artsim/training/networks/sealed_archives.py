"""Sealed archives: zip files whose comment is the SHA-256 of all bytes before it, so that damage is noticed."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import IO

SEAL = b"sha256:"  # begins the comment; the hex digest follows
DIGITS = 64


def seal(path: Path) -> None:
    """Write the digest of an archive into its comment."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = SEAL + DIGITS * b"0"
    with path.open("r+b") as file:
        end = file.seek(-DIGITS, io.SEEK_END)
        file.seek(0)
        digest = hashlib.sha256(file.read(end)).hexdigest()
        file.seek(end)
        file.write(digest.encode())


def has_seal(file: IO[bytes]) -> bool:
    """Whether an archive has a seal that artsim wrote.

    Raises:
        ValueError: it has one, but of other bytes.
    """
    file.seek(0)
    data = file.read()
    if data[-DIGITS - len(SEAL) : -DIGITS] != SEAL:
        return False
    if hashlib.sha256(data[:-DIGITS]).hexdigest().encode() != data[-DIGITS:]:
        raise ValueError("its SHA-256 is not the one that was written")
    return True
