"""Images become embeddings: decoded in threads, a batch ahead of the session that embeds them.

A source is whatever `load` takes; `load` gives uint8 (S, S, 3) RGB or raises an ImageError.
Every batch has the same size, the last one filled up with black: what onnxruntime makes of an image may depend on the
size of its batch in the last bits, but not on its place there or on its neighbours. So it depends on neither the
order of the images nor on where a run was resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from artsim.errors import ImageError
from artsim.prefetch import core_count, prefetch_images
from artsim.scoring.session import Tower

Source = TypeVar("Source")
Image = NDArray[np.uint8]

SMALLEST_QUEUE = 32


@dataclass(frozen=True)
class Embedded:
    """A batch that went through the tower; positions count the sources from 0."""

    positions: NDArray[np.int64]  # (B,) of the images that were good
    vectors: NDArray[np.float32]  # (B, D)
    failures: dict[int, ImageError]  # of those that were not


def embed(
    tower: Tower, sources: Sequence[Source], load: Callable[[Source], Image], batch_size: int
) -> Iterator[Embedded]:
    """Embed every source in order, a batch at a time; one that can't be loaded costs its batch nothing."""
    failures: dict[int, ImageError] = {}

    def good() -> Iterator[tuple[int, Image]]:
        for position, image in enumerate(prefetch_images(sources, load, prefetch_depth(batch_size))):
            if isinstance(image, ImageError):
                failures[position] = image
            else:
                yield position, image

    for positions, vectors in through(tower, good(), batch_size):
        yield Embedded(positions, vectors, dict(failures))
        failures.clear()
    if failures:
        yield Embedded(np.empty(0, dtype=np.int64), np.empty((0, tower.width), dtype=np.float32), failures)


def through(
    tower: Tower, images: Iterable[tuple[int, Image]], batch_size: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Send images, each with its position, through the tower; gives positions (B,) and vectors (B, D)."""
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
    """How many images to have at hand: enough that one slow to decode keeps neither the tower nor a core waiting."""
    return max(SMALLEST_QUEUE, 2 * batch_size) + core_count()
