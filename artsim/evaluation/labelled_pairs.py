"""Labelled pairs and their metrics: 5 bytes per pair, and a bounded sample with the numbers of its images."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from artsim.errors import InputError
from artsim.evaluation.known_artists import KnownArtists
from artsim.scoring.scores import Criterion

SAMPLE_PAIRS = 1_000_000

Resampled = Literal["artists, then paintings", "paintings"]


class LabelledPairs:
    """Distances and labels of at most `capacity` pairs, added a block at a time.

    If there are more than `sample_pairs`, every pair enters the sample with the same probability. It is a little below
    sample_pairs / capacity, so that the sample stays within its bound.
    """

    def __init__(self, capacity: int, seed: int = 0, sample_pairs: int = SAMPLE_PAIRS) -> None:
        self._distance = np.empty(capacity, dtype=np.float32)
        self._same = np.empty(capacity, dtype=np.uint8)
        self._count = 0
        self._rng = np.random.default_rng(seed)
        self._bound = sample_pairs
        # Five standard deviations of the sample's size below the bound.
        self._chance = 1.0 if capacity <= sample_pairs else (sample_pairs - 5 * math.sqrt(sample_pairs)) / capacity
        self._artists = KnownArtists()
        self._sampled: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []

    def add(
        self,
        distance: NDArray[np.float32],
        same: NDArray[np.uint8],
        image1: NDArray[np.int64],
        image2: NDArray[np.int64],
    ) -> None:
        """Add a block of scored pairs (B,): distances, labels, and the numbers of both images.

        Raises:
            InputError: there are more than `capacity`.
        """
        end = self._count + len(distance)
        if end > len(self._distance):
            raise InputError("the pairs changed while they were read: there are more labels than before. Start again.")
        self._distance[self._count : end] = distance
        self._same[self._count : end] = same
        chosen = np.flatnonzero(self._rng.random(len(distance)) < self._chance)
        self._sampled.append((self._count + chosen, image1[chosen], image2[chosen]))
        self._artists.add(same, image1, image2)
        self._count = end

    @property
    def distance(self) -> NDArray[np.float32]:
        """All distances (N,)."""
        return self._distance[: self._count]

    @property
    def same(self) -> NDArray[np.uint8]:
        """All labels (N,), 1 for the same artist."""
        return self._same[: self._count]

    @property
    def artists(self) -> NDArray[np.int64] | None:
        """The number of each image's artist, (I,), if the labels of all pairs tell it; see `known_artists`."""
        return self._artists.numbers()

    def sample(
        self,
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
        """Distance, label, first and second image of the sampled pairs, (M,) each."""
        if not self._sampled:
            return self.distance, self.same, np.empty(0, np.int64), np.empty(0, np.int64)
        rows, image1, image2 = (np.concatenate(parts)[: self._bound] for parts in zip(*self._sampled, strict=True))
        return self._distance[rows], self._same[rows], image1, image2


class LabelledMetrics(NamedTuple):
    """Metrics by name, the 95 % interval of the AUC, and what it resamples; nothing if all pairs have one label."""

    metrics: dict[str, float]
    auc_interval: tuple[float, float] | None = None
    interval_resamples: Resampled | None = None


def labelled_metrics(labelled: LabelledPairs, criterion: Criterion) -> LabelledMetrics:
    """The metrics of labelled pairs.

    Calibration is measured at the prior of the criterion, Cllr without a prior. The probabilities overwrite the
    distances of `labelled`, to save memory.
    """
    if len(np.unique(labelled.same)) < 2:
        return LabelledMetrics({})
    # SciPy takes a while to import, which pairs without labels do not need.
    from artsim.evaluation.likelihood_ratio import cllr, log_likelihood_ratio
    from artsim.evaluation.metrics import pair_metrics
    from artsim.evaluation.reliability import reliability
    from artsim.evaluation.value_counts import PIECE

    values, same = labelled.distance, labelled.same
    pieces = [slice(start, start + PIECE) for start in range(0, len(values), PIECE)]
    interval, resampled = _interval(labelled)
    metrics = pair_metrics(values, same, criterion.threshold)
    metrics |= cllr((log_likelihood_ratio(values[piece], criterion.calibration), same[piece]) for piece in pieces)
    for piece in pieces:
        values[piece] = criterion.probability(values[piece])
    metrics |= reliability(values, same, criterion.prior, chance=True)
    return LabelledMetrics(metrics, interval, resampled)


def _interval(labelled: LabelledPairs) -> tuple[tuple[float, float] | None, Resampled | None]:
    """The interval of the AUC and what it resamples: artists, where the labels of all pairs tell them."""
    from artsim.evaluation.intervals import auc_interval

    artists = labelled.artists
    low, high = auc_interval(*labelled.sample(), artists)
    if math.isnan(low):
        return None, None
    return (low, high), "paintings" if artists is None else "artists, then paintings"
