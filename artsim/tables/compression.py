"""Compressed tables: gzip and zstd, known by the suffix or by the first bytes of a file."""

from __future__ import annotations

import gzip
import io
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Literal, Protocol

import pyarrow as pa

Compression = Literal["gzip", "zstd"]

COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
# Blocks of scores are compressed in threads while others are computed, so they can take gzip's usual level.
SCORES_GZIP_LEVEL = 6
# Pairs are written in one thread. Level 1 is 20 times as fast as 9, for files half as large again.
PAIRS_GZIP_LEVEL = 1
READ_BYTES = 2**20

_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def split_suffix(path: Path) -> tuple[str, Compression | None]:
    """The suffix of a table without that of a compression, in lower case, and the compression."""
    compression = COMPRESSIONS.get(path.suffix.lower())
    return (path.with_suffix("") if compression else path).suffix.lower(), compression


def sniff_compression(path: Path) -> Compression | None:
    """The compression that the first bytes of a file show."""
    with path.open("rb") as file:
        start = file.read(4)
    return next((known for magic, known in _MAGIC.items() if start.startswith(magic)), None)


def open_bytes(path: Path, compression: Compression | None) -> IO[bytes]:
    """Open a file and read its bytes, decompressed."""
    if compression == "gzip":
        # Not pyarrow's reader: it takes a file that is cut off between two blocks for a whole one.
        return io.BufferedReader(gzip.open(path, "rb"), READ_BYTES)
    if compression == "zstd":
        return io.BufferedReader(pa.input_stream(str(path), compression="zstd"), READ_BYTES)
    return path.open("rb")


def compress(data: pa.Buffer | bytes, compression: Compression) -> bytes:
    """One gzip member or zstd frame. The same data always gives the same bytes."""
    if compression == "gzip":
        return gzip.compress(data, SCORES_GZIP_LEVEL, mtime=0)
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


class ByteWriter(Protocol):
    """Takes bytes; what files, gzip and pyarrow's streams have in common."""

    def write(self, data: bytes | pa.Buffer, /) -> object:
        """Write all of it."""


def compressing(file: IO[bytes], compression: Compression | None) -> AbstractContextManager[ByteWriter]:
    """A stream that compresses into an open file; the file stays open."""
    if compression is None:
        return nullcontext(file)
    if compression == "gzip":
        return gzip.GzipFile("", "wb", PAIRS_GZIP_LEVEL, file, mtime=0)  # no time in it: same pairs, same bytes
    own = open(file.fileno(), "wb", closefd=False)  # noqa: SIM115 - pyarrow closes what it writes to
    stream: AbstractContextManager[ByteWriter] = pa.CompressedOutputStream(own, "zstd")
    return stream
