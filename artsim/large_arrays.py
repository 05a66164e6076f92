"""Large arrays: in memory, or in a temporary file if they need more than a bound.

The file is memory-mapped. The system keeps its pages in memory while there is room, and drops them at any time. So an
array may be larger than memory. The file has no name: it goes away with the array, also if the process is killed.
"""

from __future__ import annotations

import math
import mmap
import shutil
import tempfile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from artsim.errors import OutputError

MOST_IN_MEMORY = 2**27  # bytes of an array; a setting


def new_array(shape: tuple[int, ...], dtype: DTypeLike, what: str, most: int | None = None) -> NDArray[Any]:
    """An array to fill, in a file if it needs more bytes than `most`; None: MOST_IN_MEMORY.

    Raises:
        OutputError: the disk has no room for `what`.
    """
    needed = math.prod(shape) * np.dtype(dtype).itemsize
    if needed <= (MOST_IN_MEMORY if most is None else most):
        return np.empty(shape, dtype)
    folder = tempfile.gettempdir()
    # The room is checked first: on a full disk, writing to a map kills the process.
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(f"{folder}: no room for {what} ({free / 1e6:,.0f} MB free); set TMPDIR to another disk.")
    try:
        with tempfile.TemporaryFile(prefix="artsim-", dir=folder) as file:
            return np.memmap(file, dtype, "w+", shape=shape)
    except OSError as error:
        raise OutputError(f"{folder}: no room for {what} ({error.strerror}); set TMPDIR to another disk.") from error


def has_room(needed: int) -> bool:
    """Whether arrays of so many bytes take less than half of the room for temporary files."""
    return 2 * needed < shutil.disk_usage(tempfile.gettempdir()).free


def is_on_disk(array: NDArray[Any]) -> bool:
    """Whether an array lies in a file."""
    return _map_of(array) is not None


def release_pages(array: object) -> None:
    """Take the pages of an array in a file out of this process. The file has them still, and the system's cache.

    Otherwise a process that reads the whole array seems to need all of it.
    """
    found = _map_of(array)
    if found is not None and hasattr(mmap, "MADV_DONTNEED"):
        found.madvise(mmap.MADV_DONTNEED)


def _map_of(array: object) -> mmap.mmap | None:
    while isinstance(array, np.ndarray):
        array = array.base
    return array if isinstance(array, mmap.mmap) else None
