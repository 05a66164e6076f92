"""HDF5 files from others: checked to be complete in themselves before Keras reads them.

HDF5 can name other files as the place of a group or of an array: by external links, by external storage and by virtual
arrays. Keras follows them, also in its safe mode in some versions. A small file can also claim an array of any size.
"""

from __future__ import annotations

from os import PathLike
from typing import IO

import h5py

MOST_EXPANSION = 16  # bytes of arrays for each byte of the file; weights hardly compress. A setting
SLACK = 2**20  # bytes of arrays that a file of any size may have


def stored_arrays(source: str | PathLike[str] | IO[bytes], size: int) -> list[str]:
    """The names of the arrays in an HDF5 file of `size` bytes.

    Raises:
        ValueError: it is damaged, refers to another place, or claims more than it can hold.
    """
    try:
        with h5py.File(source, "r") as file:
            return _checked(file, size)
    except ValueError:
        raise
    except Exception as error:  # HDF5 and h5py raise many types for a damaged file
        raise ValueError(str(error) or type(error).__name__) from error


def _checked(file: h5py.File, size: int) -> list[str]:
    # A value that is returned stops the visit. An error that is raised here would be lost in h5py's C code.
    link = file.visititems_links(lambda name, link: None if isinstance(link, h5py.HardLink) else name)
    if link is not None:
        raise ValueError(f"its entry {link} is a link to another place")
    arrays: dict[str, h5py.Dataset] = {}
    file.visititems(lambda name, entry: arrays.update({name: entry}) if isinstance(entry, h5py.Dataset) else None)
    left = MOST_EXPANSION * size + SLACK
    for name, array in arrays.items():
        if array.external or array.is_virtual:
            raise ValueError(f"its array {name} is stored in another file")
        left -= array.size * array.dtype.itemsize if array.size else 0  # no size: an array without numbers
        if left < 0:
            raise ValueError(f"its array {name} claims {array.size:,} numbers, more than a file of {size:,} bytes has")
    return list(arrays)
