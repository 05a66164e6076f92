"""The lines of a jsonl file in pieces that Arrow can read safely.

Arrow's parser recurses into nested values and crashes the process where they are too deep. It fills every column that
it has met for every row, so that many columns with one value each take memory in their square.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from artsim.errors import InputError
from artsim.tables.bounds import CELLS, MAX_COLUMNS, check_columns
from artsim.tables.compression import READ_BYTES

MAX_NESTING = 64

_KEY = re.compile(rb'"((?:[^"\\]++|\\.)*+)"\s*+:', re.DOTALL)
_QUOTE, _LINE_END, _OPEN, _CLOSE = ord('"'), ord("\n"), ord("{"), ord("}")
_FOLD = 0x20  # turns [ into { and ] into }


def safe_pieces(file: IO[bytes], name: str, size: int) -> Iterator[tuple[int, bytes]]:
    """Complete lines of about `size` bytes, each piece with the number of lines before it.

    Raises:
        InputError: a line that is nested too deeply, or a text that is not closed in its line.
    """
    lines_before, nesting = 0, _Nesting(name)
    for piece in _complete_lines(file, size):
        nesting.check(piece, lines_before)
        yield lines_before, piece
        lines_before += piece.count(b"\n")


def split_rows(piece: bytes, columns: int) -> Iterator[bytes]:
    """Parts of a piece whose rows have, with so many columns, at most CELLS cells."""
    rows = max(1, CELLS // max(1, columns))
    if piece.count(b"\n") <= rows:
        yield piece
        return
    ends = np.flatnonzero(np.frombuffer(piece, np.uint8) == _LINE_END)[rows - 1 :: rows] + 1
    start = 0
    for end in [*ends.tolist(), len(piece)]:
        if end > start:
            yield piece[start:end]
        start = end


def count_columns(piece: bytes, name: str, lines_before: int = 0) -> int:
    """The number of different keys in a piece, those of nested objects included.

    Raises:
        InputError: too many keys; or a line with nested objects that is not a JSON object.
    """
    if piece.count(b"{") <= piece.count(b"\n") + 1:  # nothing is nested, so that the texts before colons are the keys
        names = {key[1] for key in _KEY.finditer(piece)}
        check_columns(len(names), name)
        return len(names)
    found: set[tuple[str, ...]] = set()
    for number, line in enumerate(piece.splitlines(), start=lines_before + 1):
        if line.strip():
            found.update(_keys(parse_object(line, name, number), ()))
        if len(found) > MAX_COLUMNS:
            check_columns(len(found), name)
    return len(found)


def parse_object(line: bytes, name: str, number: int) -> dict[str, Any]:
    """The JSON object of a line.

    Raises:
        InputError: it is none.
    """
    try:
        return object_of(line)
    except ValueError as fault:
        raise InputError(f"{name}, line {number:,}: {fault}.") from fault


def object_of(line: bytes) -> dict[str, Any]:
    """The JSON object of a line.

    Raises:
        ValueError: it is none; the message says why.
    """
    try:
        value = json.loads(line)
    except json.JSONDecodeError as fault:
        raise ValueError(f"is not a JSON object ({fault.msg}, character {fault.pos + 1})") from fault
    except UnicodeDecodeError as fault:
        raise ValueError("is not UTF-8 text, so save the file as UTF-8") from fault
    except ValueError as fault:  # a number of thousands of digits
        raise ValueError(f"is not a JSON object ({fault})") from fault
    except RecursionError as fault:
        raise ValueError("is nested too deeply") from fault
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    return value


def _keys(value: object, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*place, key)
            if isinstance(inner, dict | list):
                yield from _keys(inner, (*place, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner, place)


def _complete_lines(file: IO[bytes], size: int) -> Iterator[bytes]:
    parts: list[bytes] = []
    gathered = 0
    while chunk := file.read(min(size, READ_BYTES)):
        gathered += len(chunk)
        end = chunk.rfind(b"\n") + 1 or chunk.rfind(b"\r") + 1
        if not end or gathered < size:
            parts.append(chunk)
            continue
        yield b"".join([*parts, chunk[:end]])
        parts, gathered = [chunk[end:]], len(chunk) - end
    rest = b"".join(parts)
    if rest:
        yield rest


class _Nesting:
    """How deep the values of a file are nested so far."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._depth = 0  # at the end of the last piece; values may span lines

    def check(self, piece: bytes, lines_before: int) -> None:
        """Raise an InputError for a value that is nested too deeply."""
        if not (self._depth == 0 and _is_flat(piece)):
            self._measure(piece, lines_before)

    def _measure(self, piece: bytes, lines_before: int) -> None:
        """Compute the depth at every byte, outside of texts."""
        if b"\\" in piece:  # no escaped quote ends a text
            piece = piece.replace(b"\\\\", b"..").replace(b'\\"', b"..")
        data = np.frombuffer(piece, np.uint8)
        is_text = (np.cumsum(data == _QUOTE) & 1).astype(np.bool_)
        is_end = data == _LINE_END
        self._refuse(is_end & is_text, is_end, lines_before, "a text has no closing quote")
        folded = data | _FOLD
        turns = (folded == _OPEN).astype(np.int32) - (folded == _CLOSE)
        turns[is_text] = 0
        depth = self._depth + np.cumsum(turns)
        # From the lowest point on, as Arrow may begin to read at any line.
        too_deep = depth - np.minimum(np.minimum.accumulate(depth), self._depth) > MAX_NESTING
        too_deep |= depth > MAX_NESTING
        self._refuse(too_deep, is_end, lines_before, f"is nested more than {MAX_NESTING} deep")
        self._depth = max(0, int(depth[-1]))

    def _refuse(self, where: NDArray[np.bool_], is_end: NDArray[np.bool_], lines_before: int, fault: str) -> None:
        if where.any():
            number = lines_before + int(np.count_nonzero(is_end[: int(where.argmax())])) + 1
            raise InputError(f"{self._name}, line {number:,}: is not a JSON object that can be read: {fault}.")


def _is_flat(piece: bytes) -> bool:
    """Whether nothing in a piece can be nested too deeply, from counts alone, which are fast.

    A line end between } and { is outside of every value, or an error at which a parser stops. So no value has more
    brackets than the piece has brackets beyond one for each such line end.
    """
    joints = piece.count(b"}\n{") + (piece.count(b"}\r\n{") if b"\r" in piece else 0)
    if joints < piece.count(b"\n") - 1 or not piece.rstrip(b"\r\n").endswith(b"}"):
        return False
    return piece.count(b"{") + piece.count(b"[") - joints <= MAX_NESTING
