"""State dicts in torch's legacy file format, read without torch and without running pickled code.

A file is a sequence of pickles (a magic number, a protocol version, a description of the machine, the state dict, the
names of its storages), then the storages: for each its number of elements as int64, and the elements. The state dict
names tensors as views of storages: an offset, a shape and strides.

A pickle can name any function to call. This reader knows the four names that a state dict needs. It refuses a file
with another name before it calls anything (see "Restricting Globals" in Python's documentation of pickle).
"""

from __future__ import annotations

import math
import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
# The kinds of storage, and their elements: float32 weights, and int64 counters of batch norms.
STORAGES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True)
class _Storage:
    """A run of numbers in the file, which tensors refer to by its key."""

    key: str
    dtype: np.dtype[Any]
    size: int


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """The tensor as an array of its own, from the values of its storage.

        Raises:
            ValueError: the tensor has numbers that are not in its storage, or is larger than it.
        """
        if min((self.offset, *self.strides, *self.shape)) < 0 or math.prod(self.shape) > len(values):
            raise ValueError("a tensor reaches beyond its storage")
        start, *steps = (step * values.itemsize for step in (self.offset, *self.strides))
        return np.ndarray(self.shape, values.dtype, values, start, steps).copy()  # NumPy checks that it fits


class _StateDictUnpickler(pickle._Unpickler):
    """An unpickler that knows only what a state dict is made of.

    It is Python's unpickler in Python. The one in C reserves memory for as many objects as a file claims to have.
    """

    def find_class(self, module: str, name: str) -> Any:
        """Resolve one of the four names, or refuse the file."""

        # A pickle can change the attributes of a function that it names. So each name gets a function of its own.
        def tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
            return _Tensor(storage, offset, shape, strides)

        known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): tensor,
            **{("torch", storage): storage for storage in STORAGES},
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no state dict needs")
        return known[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        """Resolve the reference to a storage: ("storage", kind, key, device, size, view)."""
        match pid:
            case ("storage", str(kind), str(key), str(), int(size), None) if kind in STORAGES and size >= 0:
                return _Storage(key, STORAGES[kind], size)
        raise pickle.UnpicklingError("it refers to something other than a storage of float32 or int64")


def read_state_dict(data: bytes) -> dict[str, NDArray[Any]]:
    """Read the arrays of a state dict, by name.

    Raises:
        ValueError: the bytes are not a whole state dict in the legacy format, or name anything else to load.
    """
    file = BytesIO(data)
    try:
        magic_number, version, machine = (_unpickled(file) for _ in range(3))
        if (magic_number, version, machine["little_endian"]) != (MAGIC_NUMBER, PROTOCOL_VERSION, True):
            raise ValueError("not torch's legacy format")
        tensors, keys = _checked(_unpickled(file)), _unpickled(file)
        storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
        values = {key: _storage_values(file, storages[key]) for key in keys}
        return {name: tensor.of(values[tensor.storage.key]) for name, tensor in tensors.items()}
    except ValueError:
        raise
    except Exception as error:  # a pickle can be damaged in so many ways that Python's documentation lists no errors
        raise ValueError(str(error) or type(error).__name__) from error


def _unpickled(file: IO[bytes]) -> Any:
    return _StateDictUnpickler(file).load()


def _checked(tensors: Any) -> Mapping[str, _Tensor]:
    if not all(isinstance(name, str) and isinstance(tensor, _Tensor) for name, tensor in tensors.items()):
        raise ValueError("not a state dict of tensors")
    return cast("Mapping[str, _Tensor]", tensors)


def _storage_values(file: IO[bytes], storage: _Storage) -> NDArray[Any]:
    (size,) = struct.unpack("<q", file.read(8))
    data = file.read(storage.size * storage.dtype.itemsize)
    if size != storage.size or len(data) != storage.size * storage.dtype.itemsize:
        raise ValueError(f"the storage {storage.key} is incomplete")
    return np.frombuffer(data, storage.dtype)
