"""Inference: images become embeddings, batch by batch, while threads decode the next images.

A source is whatever `load` accepts. `load` returns uint8 (S, S, 3) RGB or raises an ImageError.

Every batch has the same size; black images fill up the last one. The last bits of an embedding can depend on the size
of its batch, but not on its place in the batch or on its neighbours. With one batch size, an embedding therefore does
not depend on the order of the images, or on where a run was resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from artsim.errors import ImageError
from artsim.machine import core_count
from artsim.prefetch import prefetch_images
from artsim.scoring.session import Tower

Source = TypeVar("Source")
Pixels: TypeAlias = NDArray[np.uint8]  # (S, S, 3)

# With fewer decoded images, small batches leave cores idle while one large scan is decoded.
MIN_PREFETCH = 32


@dataclass(frozen=True)
class EmbeddedBatch:
    """The embeddings of one batch; positions count the sources from 0."""

    positions: NDArray[np.int64]  # (B,) of the images that were embedded
    vectors: NDArray[np.float32]  # (B, D)
    failures: dict[int, ImageError]  # by position, of the images that could not be loaded


def embed_batches(
    tower: Tower, sources: Sequence[Source], load: Callable[[Source], Pixels], batch_size: int
) -> Iterator[EmbeddedBatch]:
    """Embed all sources in order; a source that cannot be loaded is reported in `failures` and takes no place."""
    failures: dict[int, ImageError] = {}

    def loaded() -> Iterator[tuple[int, Pixels]]:
        for position, image in enumerate(prefetch_images(sources, load, prefetch_depth(batch_size))):
            if isinstance(image, ImageError):
                failures[position] = image
            else:
                yield position, image

    for positions, vectors in run_batches(tower, loaded(), batch_size):
        yield EmbeddedBatch(positions, vectors, dict(failures))
        failures.clear()
    if failures:
        yield EmbeddedBatch(np.empty(0, dtype=np.int64), np.empty((0, tower.width), dtype=np.float32), failures)


def run_batches(
    tower: Tower, images: Iterable[tuple[int, Pixels]], batch_size: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Run the tower on numbered images; yields the positions (B,) and the vectors (B, D) of each batch."""
    size = tower.card.image_size
    batch = np.zeros((batch_size, size, size, 3), dtype=np.uint8)
    positions: list[int] = []
    for position, image in images:
        batch[len(positions)] = image
        positions.append(position)
        if len(positions) == batch_size:
            yield np.array(positions, dtype=np.int64), tower(batch)
            positions = []
    if positions:
        batch[len(positions) :] = 0
        yield np.array(positions, dtype=np.int64), tower(batch)[: len(positions)]


def prefetch_depth(batch_size: int) -> int:
    """How many images to decode ahead, so that one slow image delays neither the tower nor the other cores."""
    return max(MIN_PREFETCH, 2 * batch_size) + core_count()
