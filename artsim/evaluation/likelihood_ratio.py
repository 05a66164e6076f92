"""The cost of likelihood ratios, Cllr, and the least cost that a calibration can reach (Brümmer & du Preez 2006).

The likelihood ratio (LR) of a pair says how many times more probable its distance is for one artist than for two. It is
the odds of the probability, divided by the odds of its prior. So it does not depend on the prior.

    Cllr = 1/2 [ mean over same-artist pairs of log2(1 + 1/LR) + mean over different-artist pairs of log2(1 + LR) ]

The unit is bits. The value is 0 for a tower that knows all, 1 for an LR of 1 for every pair, and larger for LRs that
mislead. The paper is Application-independent evaluation of speaker detection, doi.org/10.1016/j.csl.2005.08.001.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.special import rel_entr

from artsim.evaluation.value_counts import ValueCounts
from artsim.scoring.contract import Calibration
from artsim.scoring.scores import log_odds


def log_likelihood_ratio(distance: NDArray[np.float32], calibration: Calibration) -> NDArray[np.float64]:
    """The natural logarithm of the likelihood ratio, (N,)."""
    return log_odds(distance, calibration, prior=0.5)  # the odds of this prior are 1


def cllr(pieces: Iterable[tuple[NDArray[np.float64], NDArray[np.uint8]]]) -> dict[str, float]:
    """`cllr` of pairs, given as logarithms of likelihood ratios (P,) and labels (P,); empty if a kind is missing.

    Both kinds of pair weigh one half, whatever their numbers.
    """
    cost, count = np.zeros(2), np.zeros(2)
    for log_ratio, same in pieces:
        against = np.where(same == 1, -log_ratio, log_ratio)
        cost += np.bincount(same, weights=np.logaddexp(0.0, against), minlength=2)
        count += np.bincount(same, minlength=2)
    return {"cllr": float(np.mean(cost / count)) / math.log(2)} if count.all() else {}


class BestCalibration:
    """The monotone calibration with the least Cllr, from counts at rising distances, a piece at a time.

    Pool adjacent violators gives this calibration: neighbouring distances form blocks, and the LR of a block is the
    ratio of its shares of both kinds. The blocks are the edges of the ROC curve's convex hull.

    Pieces do not change the result: the pairs of a block of some pieces are in one block of all pieces. So only blocks
    are kept. A hull of P pairs has at most about P^(2/3) edges. Counts are exact; only the comparison of two blocks
    whose ratios differ in the last bits of float64 may be wrong, which changes the cost by less than 1e-12.
    """

    def __init__(self, same: int, different: int) -> None:
        """The total numbers of pairs of each kind, both at least 1."""
        self._total = np.array([[same], [different]])
        self._blocks = np.empty((2, 0), dtype=np.int64)  # pairs of each kind

    def add(self, piece: ValueCounts) -> None:
        """Add the pairs at greater distances than those before."""
        counts = np.hstack([self._blocks, [piece.same, piece.different]])
        same, different = counts * self._total[::-1]  # weighted so that both kinds weigh alike; exact integers
        weight = (same + different).astype(np.float64)
        pooled = isotonic_regression(same / weight, weights=weight, increasing=False)
        self._blocks = np.add.reduceat(counts, pooled.blocks[:-1], axis=1)

    @property
    def cllr(self) -> float:
        """Its Cllr. With LR = same / different, 1 + 1/LR is (same + different) / same."""
        shares = self._blocks / self._total
        return float(abs(rel_entr(shares, shares.sum(axis=0)).sum())) / (2 * math.log(2))
