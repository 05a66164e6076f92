"""Updates of an embedding store while images are embedded, so that a killed run loses little."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from artsim.errors import ImageError
from artsim.scoring.embedding_store import EmbeddingStore, write_store

# Seconds between two writes of the store. A killed run loses the work of one interval.
SHORTEST_INTERVAL = 3.0
# The interval is at least 20 times as long as the last write, so that writing takes at most 5 % of the time.
INTERVAL_PER_WRITE = 20


class Embedding(Protocol):
    """A pass over named images. A position is decided once it has a SHA-256 or a failure."""

    names: list[str]
    sha256s: list[str]
    vectors: NDArray[np.float32]
    failures: dict[int, ImageError]


class StoreWriter:
    """Writes the store every few seconds: the rows that it had before, updated with what is decided."""

    def __init__(self, path: Path, before: EmbeddingStore) -> None:
        self._path = path
        self._before = before
        self._written = time.monotonic()
        self._interval = SHORTEST_INTERVAL

    def is_due(self) -> bool:
        """Whether the interval since the last write is over."""
        return time.monotonic() - self._written >= self._interval

    def write_rest(self, job: Embedding) -> None:
        """Write the final store, unless its rows are those of the file."""
        store = _updated(self._before, job)
        if not self._path.exists() or _rows(store) != _rows(self._before):
            write_store(self._path, store)

    def write(self, job: Embedding) -> None:
        """Write what is decided so far, and choose the next interval."""
        started = time.monotonic()
        write_store(self._path, _updated(self._before, job))
        self._written = time.monotonic()
        self._interval = max(SHORTEST_INTERVAL, INTERVAL_PER_WRITE * (self._written - started))


def _rows(store: EmbeddingStore) -> dict[str, str]:
    return dict(zip(store.names, store.sha256s, strict=True))


def _updated(before: EmbeddingStore, job: Embedding) -> EmbeddingStore:
    """Keep the rows with other names; add the decided ones after them; drop the names of bad images."""
    decided = {name: position for position, name in enumerate(job.names) if job.sha256s[position]}
    bad = {job.names[position] for position in job.failures}
    artist = dict(zip(before.names, before.artists, strict=True))
    attributions = before.attributions or [None] * len(before.names)
    attribution = dict(zip(before.names, attributions, strict=True))
    others = [row for row, name in enumerate(before.names) if name not in decided and name not in bad]
    positions = list(decided.values())
    return EmbeddingStore(
        before.model_sha256,
        before.card,
        [before.names[row] for row in others] + list(decided),
        [before.sha256s[row] for row in others] + [job.sha256s[position] for position in positions],
        [before.artists[row] for row in others] + [artist.get(name) for name in decided],
        np.concatenate([before.vectors[others], job.vectors[positions]]),
        [attributions[row] for row in others] + [attribution.get(name) for name in decided],
    )
