"""Features float32 (N, F) of works, read in blocks of rows.

Features are the largest arrays of a run. A fit takes some of the works, and a copy of their rows would need as much
memory again. So their numbers are kept, and rows are copied when a slice of them is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from artsim.large_arrays import release_pages

BLOCK = 512  # works at once; a setting


class SomeRows:
    """Some rows of features (M, F), in their order: `rows[start:stop]` is float32 (stop - start, F)."""

    ndim = 2

    def __init__(self, features: NDArray[np.float32], numbers: NDArray[np.int64]) -> None:
        """`numbers` (N,) are those of the rows."""
        self.features = features
        self.numbers = numbers

    @property
    def shape(self) -> tuple[int, int]:
        """(N, F)."""
        return len(self.numbers), self.features.shape[1]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, part: slice) -> NDArray[np.float32]:
        found: NDArray[np.float32] = self.features[self.numbers[part]]
        release_pages(self.features)
        return found


Features: TypeAlias = NDArray[np.float32] | SomeRows


def rows_of(features: Features, numbers: NDArray[np.int64]) -> SomeRows:
    """The rows with these numbers (N,)."""
    if isinstance(features, SomeRows):
        return SomeRows(features.features, features.numbers[numbers])
    return SomeRows(features, numbers)


def blocks_of(features: Features) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Where each block of rows lies, and the block (B, F)."""
    for start in range(0, len(features), BLOCK):
        part = slice(start, min(start + BLOCK, len(features)))
        yield part, features[part]
        release_pages(features)
