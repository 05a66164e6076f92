"""Files in torch's legacy format, written without torch: pickles that name torch's functions and storages."""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artsim.training.networks.torch_files import MAGIC_NUMBER, PROTOCOL_VERSION

HEADER = (MAGIC_NUMBER, PROTOCOL_VERSION, {"protocol_version": PROTOCOL_VERSION, "little_endian": True})


def named(module: str, name: str) -> type:
    """A stand-in that pickles as `module.name`."""
    return type(name, (), {"__module__": module, "__qualname__": name})


REBUILD = named("torch._utils", "_rebuild_tensor_v2")
KINDS = {"FloatStorage": named("torch", "FloatStorage"), "LongStorage": named("torch", "LongStorage")}


@dataclass
class Storage:
    """A storage with its numbers (n,): float32 or int64. `size` is what the file says of n."""

    values: NDArray[Any]
    key: str = "1"
    size: int = -1

    def __post_init__(self) -> None:
        if self.size < 0:
            self.size = len(self.values)

    @property
    def reference(self) -> Any:
        """What a file says of it, in the place where a tensor uses it."""
        kind = KINDS["FloatStorage" if self.values.dtype == np.float32 else "LongStorage"]
        return ("storage", kind, self.key, "cpu", self.size, None)


@dataclass
class Tensor:
    """A view of a storage."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any
    call: Any = field(default=REBUILD)


class _Pickler(pickle._Pickler):
    """Python's pickler in Python: the one in C wants that what it names can be imported."""

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        """Write a stand-in as the name that it stands for."""
        if isinstance(obj, type) and obj is not OrderedDict:
            self.write(pickle.GLOBAL + f"{obj.__module__}\n{obj.__qualname__}\n".encode())  # type: ignore[attr-defined]
        else:
            super().save(obj, save_persistent_id)  # type: ignore[misc]

    def persistent_id(self, obj: Any) -> Any:
        return obj.reference if isinstance(obj, Storage) else None

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Tensor):
            return obj.call, (obj.storage, obj.offset, obj.shape, obj.strides, False, OrderedDict())
        return NotImplemented


def pickled(value: Any) -> bytes:
    """A pickle as torch writes it."""
    file = BytesIO()
    _Pickler(file, protocol=2).dump(value)
    return file.getvalue()


def legacy_file(
    state: Any, storages: list[Storage], header: tuple[Any, ...] = HEADER, keys: Any = None, end: bytes | None = None
) -> bytes:
    """A file with a state dict and its storages; `end` replaces the storages' numbers."""
    parts = [pickled(value) for value in (*header, state, [each.key for each in storages] if keys is None else keys)]
    if end is not None:
        return b"".join([*parts, end])
    return b"".join([*parts, *(struct.pack("<q", each.size) + each.values.tobytes() for each in storages)])


def state_dict_file(
    arrays: Mapping[str, NDArray[Any]], layout: Callable[[NDArray[Any]], Tensor] | None = None
) -> bytes:
    """A file of arrays, float32 or int64, each in a storage of its own."""
    tensors = OrderedDict((name, (layout or contiguous)(array)) for name, array in arrays.items())
    for number, tensor in enumerate(tensors.values()):
        tensor.storage.key = str(number)
    return legacy_file(tensors, [tensor.storage for tensor in tensors.values()])


def contiguous(array: NDArray[Any]) -> Tensor:
    """A tensor in C order over the whole of its storage."""
    whole = np.ascontiguousarray(array)
    return Tensor(Storage(whole.ravel()), 0, array.shape, tuple(step // array.itemsize for step in whole.strides))
