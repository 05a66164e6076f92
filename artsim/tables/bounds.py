"""What a table may be, so that reading it takes a bounded memory, and the errors of reading one.

A few kilobytes can unpack to gigabytes: a line of a compressed csv, a value of a parquet file that is repeated, columns
without end. Each is measured before a library reads it.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from artsim.errors import InputError
from artsim.tables.compression import READ_BYTES

BLOCK_BYTES = 2**23  # a row of text has to be shorter
MAX_COLUMNS = 10_000
CELLS = 2**22  # of a block, the empty ones included

Open = Callable[[], IO[bytes]]


def check_columns(count: int, name: str) -> None:
    """Check the number of columns, of which each takes memory even where it is empty.

    Raises:
        InputError: there are too many.
    """
    if count > MAX_COLUMNS:
        raise InputError(f"{name}: has {count:,} columns, and at most {MAX_COLUMNS:,} are read. Leave some out.")


def bounded_lines(open_file: Open, name: str, limit: int = BLOCK_BYTES) -> IO[bytes]:
    """Open a file whose reader gets an InputError at a line that is longer than `limit` bytes."""
    return io.BufferedReader(_BoundedLines(open_file, name, limit), READ_BYTES)


class _BoundedLines(io.RawIOBase):
    """The bytes of a file. Closing it closes the file."""

    def __init__(self, open_file: Open, name: str, limit: int) -> None:
        self._open, self._name, self._limit = open_file, name, limit
        self._file = open_file()
        self._done = 0  # bytes read
        self._length = 0  # of the line that has begun

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        chunk = self._file.read(min(len(buffer), READ_BYTES))
        buffer[: len(chunk)] = chunk
        end = b"\n" if b"\n" in chunk else b"\r"
        first = chunk.find(end)
        if self._length + (first if first >= 0 else len(chunk)) > self._limit:
            raise self._too_long()
        self._done += len(chunk)
        self._length = len(chunk) - chunk.rfind(end) - 1 if first >= 0 else self._length + len(chunk)
        return len(chunk)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _too_long(self) -> InputError:
        """Read again and count the lines: to count them always would take time."""
        number, left = 1, self._done
        with self._open() as file:
            while left and (chunk := file.read(min(left, READ_BYTES))):
                number += chunk.count(b"\n")
                left -= len(chunk)
        return InputError(
            f"{self._name}, line {number:,}: is longer than {self._limit / 2**20:.3g} MiB. Write one line for each row."
        )


def first_line(error: Exception) -> str:
    """The first line of a library's message."""
    return str(error).partition("\n")[0][:200]


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn the system's errors in the block into an InputError about `name`."""
    try:
        yield
    except gzip.BadGzipFile as error:
        raise InputError(
            f"{name}: is not gzip, or damaged ({error}). If it is not compressed, remove .gz from its name."
        ) from error
    except (EOFError, zlib.error) as error:
        raise InputError(f"{name}: is not a complete compressed file ({error}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: is damaged {error.encoding.upper()} text. Save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"{name}: can't be read ({error.strerror or first_line(error)}).") from error
    except MemoryError as error:
        raise InputError(f"{name}: needs more memory than there is.") from error
