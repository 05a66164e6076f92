"""The dialect of a csv: its encoding and its separator, which its first bytes show.

Excel and pandas write UTF-8 with or without a byte order mark, UTF-16 or UTF-32, or the code page of Windows. They
separate cells by a comma, a semicolon or a tab, and databases by `|`. Excel may put the line `sep=;` before the header.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import IO

from artsim.errors import InputError
from artsim.overwrites import is_picture

SEPARATORS = (",", ";", "\t", "|")
WINDOWS = "cp1252"
CHUNK_BYTES = 2**20

_SAMPLE_BYTES = 2**16
_SAMPLE_ROWS = 21
_BINARY_BYTES = 16  # pictures and other binary files have a zero byte there
# The marks of UTF-32 come first, because that of UTF-16 LE is the beginning of one of them.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods, .xls
_WEB_PAGE = re.compile(r"\s*<(?:!doctype|html|head|body|table|\?xml)", re.IGNORECASE)
_JSON = re.compile(r'\s*(?:\[\s*[\[{\]]|\{\s*")')
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w"\s]|\t)"?[ ;,\t]*\r?$', re.IGNORECASE)

# Bytes that are not UTF-8 are decoded to lone surrogates. Windows-1252 has no character for five of them.
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_NOT_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")
_NOT_WINDOWS = re.compile("[\x00\udc81\udc8d\udc8f\udc90\udc9d]")

Open = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Dialect:
    """How a csv is written; `skipped` is the number of lines before the header."""

    encoding: str = "utf-8"
    separator: str = ","
    skipped: int = 0


def find_dialect(open_file: Open, name: str) -> Dialect:
    """Find the dialect of a csv by its first 64 KB.

    The separator is the one that gives the first rows as many cells as the header. Bytes that are not UTF-8 are
    Windows-1252 if the whole file can be.

    Raises:
        InputError: the file is a workbook, a web page, JSON or a picture, or not text.
    """
    with open_file() as file:
        sample = file.read(_SAMPLE_BYTES)
    if sample.startswith(_WORKBOOKS):
        raise InputError(f"{name}: is a workbook or a zip file, not a csv. Save the table as 'CSV UTF-8'.")
    if is_picture(sample[:16]):
        raise InputError(f"{name}: is an image. Expected a table: a .csv, .jsonl or .parquet file.")
    encoding = _encoding_of(sample)
    if encoding == "utf-8" and b"\0" in sample[:_BINARY_BYTES]:
        raise InputError(f"{name}: is not text, so not a csv. Save the table as 'CSV UTF-8'.")
    if encoding == "utf-8" and not is_utf8(sample) and is_windows_text(open_file):
        encoding = WINDOWS
    text = sample.decode(encoding, errors="replace").removeprefix("\ufeff")
    _check_no_other_text(text, name)
    if said := _SEPARATOR_LINE.match(text.partition("\n")[0]):
        return Dialect(encoding, said[1], skipped=1)
    return Dialect(encoding, _separator_of(text))


def _check_no_other_text(text: str, name: str) -> None:
    if _WEB_PAGE.match(text):
        raise InputError(f"{name}: is a web page or XML, not a csv. Save the table as 'CSV UTF-8'.")
    if _JSON.match(text):
        raise InputError(f"{name}: is JSON, not a csv. Write one object in each line of a file that ends in .jsonl.")


def is_utf8(start: bytes) -> bool:
    """Whether some bytes are the start of UTF-8 text; the last character may be incomplete."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def is_windows_text(open_file: Open) -> bool:
    """Whether a file that is not UTF-8 may be Windows-1252.

    Then all its bytes have a character there. And fewer of its characters are UTF-8 by chance than are not UTF-8:
    otherwise it is UTF-8 text with damaged places.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    wrong = right = 0
    with open_file() as file:
        while chunk := file.read(CHUNK_BYTES):
            text = decoder.decode(chunk)
            if _NOT_WINDOWS.search(text):
                return False
            wrong += len(_NOT_UTF8.findall(text))
            right += len(_NOT_ASCII.findall(text))
    return wrong > right


def as_utf8(file: IO[bytes], encoding: str) -> IO[bytes]:
    """The text of a file as UTF-8; a file in UTF-8 is returned as it is."""
    return file if encoding == "utf-8" else io.BufferedReader(_Utf8Bytes(file, encoding), CHUNK_BYTES)


class _Utf8Bytes(io.RawIOBase):
    """The bytes of a file in another encoding, converted chunk by chunk. Closing it closes the file."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._left = memoryview(b"")
        self._is_at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left and not self._is_at_end:
            chunk = self._file.read(CHUNK_BYTES)
            self._is_at_end = not chunk
            self._left = memoryview(self._decoder.decode(chunk, final=self._is_at_end).encode())
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _encoding_of(sample: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if sample.startswith(mark):
            return encoding
    # Without a mark, the header's letters show UTF-16 by the zero bytes between them.
    even, odd = sample[0:40:2], sample[1:40:2]
    if len(odd) > 1 and not any(odd) and all(even):
        return "utf-16-le"
    if len(odd) > 1 and not any(even) and all(odd):
        return "utf-16-be"
    return "utf-8"


def _separator_of(text: str) -> str:
    def fit(separator: str) -> tuple[bool, int, bool, int]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        rows = [row for row in islice(reader, _SAMPLE_ROWS) if row] or [[]]
        header = rows[0]
        is_close = not any(cell.startswith(" ") for cell in header[1:])  # in prose a space follows
        return len(header) > 1, [len(row) for row in rows].count(len(header)), is_close, len(header)

    return max(SEPARATORS, key=fit)  # the comma if several fit alike
