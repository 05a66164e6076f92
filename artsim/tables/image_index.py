"""The different images of a pairs file."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from artsim.errors import InputError
from artsim.image_names import ImageNames
from artsim.messages import none_found
from artsim.tables.arrow import numbers_of, of_texts
from artsim.tables.pairs_file import Block, PairsFile


@dataclass(frozen=True)
class ImageIndex:
    """The different images of a pairs file.

    Two names of one file are one image. `row_of` is the image of each name; `rows` is the number of pairs,
    `labelled` of which have a label.
    """

    names: pa.StringArray  # (N,), N ≥ M
    row_of: NDArray[np.int64]  # (N,)
    images: list[str]  # (M,), the first name of each
    rows: int
    labelled: int
    lookup: ImageNames  # finds the files of the names

    def find(self, names: pa.StringArray) -> NDArray[np.int64] | None:
        """The image (B,) of each of B names; None if one of them is unknown."""
        found = pc.index_in(names, self.names)
        return None if found.null_count else self.row_of[numbers_of(found)]


class ImageNumbering:
    """Numbers of images, in the order of their first appearance; two names of one file are one image.

    `names` has the first name of each image. The empty name is an image of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.lookup = ImageNames(folder)
        self._by_path: dict[str, int] = {}
        self.by_name: dict[str, int] = {}
        self.names: list[str] = []

    @property
    def paths(self) -> list[str]:
        """The path of each image, by number."""
        return list(self._by_path)

    def of(self, block: Block) -> NDArray[np.int64]:
        """The numbers (2, B) of the first and the second images of a block; new images get the next numbers."""
        encoded = pa.concat_arrays([block.image1, block.image2]).dictionary_encode()
        numbers = np.array([self._number(name) for name in encoded.dictionary.to_pylist()], dtype=np.int64)
        found: NDArray[np.int64] = numbers[numbers_of(encoded.indices)]
        return found.reshape(2, -1)

    def _number(self, name: str) -> int:
        if name not in self.by_name:
            path = str(self.lookup.path(name) or "")
            if path not in self._by_path:
                self._by_path[path] = len(self.names)
                self.names.append(name)
            self.by_name[name] = self._by_path[path]
        return self.by_name[name]


def index_images(pairs: PairsFile, folder: Path) -> ImageIndex:
    """Read a pairs file and index its images."""
    numbers = ImageNumbering(folder)
    rows = labelled = 0
    for block in pairs.blocks():
        rows += len(block)
        labelled += block.labelled
        numbers.of(block)
    row_of = np.fromiter(numbers.by_name.values(), np.int64, len(numbers.by_name))
    return ImageIndex(of_texts(list(numbers.by_name)), row_of, numbers.names, rows, labelled, numbers.lookup)


def check_found(
    source: str, folder: Path, lookup: ImageNames, images: Sequence[str], stored: Collection[str] = ()
) -> None:
    """Check that one of the images is there. If none is, every pair would be without scores.

    Args:
        source: the pairs file.
        folder: of the images.
        lookup: finds their files in it.
        images: their names.
        stored: names with a stored embedding, which need no file.

    Raises:
        InputError: none of them is there.
    """
    named = [name for name in images if name]
    if not named or not set(stored).isdisjoint(named) or any(os.path.exists(lookup.path(name) or "") for name in named):  # noqa: PTH110 - Path's raises for a name too long
        return
    searched = "the working folder" if folder == Path() else str(folder)
    raise InputError(none_found(source, named, searched, lookup.faults(named[:1]).get(named[0])))
