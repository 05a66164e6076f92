"""The different images of a file of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from artsim.scoring.arrow import numbers_of, of_texts
from artsim.scoring.pairs_file import PairsFile


@dataclass(frozen=True)
class Listing:
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


def list_images(pairs: PairsFile, folder: Path) -> Listing:
    """Read a pairs file for the images it names; an empty name is an image of its own."""
    row_of: dict[str, int] = {}
    first_names: dict[str, str] = {}  # of each path
    rows_by_path: dict[str, int] = {}
    rows = 0
    for block in pairs.blocks():
        rows += len(block)
        for name in (*pc.unique(block.image1).to_pylist(), *pc.unique(block.image2).to_pylist()):
            if name not in row_of:
                path = str(folder / name) if name else ""
                row_of[name] = rows_by_path.setdefault(path, len(rows_by_path))
                first_names.setdefault(path, name)
    names = of_texts(list(row_of))
    return Listing(names, np.fromiter(row_of.values(), np.int64, len(row_of)), list(first_names.values()), rows)
