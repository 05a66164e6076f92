"""HDF5 files that refer to other files, or claim more than they hold: changes of a good file."""

from __future__ import annotations

from collections.abc import Callable

import h5py
import numpy as np

OTHER = "other.h5"
Change = Callable[[h5py.File, str], None]  # of a file, at the name of an array in it


def first_array(file: h5py.File) -> str:
    names: list[str] = []
    file.visititems(lambda name, entry: names.append(name) if isinstance(entry, h5py.Dataset) else None)
    return max(names, key=lambda name: file[name].size)


def external_link(file: h5py.File, name: str) -> None:
    del file[name]
    file[name] = h5py.ExternalLink(OTHER, "/secret")


def soft_link(file: h5py.File, name: str) -> None:
    file.move(name, "elsewhere")
    file[name] = h5py.SoftLink("/elsewhere")


def external_storage(file: h5py.File, name: str) -> None:
    shape, dtype = file[name].shape, file[name].dtype
    del file[name]
    file.create_dataset(name, shape, dtype, external=[(OTHER, 0, h5py.h5f.UNLIMITED)])


def virtual_array(file: h5py.File, name: str) -> None:
    shape, dtype = file[name].shape, file[name].dtype
    del file[name]
    layout = h5py.VirtualLayout(shape, dtype)
    layout[...] = h5py.VirtualSource(OTHER, "secret", shape)
    file.create_virtual_dataset(name, layout)


def huge_claim(file: h5py.File, name: str) -> None:
    del file[name]
    file.create_dataset(name, (2**20, 2**20), np.float32, chunks=(64, 64))


def huge_compressed(file: h5py.File, name: str) -> None:
    del file[name]
    file.create_dataset(name, data=np.zeros((2**11, 2**11), np.float32), compression="gzip")


CHANGES: dict[str, tuple[Change, str]] = {
    "an external link": (external_link, "link to another place"),
    "a soft link": (soft_link, "link to another place"),
    "external storage": (external_storage, "stored in another file"),
    "a virtual array": (virtual_array, "stored in another file"),
    "a huge claim": (huge_claim, "claims 1,099,511,627,776 numbers"),
    "much from little": (huge_compressed, "claims 4,194,304 numbers"),
}
