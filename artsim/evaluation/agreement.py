"""How well clusters agree with known artists: adjusted Rand index and purity.

The adjusted Rand index (Hubert & Arabie 1985) is 1 if clusters and artists are the same, and 0 by chance. Purity is the
share of the works in clusters that are by the most frequent artist of their cluster. Its interval is the jackknife over
artists: how much it changes where the works of an artist are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artsim.evaluation.report.numbers import Estimate, says_something, too_few_text
from artsim.messages import counted

MOST_FOLDS = 50  # of artists that are left out at once

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Agreement:
    """Of the works whose artist is known: `works` of them, `clustered` of which have a cluster with another of them.

    `same` and `different` are their pairs by one artist and by two.
    """

    works: int
    artists: int
    clustered: int
    same: int
    different: int
    rand: Estimate
    purity: float

    @property
    def says_something(self) -> bool:
        """Whether there are enough pairs, and the interval is narrow enough."""
        return says_something(self.same, self.different, self.rand)

    @property
    def text(self) -> str:
        """One line."""
        if not self.says_something:
            return too_few_text(self.same, self.different, None)
        of = f"{counted(self.works, 'work')} by {counted(self.artists, 'artist')}"
        return (
            f"adjusted Rand index {self.rand.text} (95 % interval {self.rand.interval}) on {of}; purity "
            f"{self.purity:.{self.rand.digits}f} of {counted(self.clustered, 'work')} in clusters"
        )


def agreement(cluster: Numbers, artist: Numbers) -> Agreement | None:
    """How well clusters agree with artists; None if fewer than two works have a known artist.

    Args:
        cluster: (N,) of each work; negative for works alone.
        artist: (N,) of each work; negative where it is not known.
    """
    known = np.flatnonzero(artist >= 0)
    if len(known) < 2:
        return None
    label, names = _each_alone(cluster[known]), np.unique(artist[known], return_inverse=True)[1]
    counts = _pairs_in(np.bincount(names))
    sizes = np.bincount(label)
    clustered = np.flatnonzero(sizes[label] > 1)
    return Agreement(
        len(known),
        int(names.max()) + 1,
        len(clustered),
        counts,
        _pairs_in(np.array([len(known)])) - counts,
        _rand_index(label, names),
        _purity(label[clustered], names[clustered]),
    )


def _each_alone(cluster: Numbers) -> Numbers:
    """The clusters with a number of its own for each work alone."""
    label = cluster.copy()
    alone = np.flatnonzero(cluster < 0)
    label[alone] = cluster.max(initial=-1) + 1 + np.arange(len(alone))
    return np.unique(label, return_inverse=True)[1]


def _pairs_in(counts: Numbers) -> int:
    return int((counts * (counts - 1) // 2).sum())


def _purity(label: Numbers, names: Numbers) -> float:
    if not len(label):
        return 0.0
    pairs, counts = np.unique(np.stack([label, names]), axis=1, return_counts=True)
    most = np.zeros(pairs[0].max() + 1, dtype=np.int64)
    np.maximum.at(most, pairs[0], counts)
    return float(most.sum() / len(label))


def _rand_index(label: Numbers, names: Numbers) -> Estimate:
    """The adjusted Rand index, with the 95 % interval of the jackknife over artists if there are three or more."""
    from sklearn.metrics import adjusted_rand_score

    value = float(adjusted_rand_score(names, label))
    folds = np.arange(names.max() + 1) % MOST_FOLDS
    number = int(folds.max()) + 1
    if number < 3:
        return Estimate(value)
    kept = [folds[names] != fold for fold in range(number)]
    left = np.array([float(adjusted_rand_score(names[each], label[each])) for each in kept])
    error = 1.96 * float(np.sqrt((number - 1) / number * np.square(left - left.mean()).sum()))
    return Estimate(value, max(-1.0, value - error), min(1.0, value + error))
