"""The file of an ONNX tower: read whole, and checked before onnxruntime sees it.

A tower is one file. A graph may name other files as the place of its weights ("external data"), and onnxruntime would
read them: a tower from a stranger could then give out a user's files as embeddings. A graph may also need operators
beyond ONNX's own, or define some. Towers of artsim have none of this, and a graph that has any is refused.

The check reads the protobuf messages of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto by their wire format:
`onnx` is no dependency of the scorer, and its parser would copy all weights. Weights are passed over by their length.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, Literal, NamedTuple

from artsim.errors import ModelError
from artsim.files import open_regular

MOST_BYTES: Final = 2**30  # of a tower's file. Towers of pretrained networks have some tens of MB
MOST_FIELDS: Final = 2_000_000  # of all messages; towers have some thousands
OWN_DOMAINS: Final = (b"", b"ai.onnx")  # two names of ONNX's own operators

Kind = Literal["model", "graph", "node", "attribute", "tensor"]

# The messages in a message, by field number.
_CHILDREN: Final[dict[Kind, dict[int, Kind]]] = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": {},
}
# Fields that no tower has.
_FOREIGN: Final[dict[tuple[Kind, int], str]] = {
    ("model", 20): "instructions for training",
    ("model", 25): "operators of its own (functions)",
    ("graph", 15): "sparse weights",
    ("attribute", 22): "sparse weights",
    ("attribute", 23): "sparse weights",
    ("tensor", 13): "weights in another file (external data)",
}
_NODE_OPERATOR, _NODE_DOMAIN, _TENSOR_LOCATION = 4, 7, 14

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_TAG_BYTES = 5  # protobuf would cut a longer tag to 32 bits, and read another field than this check
_MOST_VARINT_BYTES = 10


class _Field(NamedTuple):
    """A field of a message: a number, or the bytes from `start` to `end` of a message, a text or packed numbers."""

    number: int
    value: int | None
    start: int
    end: int


class _DamageError(ValueError):
    """The bytes are no protobuf message."""


def read_model(path: Path) -> bytes:
    """Read the file of a tower and check that the graph is complete in itself. Links to the file are followed.

    Raises:
        ModelError: it is missing, no regular file, empty, too large, or not an ONNX graph of ONNX's own operators with
            all of its weights.
    """
    try:
        with open_regular(path) as file:
            # No more than it has: Python would reserve the memory of the whole limit first.
            data = file.read(min(os.fstat(file.fileno()).st_size, MOST_BYTES) + 1)
    except (OSError, ValueError) as error:  # a ValueError is a null byte in the name
        reason = getattr(error, "strerror", None) or error
        raise ModelError(
            f"{path}: the model can't be read ({reason}). Check the path. `artsim train` makes towers. Where "
            "none is named, artsim uses the tower that comes with it."
        ) from error
    if not data:
        raise ModelError(f"{path}: the model file is empty. Export it again.")
    if len(data) > MOST_BYTES:
        raise ModelError(f"{path}: the model file has more than {MOST_BYTES:,} bytes, which no tower of artsim has.")
    try:
        foreign = foreign_part(data)
    except _DamageError as error:
        raise ModelError(f"{path}: not an ONNX model, or damaged ({error}). Export it again.") from error
    if foreign is not None:
        raise ModelError(
            f"{path}: its graph has {foreign}. A tower of artsim is one file of ONNX's own operators. Export it with "
            "`artsim export`."
        )
    return data


def foreign_part(data: bytes) -> str | None:
    """The first part of an ONNX model that no tower has, in words; None: there is none.

    Raises:
        ValueError: the bytes are not an ONNX model.
    """
    waiting: list[tuple[Kind, int, int]] = [("model", 0, len(data))]
    left = MOST_FIELDS
    while waiting:
        kind, start, end = waiting.pop()
        fields = list(islice(_fields(data, start, end), left + 1))
        left -= len(fields)
        if left < 0:
            raise _DamageError(f"more than {MOST_FIELDS:,} parts")
        for field in fields:
            if foreign := _foreign_field(kind, field):
                return foreign
            if field.value is None and (child := _CHILDREN[kind].get(field.number)) is not None:
                waiting.append((child, field.start, field.end))
        if kind == "node" and (foreign := _foreign_operator(data, fields)):
            return foreign
    return None


def _foreign_field(kind: Kind, field: _Field) -> str | None:
    if kind == "tensor" and field.number == _TENSOR_LOCATION and field.value != 0:
        return _FOREIGN["tensor", 13]
    return _FOREIGN.get((kind, field.number))


def _foreign_operator(data: bytes, fields: Sequence[_Field]) -> str | None:
    """The operator of a node, if it is none of ONNX's own. Of a field that occurs twice, the last one counts."""
    texts = {field.number: data[field.start : field.end] for field in fields if field.value is None}
    operator, domain = texts.get(_NODE_OPERATOR, b""), texts.get(_NODE_DOMAIN, b"")
    if domain in OWN_DOMAINS:
        return None
    return f"the operator {_text(operator)} of the domain {_text(domain)}"


def _text(value: bytes) -> str:
    return value[:100].decode(errors="replace")


def _fields(data: bytes, at: int, end: int) -> Iterator[_Field]:
    """The fields of the message from `at` to `end`, in order."""
    while at < end:
        tag, at = _varint(data, at, end, _MOST_TAG_BYTES)
        number, wire = tag >> 3, tag & 7
        if number == 0 or tag >= 2**32:
            raise _DamageError("a field without a number")
        if wire == _VARINT:
            value, at = _varint(data, at, end, _MOST_VARINT_BYTES)
            yield _Field(number, value, at, at)
            continue
        if wire == _BYTES:
            size, at = _varint(data, at, end, _MOST_VARINT_BYTES)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise _DamageError("a field of an unknown type")
        if size > end - at:
            raise _DamageError("cut off")
        yield _Field(number, None, at, at + size)
        at += size


def _varint(data: bytes, at: int, end: int, most: int) -> tuple[int, int]:
    """A number of a variable number of bytes at a place, and the place behind it."""
    if at < end and data[at] < 0x80:  # most numbers have one byte
        return data[at], at + 1
    value = 0
    for place in range(at, min(at + most, end)):
        byte = data[place]
        value |= (byte & 0x7F) << 7 * (place - at)
        if byte < 0x80:
            return value, place + 1
    raise _DamageError("cut off")
