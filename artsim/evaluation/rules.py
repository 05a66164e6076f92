"""The rules of a tower: how distances become scores, with and without a cohort, and what unfamiliar photographs change.

They are fitted on folds of artists whom the fold's tower does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from artsim.collection.pairs import Pairs, balanced_pairs, balanced_pairs_within, some_of_each
from artsim.evaluation.calibration import calibrate
from artsim.evaluation.likelihood_ratio import cllr, log_likelihood_ratio
from artsim.scoring.cohort import COPY_SHARE, MIN_COHORT, Cohort
from artsim.scoring.contract import DecisionRule, DistanceName
from artsim.scoring.distance import pair_distances
from artsim.scoring.familiarity import FAMILIAR_SHARE, MOST_OTHERS, MOST_SLOPE, SMALLEST_LIMIT, Correction, EmbeddedFold

FOREIGN_SHARE = 0.5  # of the views have a weight below 1, or more; a setting
LEAST_FOREIGN = 1.5  # times the limit of familiar photographs, if views do not differ from works; a setting
ONSET_SHARES = (0.5, 0.75)  # of all folds' works are less remote than the onsets that are tried; a setting
# The distances of a fold adapt to one or more cohorts. A cohort has OWN_WORKS works by each of the fold's artists, as
# many as a pair needs. It also has works by training artists, at most so many by each. The first tuple is for towers
# without a trained head, the second for towers with one, a number for each cohort. Settings, chosen in
# docs/experiments.md.
OWN_WORKS = 2
KNOWN_BY_READOUT, KNOWN_BY_TRAINED_HEAD = (MOST_OTHERS,), (2, MOST_OTHERS)


@dataclass(frozen=True)
class TowerRules:
    """The rules of a tower.

    `plain` is the rule for distances after the correction. `correction` is None in rules of artsim 0.1 only, which
    correct no distance. `adapted` is the rule for distances that are adapted to a cohort; None: nothing adapts, the
    cohorts of the folds are too small, or all their pairs are of one kind.
    """

    plain: DecisionRule
    correction: Correction | None
    adapted: DecisionRule | None


@dataclass(frozen=True)
class _MeasuredPairs:
    """Labelled pairs (P,): distances, labels, and both measures of both works, (P, 2)."""

    distance: NDArray[np.float32]
    same: NDArray[np.uint8]
    unfamiliarity: NDArray[np.float64]
    remoteness: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        pairs: Pairs,
        embeddings: NDArray[np.float32],
        measures: tuple[NDArray[np.float64], NDArray[np.float64]],
        distance: DistanceName,
    ) -> _MeasuredPairs:
        """Pairs of embeddings (N, D) with their unfamiliarity (N,) and remoteness (N,)."""
        first, second, same = pairs
        both = np.stack([first, second], axis=1)
        unfamiliarity, remoteness = (measure[both] for measure in measures)
        return cls(pair_distances(embeddings, first, second, distance), same, unfamiliarity, remoteness)

    def corrected(self, correction: Correction) -> NDArray[np.float32]:
        """Distances multiplied by the factors of both works, (P,)."""
        factors = correction.factors(self.unfamiliarity, self.remoteness)
        return np.asarray(self.distance * factors[:, 0] * factors[:, 1], dtype=np.float32)


def fit_rules(
    folds: Iterable[EmbeddedFold], distance: DistanceName, seed: int, adapted_width: int
) -> TowerRules | None:
    """Fit all rules; None if the folds do not give pairs of both kinds.

    For the rule for adapted distances, the pairs of a fold count once for each cohort that they adapt to.

    Args:
        folds: works by artists whom the fold's tower does not know.
        distance: of the embeddings.
        seed: of the balanced pairs drawn in each fold.
        adapted_width: number of leading values that adapt to a cohort; 0: none do.
    """
    measures, works, views, adapted = [], [], [], []
    for fold in folds:
        measures.append((fold.unfamiliarity, fold.remoteness, fold.view_unfamiliarity))
        pairs = balanced_pairs(fold.artists, seed)
        of_works = (fold.unfamiliarity, fold.remoteness)
        works.append(_MeasuredPairs.of(pairs, fold.embeddings, of_works, distance))
        # Pairs of views by one photographer, as in a foreign collection.
        pairs_of_views = balanced_pairs_within(fold.photographers, fold.artists, seed)
        of_views = (fold.view_unfamiliarity, fold.view_remoteness)
        views.append(_MeasuredPairs.of(pairs_of_views, fold.views, of_views, distance))
        cohorts = _cohorts(fold, works[-1].distance, distance, seed, adapted_width)
        adapted += [(_adapted_distances(fold, pairs, cohort), pairs[2]) for cohort in cohorts]
    unshifted, shifted = _joined(works), _joined(views)
    if not _has_both(unshifted.same):
        return None
    correction = _fit_correction(unshifted, shifted, measures)
    plain = calibrate(unshifted.corrected(correction), unshifted.same)
    distances, same = ([pair[side] for pair in adapted] for side in (0, 1))
    has_adapted = bool(adapted) and _has_both(np.concatenate(same))
    rule = calibrate(np.concatenate(distances), np.concatenate(same)) if has_adapted else None
    return TowerRules(plain, correction, rule)


def _cohorts(
    fold: EmbeddedFold, distances: NDArray[np.float32], distance: DistanceName, seed: int, adapted_width: int
) -> Iterator[Cohort]:
    """The cohorts of at least MIN_COHORT works to which the distances of a fold's pairs adapt, if they adapt.

    The copy distance is a share of the threshold. The threshold is not fitted yet, so the median of the pairs'
    distances (P,) replaces it.
    """
    if adapted_width == 0:
        return
    copies = COPY_SHARE * float(np.median(distances)) if len(distances) else 0.0
    own = fold.embeddings[some_of_each(fold.artists, OWN_WORKS, seed)]
    has_trained_head = adapted_width < fold.embeddings.shape[1]
    for number in KNOWN_BY_TRAINED_HEAD if has_trained_head else KNOWN_BY_READOUT:
        known = fold.others[some_of_each(fold.other_artists, number, seed)]
        works = np.concatenate([own, known])
        if len(works) >= MIN_COHORT:
            names = tuple(f"{row:08d}" for row in range(len(works)))
            yield Cohort(names, works, 0, len(names), distance, copies, adapted_width, model_sha256="")


def _adapted_distances(fold: EmbeddedFold, pairs: Pairs, cohort: Cohort) -> NDArray[np.float32]:
    """Distances (P,) of the fold's pairs, adapted to a cohort."""
    vectors, factor = cohort.adapt(fold.embeddings)
    return pair_distances(vectors, *pairs[:2], cohort.distance, factor)


def _fit_correction(
    unshifted: _MeasuredPairs, shifted: _MeasuredPairs, measures: Iterable[tuple[NDArray[np.float64], ...]]
) -> Correction:
    """The correction with the least sum of the Cllr of pairs of works and of the Cllr of pairs of views.

    One calibration serves both. `measures` has the unfamiliarity and the remoteness of each fold's works (N,), and the
    unfamiliarity of its views (N,).
    """
    unfamiliarity, remoteness, of_views = (np.concatenate(column) for column in zip(*measures, strict=True))
    familiar = max(float(np.quantile(unfamiliarity, FAMILIAR_SHARE)), SMALLEST_LIMIT)
    foreign = max(float(np.quantile(of_views, FOREIGN_SHARE)), LEAST_FOREIGN * familiar)
    onsets = np.quantile(remoteness, ONSET_SHARES).tolist()
    none = Correction(familiar, foreign, onsets[0], slope=0.0)
    if not _has_both(shifted.same):
        return none

    def cost(slope: float, start: Correction) -> float:
        distances = [pairs.corrected(replace(start, slope=slope)) for pairs in (unshifted, shifted)]
        rule = calibrate(np.concatenate(distances), np.concatenate([unshifted.same, shifted.same]))
        return sum(
            cllr([(log_likelihood_ratio(each, rule.calibration), pairs.same)])["cllr"]
            for each, pairs in zip(distances, (unshifted, shifted), strict=True)
        )

    best = (cost(0.0, none), none)
    for onset in onsets:
        start = replace(none, onset=onset)
        found = minimize_scalar(
            cost, bounds=(0.0, MOST_SLOPE), args=(start,), method="bounded", options={"xatol": 1e-2}
        )
        if found.fun < best[0]:
            best = (float(found.fun), replace(start, slope=float(found.x)))
    return best[1]


def _joined(pairs: list[_MeasuredPairs]) -> _MeasuredPairs:
    nothing = _MeasuredPairs(np.empty(0, np.float32), np.empty(0, np.uint8), np.empty((0, 2)), np.empty((0, 2)))
    columns = zip(*(astuple(each) for each in [nothing, *pairs]), strict=True)
    return _MeasuredPairs(*(np.concatenate(column) for column in columns))


def _has_both(same: NDArray[np.uint8]) -> bool:
    return len(np.unique(same)) == 2
