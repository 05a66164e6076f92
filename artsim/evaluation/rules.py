"""The rules of a tower: how distances become scores, with and without a cohort, and what unfamiliar photographs change.

They are fitted on folds of artists whom the fold's tower does not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from artsim.collection.pairs import balanced_pairs, some_of_each
from artsim.evaluation.calibration import calibrate
from artsim.evaluation.likelihood_ratio import cllr, log_likelihood_ratio
from artsim.scoring.cohort import COPY_SHARE, MIN_COHORT, Cohort
from artsim.scoring.contract import DecisionRule, DistanceName
from artsim.scoring.distance import pair_distances
from artsim.scoring.familiarity import MOST_CORRECTION, EmbeddedFold, excess

FAMILIAR_SHARE = 0.95  # of a fold's works are familiar, as they are photographed like the training works; a setting
# Of these works are below the onsets that are tried: most familiar photographs keep their distances.
ONSET_SHARES = (0.75, 0.9)
# Works of each of a fold's artists in the collection that its distances adapt to: as many as a pair needs. A setting,
# chosen on one half of the artists of other collections, which have three works each (docs/experiments.md).
OWN_WORKS = 2


@dataclass(frozen=True)
class TowerRules:
    """The rules of a tower. `PhotographRule` explains `familiar`, `onset` and `correction`.

    `adapted` is the rule for distances that are adapted to a cohort; None: the folds are too small for cohorts.
    """

    plain: DecisionRule
    familiar: float
    onset: float
    correction: float
    adapted: DecisionRule | None


@dataclass(frozen=True)
class _Pairs:
    """Labelled pairs (P,): distances, labels, and the unfamiliarity of both works."""

    distance: NDArray[np.float32]
    same: NDArray[np.uint8]
    one: NDArray[np.float64]
    other: NDArray[np.float64]

    def corrected(self, onset: float, correction: float) -> NDArray[np.float32]:
        """Distances multiplied by the factors of both works, (P,)."""
        one, other = (1 + correction * excess(side, onset) for side in (self.one, self.other))
        return (self.distance * one * other).astype(np.float32)


def fit_rules(
    folds: Iterable[EmbeddedFold], distance: DistanceName, seed: int, adapted_width: int
) -> TowerRules | None:
    """Fit all rules; None if the folds do not give pairs of both kinds.

    A fold of MIN_COHORT works or fewer does not count for the rule for adapted distances.

    Args:
        folds: works by artists whom the fold's tower does not know.
        distance: of the embeddings.
        seed: of the balanced pairs drawn in each fold.
        adapted_width: number of leading values that adapt to a cohort; 0: none do.
    """
    works, views, adapted, unfamiliarity = [], [], [], []
    for fold in folds:
        works.append(_work_pairs(fold, distance, seed))
        views.append(_view_pairs(fold, distance, seed))
        unfamiliarity.append(fold.unfamiliarity)
        if adapted_width and len(fold.artists) > MIN_COHORT:
            adapted.append((_adapted(fold, distance, works[-1], seed, adapted_width), works[-1].same))
    known, shifted = _joined(works), _joined(views)
    if not _has_both(known.same):
        return None
    familiar, *onsets = np.quantile(np.concatenate(unfamiliarity), [FAMILIAR_SHARE, *ONSET_SHARES]).tolist()
    onset, correction = _fit_correction(known, shifted, onsets) if _has_both(shifted.same) else (familiar, 0.0)
    plain = calibrate(known.corrected(onset, correction), known.same)
    distances, same = ([pair[side] for pair in adapted] for side in (0, 1))
    has_adapted = bool(adapted) and _has_both(np.concatenate(same))
    rule = calibrate(np.concatenate(distances), np.concatenate(same)) if has_adapted else None
    return TowerRules(plain, familiar, onset, correction, rule)


def _work_pairs(fold: EmbeddedFold, distance: DistanceName, seed: int) -> _Pairs:
    first, second, same = balanced_pairs(fold.artists, seed)
    distances = pair_distances(fold.embeddings, first, second, distance)
    return _Pairs(distances, same, fold.unfamiliarity[first], fold.unfamiliarity[second])


def _view_pairs(fold: EmbeddedFold, distance: DistanceName, seed: int) -> _Pairs:
    """Pairs of works as one photographer shows them, as in a foreign collection."""
    pairs = []
    for photographer in np.unique(fold.photographers):
        rows = np.flatnonzero(fold.photographers == photographer)
        first, second, same = balanced_pairs(fold.artists[rows], seed)
        pairs.append((rows[first], rows[second], same))
    first, second, same = (np.concatenate(column) for column in zip(*pairs, strict=True))
    distances = pair_distances(fold.views, first, second, distance)
    return _Pairs(distances, same, fold.view_unfamiliarity[first], fold.view_unfamiliarity[second])


def _adapted(
    fold: EmbeddedFold, distance: DistanceName, pairs: _Pairs, seed: int, adapted_width: int
) -> NDArray[np.float32]:
    """Distances (P,) of the fold's pairs, adapted to a collection of some works of its artists and of others.

    There is no threshold yet, which decides what copies are. The median distance stands for it.
    """
    own = fold.embeddings[some_of_each(fold.artists, OWN_WORKS, seed)]
    works = np.concatenate([own, fold.others])
    names = tuple(f"{row:08d}" for row in range(len(works)))
    copies = COPY_SHARE * float(np.median(pairs.distance)) if len(pairs.distance) else 0.0
    cohort = Cohort(names, works, 0, len(names), distance, copies, adapted_width, model_sha256="")
    vectors, factor = cohort.adapt(fold.embeddings)
    first, second, _ = balanced_pairs(fold.artists, seed)
    return pair_distances(vectors, first, second, distance, factor)


def _fit_correction(known: _Pairs, shifted: _Pairs, onsets: list[float]) -> tuple[float, float]:
    """The onset and the correction with the least Cllr on pairs of works and of views, which weigh the same."""

    def cost(correction: float, onset: float) -> float:
        distances = [pairs.corrected(onset, correction) for pairs in (known, shifted)]
        rule = calibrate(np.concatenate(distances), np.concatenate([known.same, shifted.same]))
        return sum(
            cllr([(log_likelihood_ratio(each, rule.calibration), pairs.same)])["cllr"]
            for each, pairs in zip(distances, (known, shifted), strict=True)
        )

    best = (cost(0.0, onsets[0]), onsets[0], 0.0)
    for onset in onsets:
        found = minimize_scalar(
            cost, bounds=(0.0, MOST_CORRECTION), args=(onset,), method="bounded", options={"xatol": 1e-2}
        )
        best = min(best, (float(found.fun), onset, float(found.x)))
    return best[1:]


def _joined(pairs: list[_Pairs]) -> _Pairs:
    nothing = _Pairs(np.empty(0, np.float32), np.empty(0, np.uint8), np.empty(0), np.empty(0))
    columns = zip(*(astuple(each) for each in [nothing, *pairs]), strict=True)
    return _Pairs(*(np.concatenate(column) for column in columns))


def _has_both(same: NDArray[np.uint8]) -> bool:
    return len(np.unique(same)) == 2
