"""The nearest works of a cohort: approximate by a float32 matrix product, then exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from artsim.scoring.contract import DistanceName
from artsim.scoring.distance import pair_distances

MARGIN = 14  # further works whose distance is computed exactly, because of copies and of rounding. A setting
BLOCK_ROWS = 256  # embeddings at once

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Works among which the neighbours of an embedding are searched.

    Attributes:
        own: the works' own embeddings, float32 (C, D). They tell which works are copies.
        moved: the embeddings (C, D) that are searched.
        distance: the tower's kind of distance.
        copy_distance: embeddings whose own distance is smaller are copies. A copy is no neighbour.
    """

    own: Vectors
    moved: Vectors
    distance: DistanceName
    copy_distance: float

    def of(self, own: Vectors, moved: Vectors, count: int) -> Iterator[tuple[slice, Rows, NDArray[np.float64]]]:
        """Find the nearest works of embeddings, own (N, D) and moved (N, D), block by block.

        Yields the rows of a block, its `count` nearest works (B, K) or all works if there are fewer, and their
        distances (B, K), in ascending order. The distance to a copy is infinite, so that it comes last.
        """
        for start in range(0, len(own), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            works = self._candidates(moved[block], count + MARGIN)
            distance = distances_to(moved[block], self.moved, works, self.distance)
            distance[distances_to(own[block], self.own, works, self.distance) < self.copy_distance] = np.inf
            nearest = np.argsort(distance, axis=1, kind="stable")[:, :count]
            yield block, np.take_along_axis(works, nearest, axis=1), np.take_along_axis(distance, nearest, axis=1)

    def _candidates(self, moved: Vectors, count: int) -> Rows:
        """Return the works (B, K) that are nearest to embeddings (B, D), by a float32 matrix product.

        The product is not exact. MARGIN further works keep rounding and copies from pushing a nearest work out.
        """
        count = min(count, len(self.moved))
        squares = self._squares - 2 * moved @ self.moved.T  # (B, C)
        return np.sort(np.argpartition(squares, count - 1, axis=1)[:, :count], axis=1)

    @cached_property
    def _squares(self) -> NDArray[np.float32]:
        squares: NDArray[np.float32] = np.einsum("cd,cd->c", self.moved, self.moved)
        return squares


def distances_to(block: Vectors, works: Vectors, near: Rows, name: DistanceName) -> NDArray[np.float64]:
    """Exact distances (B, K) of embeddings (B, D) to the works `near` (B, K) of (C, D)."""
    first = np.repeat(np.arange(len(block)), near.shape[1])
    both = np.concatenate([block, works])
    return pair_distances(both, first, near.ravel() + len(block), name).astype(np.float64).reshape(near.shape)
