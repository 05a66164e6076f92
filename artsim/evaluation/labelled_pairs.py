"""Labelled pairs kept for the figures: 5 bytes for each, and a bounded sample that knows its images."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SAMPLE_PAIRS = 1_000_000


class LabelledPairs:
    """Distances and labels of at most `capacity` pairs, filled a block at a time.

    Of more than `sample_pairs` each is sampled with the same chance, a little below sample_pairs / capacity,
    so that the sample does not outgrow its bound.
    """

    def __init__(self, capacity: int, seed: int = 0, sample_pairs: int = SAMPLE_PAIRS) -> None:
        self._distance = np.empty(capacity, dtype=np.float32)
        self._same = np.empty(capacity, dtype=np.uint8)
        self._count = 0
        self._rng = np.random.default_rng(seed)
        self._bound = sample_pairs
        # Five standard deviations of the sample's size below the bound.
        self._chance = 1.0 if capacity <= sample_pairs else (sample_pairs - 5 * math.sqrt(sample_pairs)) / capacity
        self._sampled: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []

    def add(
        self,
        distance: NDArray[np.float32],
        same: NDArray[np.uint8],
        image1: NDArray[np.int64],
        image2: NDArray[np.int64],
    ) -> None:
        """Keep a block of scored pairs (B,): distances, labels, and the numbers of both images."""
        end = self._count + len(distance)
        self._distance[self._count : end] = distance
        self._same[self._count : end] = same
        chosen = np.flatnonzero(self._rng.random(len(distance)) < self._chance)
        self._sampled.append((self._count + chosen, image1[chosen], image2[chosen]))
        self._count = end

    @property
    def distance(self) -> NDArray[np.float32]:
        """All distances (N,)."""
        return self._distance[: self._count]

    @property
    def same(self) -> NDArray[np.uint8]:
        """All labels (N,), 1 for the same artist."""
        return self._same[: self._count]

    def sample(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
        """Distance, label, first and second image of the sampled pairs, (M,) each."""
        if not self._sampled:
            return self.distance, self.same, np.empty(0, np.int64), np.empty(0, np.int64)
        rows, image1, image2 = (np.concatenate(parts)[: self._bound] for parts in zip(*self._sampled, strict=True))
        return self._distance[rows], self._same[rows], image1, image2
