"""How well probabilities agree with the truth: calibration error and Brier skill, of pairs weighted to a prior.

Probabilities are those of the same artist, float32 (N,), for a collection where the share `prior` of the pairs is by
the same artist. Pairs are weighted so that their share is the prior, whatever their numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from artsim.evaluation.value_counts import value_counts

BINS = 15  # the number in the papers that report this error, from Guo et al. 2017 on
GROUPS = 1000 * BINS  # of neighbouring probabilities, which the simulation of chance takes as equal
SIMULATIONS = 50  # the standard error of their mean is about 3 % of it


def reliability(
    probability: NDArray[np.float32], same: NDArray[np.uint8], prior: float, *, chance: bool = False
) -> dict[str, float]:
    """`calibration_error` and `brier_skill` of (N,) pairs; empty if all pairs are of one kind.

    `calibration_error` is the mean gap between probability and truth over 15 bins of equal weight (Naeini et al. 2015,
    Obtaining Well Calibrated Probabilities Using Bayesian Binning). The best value is 0. Equal probabilities share a
    bin. `brier_skill` compares the squared error with that of always answering the prior (Brier 1950). It is 1 at
    best, 0 for the prior itself, and negative for probabilities that are worse than the prior.

    With `chance`, `calibration_error_by_chance` is the mean error of simulated labels, see `_Groups`.
    """
    count = len(same) - np.count_nonzero(same), np.count_nonzero(same)
    if 0 in count:
        return {}
    weights = prior / count[1], (1 - prior) / count[0]
    error, weight_before, gaps, groups = 0.0, 0.0, np.zeros(BINS), _Groups()
    for piece in value_counts(probability, same):
        value = piece.value.astype(np.float64)
        positive, negative = piece.same * weights[0], piece.different * weights[1]
        weight = positive + negative
        error += float(np.sum(positive * (1 - value) ** 2 + negative * value**2))
        middle = weight_before + np.cumsum(weight) - weight / 2
        gaps += np.bincount(_bins(middle, BINS), weights=weight * value - positive, minlength=BINS)
        weight_before += float(weight.sum())
        if chance:
            groups.add(middle, value, piece.same + piece.different)
    found = {"calibration_error": float(np.abs(gaps).sum()), "brier_skill": 1 - error / (prior * (1 - prior))}
    if chance:
        found["calibration_error_by_chance"] = groups.error(prior, count[1] / len(same))
    return found


def _bins(middle: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """The bin of each value, from the share of all weight up to its middle."""
    return np.minimum((middle * count).astype(np.int64), count - 1)


class _Groups:
    """Pairs in groups of neighbouring probabilities, and the calibration error that they have by chance.

    With few pairs, the calibration error is above 0 even if every probability is true. To tell how much, labels are
    drawn from the probabilities, and the error is computed as for real labels. Pairs are drawn independently. Pairs
    that share paintings are not independent, so chance alone can give somewhat more.

    All pairs of a group get its mean probability. So the memory does not depend on the number of pairs.
    """

    def __init__(self) -> None:
        self._pairs = np.zeros(GROUPS, dtype=np.int64)
        self._sum = np.zeros(GROUPS)  # of probabilities

    def add(self, middle: NDArray[np.float64], value: NDArray[np.float64], pairs: NDArray[np.int64]) -> None:
        """Add different values (V,), each with the share of all weight up to its middle and its number of pairs."""
        group = _bins(middle, GROUPS)
        self._pairs += np.bincount(group, weights=pairs, minlength=GROUPS).astype(np.int64)
        self._sum += np.bincount(group, weights=pairs * value, minlength=GROUPS)

    def error(self, prior: float, share: float, simulations: int = SIMULATIONS, seed: int = 0) -> float:
        """The mean error of simulations.

        The labels are drawn at the pairs' own share of same-artist pairs, and weighted to the prior afterwards.
        """
        pairs = self._pairs[self._pairs > 0]
        value = np.clip(self._sum[self._pairs > 0] / pairs, 0.0, 1.0)
        odds = value * share / prior, (1 - value) * (1 - share) / (1 - prior)
        weight = pairs / np.add(*odds)  # of the pairs, where the probabilities are true at the prior
        implied = float(weight @ value / weight.sum())  # the weight of same-artist pairs; the prior, if calibrated
        rng = np.random.default_rng(seed)
        labels = rng.binomial(pairs, odds[0] / np.add(*odds), size=(simulations, len(pairs)))
        return float(np.mean([_error(value, same, pairs - same, implied) for same in labels]))


def _error(value: NDArray[np.float64], same: NDArray[np.int64], different: NDArray[np.int64], prior: float) -> float:
    """The calibration error of numbers of pairs at rising probabilities, weighted to a prior; all (V,)."""
    positive = same * (prior / max(1, same.sum()))
    weight = positive + different * ((1 - prior) / max(1, different.sum()))
    bins = _bins(np.cumsum(weight) - weight / 2, BINS)
    return float(np.abs(np.bincount(bins, weights=weight * value - positive)).sum())
