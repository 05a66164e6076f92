"""Between Arrow's arrays and what Python has: pyarrow's own ways import pandas first, which takes a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def of_numbers(values: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> Any:
    """An array of numbers (N,), null where they are not valid."""
    buffers = [_mask(valid), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), buffers)


def of_texts(texts: Sequence[str | None]) -> Any:
    """An array of strings (N,), null for None."""
    encoded = [(text or "").encode() for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    valid = np.array([text is not None for text in texts], dtype=bool)
    buffers = [_mask(valid), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def numbers_of(array: Any) -> NDArray[Any]:
    """The whole numbers (N,) of an array without nulls."""
    values = np.frombuffer(array.buffers()[1], dtype=str(array.type))
    return values[array.offset : array.offset + len(array)]


def text(value: str) -> Any:
    """A string as Arrow has it, which its functions would else make of Python's."""
    return of_texts([value])[0]


def _mask(valid: NDArray[np.bool_] | None) -> Any:
    return None if valid is None or valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
