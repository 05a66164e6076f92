"""Images become embeddings: decoded in threads, a batch ahead of the session that embeds them.

A source is whatever `load` takes; `load` gives uint8 (S, S, 3) RGB or raises an ImageError.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from artsim.errors import ImageError
from artsim.scoring.session import Tower

Source = TypeVar("Source")
Image = NDArray[np.uint8]


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
    size = tower.card.image_size
    batch = np.empty((min(batch_size, max(1, len(sources))), size, size, 3), dtype=np.uint8)
    positions: list[int] = []
    failures: dict[int, ImageError] = {}
    for position, image in enumerate(decode(sources, load, ahead=batch_size + decode_threads())):
        if isinstance(image, ImageError):
            failures[position] = image
        else:
            batch[len(positions)] = image
            positions.append(position)
        if len(positions) == len(batch):
            yield _through(tower, batch, positions, failures)
            positions, failures = [], {}
    if positions or failures:
        yield _through(tower, batch[: len(positions)], positions, failures)


def decode(sources: Iterable[Source], load: Callable[[Source], Image], ahead: int) -> Iterator[Image | ImageError]:
    """Load sources in threads, at most `ahead` of them before they are asked for, and yield them in order."""
    pool = ThreadPoolExecutor(decode_threads(), thread_name_prefix="decode")
    coming = iter(sources)
    try:
        waiting = deque(pool.submit(_attempt, load, source) for source in islice(coming, ahead))
        while waiting:
            image = waiting.popleft().result()
            waiting.extend(pool.submit(_attempt, load, source) for source in islice(coming, 1))
            yield image
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def decode_threads() -> int:
    """One for each core this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _attempt(load: Callable[[Any], Image], source: Any) -> Image | ImageError:
    try:
        return load(source)
    except ImageError as error:
        return error


def _through(tower: Tower, batch: Image, positions: list[int], failures: dict[int, ImageError]) -> Embedded:
    vectors = tower(batch) if positions else np.empty((0, tower.width), dtype=np.float32)
    return Embedded(np.array(positions, dtype=np.int64), vectors, failures)
