"""Confidence intervals of metrics: a bootstrap over artists and their paintings.

Pairs that share a painting are not independent, and neither are pairs that share an artist. So pairs are not resampled
themselves. Resampled is what a new collection would have of its own:

- Artists, then their paintings, where the metric is about artists that training did not see. As many artists are drawn
  with replacement as there are. Each draw of an artist is a copy with paintings of its own: as many as the artist has,
  drawn from them with replacement.
- Paintings alone, where the artists are given, as seen artists are, or not known.

The weight of a pair is the product of how often each of its paintings was drawn. This is the pigeonhole bootstrap
(Owen 2007, doi.org/10.1214/07-AOAS122) with one set as rows and columns, and paintings nested in artists. Two paintings
by the same artist count within a copy only: their weight is the sum of the products over the artist's copies. Pairs
between two copies of an artist are left out, because the copies stand for two artists but have the same hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
NOTHING = (float("nan"), float("nan"))


def auc_interval(
    distance: NDArray[np.float32],
    same: NDArray[np.uint8],
    image1: NDArray[np.int64],
    image2: NDArray[np.int64],
    artists: NDArray[np.int64] | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> tuple[float, float]:
    """The central 95 % of the AUC over resamples; (nan, nan) if no resample has both kinds of pairs.

    Args:
        distance: (N,) of the pairs.
        same: (N,) 1 for the same artist.
        image1: (N,) number of each pair's first painting.
        image2: (N,) number of the second painting.
        artists: (I,) number of the artist of each painting, by its number. None: only paintings are resampled.
        resamples: number of resamples.
        seed: of the draws.
    """
    curve, pairs = _Curve.of(distance, same), _ResampledPairs.of(same, image1, image2, artists)
    areas = (weighted_auc(*curve.weights(*weights)) for weights in pairs.draws(resamples, seed))
    return _central([area for area in areas if area is not None])


@dataclass(frozen=True)
class Difference:
    """How much larger a metric of a second list of distances is, with the central 95 % over resamples.

    All are NaN if there are no pairs of one kind.
    """

    value: float
    low: float
    high: float


# A metric of the pairs that two lists give at each of their values: the weight of same-artist pairs (V,), and of
# different-artist pairs (V,), at rising distance. None: it is not defined.
WeightedMetric = Callable[[NDArray[np.float64], NDArray[np.float64]], float | None]


def auc_difference(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    same: NDArray[np.uint8],
    image1: NDArray[np.int64],
    image2: NDArray[np.int64],
    artists: NDArray[np.int64] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Difference:
    """Compare two towers' distances (N,) of the same pairs by a paired bootstrap: both see the same resamples.

    The other arguments are those of `auc_interval`. The lower end of the interval decides something, so there are more
    resamples.
    """
    lists = [(each, {"auc": weighted_auc}) for each in (before, after)]
    return metric_differences(lists, same, image1, image2, artists, resamples, seed)[0]["auc"]


def metric_differences(
    lists: Sequence[tuple[NDArray[np.float32], Mapping[str, WeightedMetric]]],
    same: NDArray[np.uint8],
    image1: NDArray[np.int64],
    image2: NDArray[np.int64],
    artists: NDArray[np.int64] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> list[dict[str, Difference]]:
    """The differences of each later list of distances to the first one, by metric, on the same resamples.

    `lists` are at least two, each with distances (N,) of the same pairs and its metrics by name, the same names in all.
    The other arguments are those of `auc_interval`.
    """
    curves = [_Curve.of(distance, same) for distance, _ in lists]

    def measured(weights: tuple[NDArray[np.float64], NDArray[np.float64]]) -> NDArray[np.float64]:
        """(lists, metrics); NaN where a metric is not defined."""
        rows = []
        for curve, (_, metrics) in zip(curves, lists, strict=True):
            counts = curve.weights(*weights)
            rows.append([metric(*counts) for metric in metrics.values()])
        return np.array(rows, dtype=np.float64)

    pairs = _ResampledPairs.of(same, image1, image2, artists)
    kinds = [np.ones(int(np.sum(same == kind))) for kind in (1, 0)]
    whole = measured((kinds[0], kinds[1]))
    drawn = np.array([measured(weights) for weights in pairs.draws(resamples, seed)]).reshape(-1, *whole.shape)
    return [
        {
            name: _difference(whole[number, place] - whole[0, place], drawn[:, number, place] - drawn[:, 0, place])
            for place, name in enumerate(lists[0][1])
        }
        for number in range(1, len(lists))
    ]


def _difference(whole: float, drawn: NDArray[np.float64]) -> Difference:
    return Difference(float(whole), *(_central(drawn[np.isfinite(drawn)].tolist()) if np.isfinite(whole) else NOTHING))


def mean_interval(
    values: NDArray[np.float64], artists: NDArray[np.int64] | None = None, resamples: int = 200, seed: int = 0
) -> tuple[float, float]:
    """The central 95 % of the mean of one value per query painting, (Q,); (nan, nan) without queries.

    For retrieval metrics. Only the queries are resampled, as a painting that occurs twice in the gallery would find
    itself. With their artists (Q,), artists are resampled, then the queries of each.
    """
    population = _Population.of(len(values), artists)
    rng = np.random.default_rng(seed)
    counts = (population.draw(rng).sum(axis=0) for _ in range(resamples if len(values) else 0))
    return _central([float(values @ count / count.sum()) for count in counts])


@dataclass(frozen=True)
class _Curve:
    """Distances as a ROC curve: the rank of each pair's distance among the different ones, by kind of pair."""

    same: NDArray[np.int64]
    different: NDArray[np.int64]
    ranks: int

    @classmethod
    def of(cls, distance: NDArray[np.float32], same: NDArray[np.uint8]) -> _Curve:
        values, rank = np.unique(distance, return_inverse=True)
        return cls(rank[same == 1], rank[same == 0], len(values))

    def weights(
        self, same: NDArray[np.float64], different: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The weight of both kinds at each distance (V,), from the weights of the pairs."""
        positive = np.bincount(self.same, weights=same, minlength=self.ranks)
        negative = np.bincount(self.different, weights=different, minlength=self.ranks)
        return positive.astype(np.float64, copy=False), negative.astype(np.float64, copy=False)


@dataclass(frozen=True)
class _ResampledPairs:
    """Pairs of both kinds as rows of paintings (2, N), and the paintings to draw from."""

    same: NDArray[np.int64]
    different: NDArray[np.int64]
    population: _Population

    @classmethod
    def of(
        cls,
        same: NDArray[np.uint8],
        image1: NDArray[np.int64],
        image2: NDArray[np.int64],
        artists: NDArray[np.int64] | None,
    ) -> _ResampledPairs:
        paintings, index = np.unique(np.stack([image1, image2]), return_inverse=True)
        rows = index.reshape(2, -1)
        population = _Population.of(len(paintings), None if artists is None else artists[paintings])
        return cls(rows[:, same == 1], rows[:, same == 0], population)

    def draws(self, resamples: int, seed: int) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """The weights of the pairs of both kinds, for each resample."""
        rng = np.random.default_rng(seed)
        for _ in range(resamples if self.same.size + self.different.size else 0):
            copies = self.population.draw(rng)
            drawn_at_all = copies.sum(axis=0, keepdims=True)
            yield _weights(copies, *self.same), _weights(drawn_at_all, *self.different)


@dataclass(frozen=True)
class _Population:
    """P paintings by A artists, to draw from. Without artists, all paintings are by one artist, who is drawn once."""

    by_artist: NDArray[np.int64]  # (P,) paintings, artist by artist
    start: NDArray[np.int64]  # (A,) of each artist's paintings in `by_artist`
    size: NDArray[np.int64]  # (A,) number of paintings

    @classmethod
    def of(cls, paintings: int, artists: NDArray[np.int64] | None) -> _Population:
        label = np.zeros(paintings, np.int64) if artists is None else np.unique(artists, return_inverse=True)[1]
        size = np.bincount(label)
        return cls(np.argsort(label, kind="stable"), np.cumsum(size) - size, size)

    def draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """How often each painting is in the first, second, … copy of its artist, (copies, P)."""
        artists = np.sort(rng.integers(len(self.size), size=len(self.size)))
        copy = np.arange(len(artists)) - np.searchsorted(artists, artists)
        paintings = self.size[artists]
        place = np.repeat(self.start[artists], paintings) + rng.integers(np.repeat(paintings, paintings))
        count = len(self.by_artist)
        cell = np.repeat(copy, paintings) * count + self.by_artist[place]
        return np.bincount(cell, minlength=(int(copy.max()) + 1) * count).reshape(-1, count)


def _weights(counts: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """The sum over copies of the product of both paintings' counts (copies, P), for each of N pairs."""
    weights = np.zeros(len(first))
    for count in counts:
        weights += count[first] * count[second]
    return weights


def _central(drawn: list[float]) -> tuple[float, float]:
    if not drawn:
        return NOTHING
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def weighted_auc(positive: NDArray[Any], negative: NDArray[Any]) -> float | None:
    """AUC from the weight of same-artist and of different-artist pairs at each distance (V,), in rising order."""
    total = positive.sum() * negative.sum()
    if total == 0:
        return None
    farther = negative.sum() - np.cumsum(negative)
    return float(np.sum(positive * (farther + negative / 2)) / total)
