"""Conversions between Arrow arrays and Python values; pyarrow's own import pandas first, which takes a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def of_numbers(values: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """An array of numbers (N,), null where they are not valid."""
    buffers = [_mask(valid), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), buffers)


def of_texts(texts: Sequence[str | None]) -> pa.StringArray:
    """An array of strings (N,), null for None."""
    encoded = [(text or "").encode() for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    valid = np.array([text is not None for text in texts], dtype=bool)
    buffers = [_mask(valid), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def numbers_of(array: pa.Array) -> NDArray[Any]:
    """The whole numbers (N,) of an array without nulls."""
    values = np.frombuffer(array.buffers()[1], dtype=str(array.type))
    return values[array.offset : array.offset + len(array)]


def text(value: str) -> pa.StringScalar:
    """A string scalar, which pyarrow's functions would otherwise make from the Python string."""
    return of_texts([value])[0]


def as_texts(column: pa.Array) -> pa.StringArray:
    """A column as strings; null becomes the empty string."""
    return pc.fill_null(column.cast(pa.string()), text(""))


def text_bytes(texts: pa.StringArray) -> pa.Buffer:
    """The UTF-8 bytes of strings (N,), one after the other; nothing in between."""
    _, ends, values = texts.buffers()
    if not len(texts) or values is None:
        return pa.py_buffer(b"")
    offsets = np.frombuffer(ends, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


def _mask(valid: NDArray[np.bool_] | None) -> pa.Buffer | None:
    return None if valid is None or valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
