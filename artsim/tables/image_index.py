"""The different images of a file of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from artsim.tables.arrow import numbers_of, of_texts
from artsim.tables.pairs_file import Block, PairsFile


@dataclass(frozen=True)
class ImageIndex:
    """The different images of a pairs file.

    `names` is an array of strings (M,), `row_of` says which of the images each is, `images` has a name of each; two
    names of one path are one image. `rows` is how many pairs there are.
    """

    names: Any
    row_of: NDArray[np.int64]
    images: list[str]
    rows: int

    def find(self, names: Any) -> NDArray[np.int64] | None:
        """Which of the images each name is, (B,); None: one of them is none."""
        found = pc.index_in(names, self.names)
        return None if found.null_count else self.row_of[numbers_of(found)]


class ImageNumbering:
    """The number of each image, in the order in which they first come; two names of one path are one image.

    `names` has the first name of each image, `paths` where it lies; an empty name is an image of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_path: dict[str, int] = {}
        self.by_name: dict[str, int] = {}
        self.names: list[str] = []

    @property
    def paths(self) -> list[str]:
        """By number."""
        return list(self._by_path)

    def of(self, block: Block) -> NDArray[np.int64]:
        """The numbers of a block's images, new ones among them: first and second ones, (2, B)."""
        encoded = pa.concat_arrays([block.image1, block.image2]).dictionary_encode()
        numbers = np.array([self._number(name) for name in encoded.dictionary.to_pylist()], dtype=np.int64)
        found: NDArray[np.int64] = numbers[numbers_of(encoded.indices)]
        return found.reshape(2, -1)

    def _number(self, name: str) -> int:
        if name not in self.by_name:
            path = str(self._folder / name) if name else ""  # an empty name is no folder
            if path not in self._by_path:
                self._by_path[path] = len(self.names)
                self.names.append(name)
            self.by_name[name] = self._by_path[path]
        return self.by_name[name]


def index_images(pairs: PairsFile, folder: Path) -> ImageIndex:
    """Read a pairs file for the images it names."""
    numbers = ImageNumbering(folder)
    rows = 0
    for block in pairs.blocks():
        rows += len(block)
        numbers.of(block)
    row_of = np.fromiter(numbers.by_name.values(), np.int64, len(numbers.by_name))
    return ImageIndex(of_texts(list(numbers.by_name)), row_of, numbers.names, rows)
