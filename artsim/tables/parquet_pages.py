"""The pages of a parquet file: how much memory decoding a value can take, before it is decoded.

A file's metadata may be wrong, and its sizes are those before repeated values are written out. The headers of pages
have the sizes that decoders enforce. Headers are structs of Thrift's compact protocol; field numbers are those of
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from artsim.errors import InputError

MAX_PAGE_BYTES = 2**26

DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2 = 0, 2, 3
DELTA_BYTE_ARRAY = 7  # an encoding in which a value repeats the beginning of the last one

_HEADER_BYTES = (2**9, 2**16, 2**20)  # read for a header; most are short
_FOOTER_TAIL = 8  # its length and the magic bytes

Struct: TypeAlias = "dict[int, int | bytes | Struct]"


@dataclass(frozen=True)
class Page:
    """`size` is that of the decompressed page in bytes."""

    kind: int
    size: int
    values: int
    encoding: int


def schema_elements(path: Path) -> int:
    """The number of elements in the schema of a parquet file: columns and groups. 0 if that is not to be seen.

    Arrow recurses into nested groups, and crashes the process where they are too deep.
    """
    with path.open("rb") as file:
        end = file.seek(0, 2)
        if end < 2 * _FOOTER_TAIL:
            return 0
        file.seek(end - _FOOTER_TAIL)
        (length,) = struct.unpack("<I", file.read(4))
        file.seek(max(0, end - _FOOTER_TAIL - length))
        reader = _Compact(file.read(min(length, 2**12)))
    try:
        for number, kind in reader.fields():
            if number == 2 and kind in (9, 10):
                return reader.list_header()[0]
            reader.skip(kind)
    except (IndexError, struct.error):
        pass
    return 0


def pages(file: IO[bytes], start: int, size: int, values: int, name: str) -> Iterator[Page]:
    """The pages of a column chunk, of which so many values are read.

    Raises:
        InputError: a page that is too large, or a header that can't be read.
    """
    place, end, seen = start, start + size, 0
    while seen < values and place < end:
        header, length = _header(file, place, name)
        page = _page(header)
        compressed = header.get(3)
        if page is None or not isinstance(compressed, int) or compressed < 0 or page.size < 0:
            raise InputError(f"{name}: the parquet file is damaged (the header of a page).")
        if page.size > MAX_PAGE_BYTES:
            raise InputError(
                f"{name}: a page of the parquet file has {page.size / 2**20:,.0f} MiB, and at most "
                f"{MAX_PAGE_BYTES / 2**20:.0f} MiB are read. Write it with smaller pages."
            )
        yield page
        seen += 0 if page.kind == DICTIONARY_PAGE else page.values
        place += length + compressed


def _header(file: IO[bytes], place: int, name: str) -> tuple[Struct, int]:
    """A page's header and its length."""
    for size in _HEADER_BYTES:
        file.seek(place)
        reader = _Compact(file.read(size))
        try:
            return reader.struct(), reader.at
        except (IndexError, struct.error):
            continue
    raise InputError(f"{name}: the parquet file is damaged (the header of a page).")


def _page(header: Struct) -> Page | None:
    """The page that a header describes; None if it lacks a field."""
    kind, size = header.get(1), header.get(2)
    if not isinstance(kind, int) or not isinstance(size, int):
        return None
    field, encoding = {DATA_PAGE: (5, 2), DICTIONARY_PAGE: (7, 2), DATA_PAGE_V2: (8, 4)}.get(kind, (0, 0))
    if not field:
        return Page(kind, size, 0, 0)  # of an index, which readers pass over
    described = header.get(field)
    if not isinstance(described, dict):
        return None
    count, code = described.get(1), described.get(encoding)
    if not isinstance(count, int) or not isinstance(code, int) or count < 0:
        return None
    return Page(kind, size, count, code)


class _Compact:
    """Reads Thrift's compact protocol; an IndexError says that there are too few bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self, depth: int = 0) -> Struct:
        """The fields of a struct by number: integers, bytes and structs. Others are passed over."""
        found: Struct = {}
        for number, kind in self.fields():
            if kind in (1, 2):
                found[number] = 2 - kind
            elif kind in (3, 4, 5, 6):
                found[number] = self._byte() if kind == 3 else self.integer()
            elif kind == 8:
                found[number] = self._take(self._varint())
            elif kind == 12 and depth < 8:
                found[number] = self.struct(depth + 1)
            else:
                self.skip(kind, depth)
        return found

    def fields(self) -> Iterator[tuple[int, int]]:
        """The number and the type of each field of a struct; the caller reads or skips its value."""
        number = 0
        while (head := self._byte()) & 15:
            number = number + (head >> 4) if head >> 4 else self.integer()
            yield number, head & 15

    def list_header(self) -> tuple[int, int]:
        """The length and the element type of a list."""
        head = self._byte()
        return (self._varint() if head >> 4 == 15 else head >> 4), head & 15

    def integer(self) -> int:
        """A signed integer."""
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def skip(self, kind: int, depth: int = 0) -> None:
        """Pass over a value; a kind that page headers do not have ends the reading."""
        if kind in (1, 2):
            return
        if kind == 3:
            self._byte()
        elif kind in (4, 5, 6):
            self._varint()
        elif kind == 7:
            self._take(8)
        elif kind == 8:
            self._take(self._varint())
        elif kind in (9, 10) and depth < 8:
            length, element = self.list_header()
            for _ in range(length):
                self._byte() if element in (1, 2) else self.skip(element, depth + 1)
        elif kind == 12 and depth < 8:
            for _, inner in self.fields():
                self.skip(inner, depth + 1)
        else:
            raise struct.error(f"a field of type {kind}")

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _take(self, length: int) -> bytes:
        self.at += length
        if self.at > len(self._data):
            raise IndexError
        return self._data[self.at - length : self.at]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise struct.error("a number that is too long")
