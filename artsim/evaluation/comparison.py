"""Which list of scores is better: metrics, their paired differences with intervals, and the pairs that flipped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artsim.collection.selection import VAL_SEEN, VAL_UNSEEN
from artsim.evaluation.intervals import Difference, WeightedMetric, metric_differences, weighted_auc
from artsim.evaluation.labelled_pairs import Resampled
from artsim.evaluation.likelihood_ratio import cllr, log_likelihood_ratio
from artsim.evaluation.matching import Matched
from artsim.evaluation.metrics import pair_metrics
from artsim.evaluation.reliability import reliability
from artsim.evaluation.report.numbers import LEAST_PAIRS, WIDEST
from artsim.evaluation.report.training import SETS
from artsim.evaluation.validation import VAL_SHIFTED
from artsim.scoring.scores import Criterion
from artsim.tables.labels import UNLABELLED

# The compared metrics by name: in words, and whether a larger value is better. The difference of the last one has no
# interval: few different pairs make a calibration error larger, and a resample has fewer than the list itself.
COMPARED = {
    "auc": ("AUC", True),
    "balanced_accuracy": ("Balanced accuracy", True),
    "cllr": ("Cllr", False),
    "brier_skill": ("Brier skill", True),
    "calibration_error": ("Calibration error", False),
}
RESAMPLES = 1000
MOST_OF_A_KIND = 100_000  # pairs of the intervals; more change them less than the paintings do
LEAST_ARTISTS = 5  # resampled artists, below which an interval says nothing; a setting
ALL_PAIRS = "All labelled pairs"


@dataclass(frozen=True)
class Agreement:
    """How alike two lists are: the rank correlation of their distances, and the pairs with different predictions."""

    rank_correlation: float
    flipped: int


@dataclass(frozen=True)
class Flips:
    """Rows of pairs by who is right: only the first list, or only the other one; and numbers of the rest."""

    only_first: NDArray[np.int64]
    only_other: NDArray[np.int64]
    both: int
    neither: int


@dataclass(frozen=True)
class SetComparison:
    """One set of labelled pairs, and L lists of scores of it.

    Attributes:
        label: of the set.
        rows: (P,) of its pairs.
        same: number of same-artist pairs.
        works: number of images.
        artists: number of artists that are resampled; None: only paintings are.
        metrics: (L,) all metrics of each list; empty if all pairs are of one kind.
        differences: (L - 1,) of each later list to the first, by the names of COMPARED.
        flips: (L - 1,).
        agreement: (L - 1,).
    """

    label: str
    rows: NDArray[np.int64]
    same: int
    works: int
    artists: int | None
    metrics: Sequence[Mapping[str, float]]
    differences: Sequence[Mapping[str, Difference]]
    flips: Sequence[Flips]
    agreement: Sequence[Agreement]

    @property
    def drawn(self) -> Resampled:
        """What the intervals resample."""
        return "paintings" if self.artists is None else "artists, then paintings"

    def is_useful(self, other: int) -> bool:
        """Whether the set is large enough to say which of the first and another list is better."""
        kinds = min(self.same, len(self.rows) - self.same)
        enough = kinds >= LEAST_PAIRS and (self.artists is None or self.artists >= LEAST_ARTISTS)
        auc = self.differences[other].get("auc") if self.differences else None
        return enough and auc is not None and math.isfinite(auc.low) and auc.high - auc.low <= WIDEST


def compare_sets(matched: Matched) -> list[SetComparison]:
    """Compare each set of labelled pairs, those that say most first."""
    labelled = matched.same != UNLABELLED
    if matched.splits is None:
        rows = np.flatnonzero(labelled)
        return [_compare(matched, ALL_PAIRS, rows, _artists(matched, rows))] if len(rows) else []
    sets = {split: np.flatnonzero(labelled & (matched.splits == split)) for split in SETS}
    found = []
    for split, rows in sets.items():
        # Seen artists are given; shifted views are of unseen artists, where there are such.
        of_new_artists = split == VAL_UNSEEN or (split == VAL_SHIFTED and bool(len(sets[VAL_UNSEEN])))
        if len(rows):
            artists = _artists(matched, rows) if of_new_artists and split != VAL_SEEN else None
            found.append(_compare(matched, SETS[split], rows, artists))
    return found


def agreement(matched: Matched) -> list[Agreement]:
    """How alike each later list is to the first, of all pairs."""
    return [_agreement(matched, np.arange(len(matched)), other) for other in range(1, len(matched.distance))]


def _agreement(matched: Matched, rows: NDArray[np.int64], other: int) -> Agreement:
    from scipy.stats import spearmanr  # takes a while to import

    one, two = matched.distance[0, rows], matched.distance[other, rows]
    varies = len(rows) > 2 and np.ptp(one) > 0 and np.ptp(two) > 0
    correlation = float(spearmanr(one, two).statistic) if varies else math.nan
    return Agreement(correlation, int((matched.prediction[0, rows] != matched.prediction[other, rows]).sum()))


def _artists(matched: Matched, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The number of each image's artist (M,); None: not all are known."""
    used = matched.artist_numbers[np.unique([matched.first[rows], matched.second[rows]])]
    return matched.artist_numbers if (used >= 0).all() else None


def _compare(matched: Matched, label: str, rows: NDArray[np.int64], artists: NDArray[np.int64] | None) -> SetComparison:
    same, lists = matched.same[rows], range(len(matched.distance))
    works = np.unique([matched.first[rows], matched.second[rows]])
    has_both = len(np.unique(same)) == 2
    return SetComparison(
        label=label,
        rows=rows,
        same=int((same == 1).sum()),
        works=len(works),
        artists=None if artists is None else len(np.unique(artists[works])),
        metrics=[_metrics(matched.distance[each, rows], same, matched.criteria[each]) for each in lists]
        if has_both
        else [],
        differences=_differences(matched, rows, artists) if has_both else [],
        flips=[_flips(matched, rows, other) for other in lists[1:]],
        agreement=[_agreement(matched, rows, other) for other in lists[1:]],
    )


def _metrics(distance: NDArray[np.float32], same: NDArray[np.uint8], criterion: Criterion) -> dict[str, float]:
    """All metrics of one list, as the summary of a scoring has them."""
    return {
        **pair_metrics(distance, same, criterion.threshold),
        **cllr([(log_likelihood_ratio(distance, criterion.calibration), same)]),
        **reliability(criterion.probability(distance), same, criterion.prior),
    }


def _differences(
    matched: Matched, rows: NDArray[np.int64], artists: NDArray[np.int64] | None
) -> list[dict[str, Difference]]:
    rows = _at_most_of_each(rows, matched.same[rows])
    lists = [
        (distance, metrics_by_value(distance, criterion))
        for distance, criterion in zip(matched.distance[:, rows], matched.criteria, strict=True)
    ]
    return metric_differences(lists, matched.same[rows], matched.first[rows], matched.second[rows], artists, RESAMPLES)


def _at_most_of_each(rows: NDArray[np.int64], same: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Rows of both kinds, at most MOST_OF_A_KIND of each, drawn at random."""
    rng = np.random.default_rng(0)
    kinds = [rows[same == kind] for kind in (1, 0)]
    chosen = [own if len(own) <= MOST_OF_A_KIND else rng.choice(own, MOST_OF_A_KIND, replace=False) for own in kinds]
    return np.sort(np.concatenate(chosen))


def metrics_by_value(distance: NDArray[np.float32], criterion: Criterion) -> dict[str, WeightedMetric]:
    """The metrics of COMPARED that have intervals, from the weights (V,) of both kinds of pair at each distance.

    With the weight 1 for every pair they are the metrics of `_metrics`.
    """
    value = np.unique(distance)
    accepted = value < criterion.threshold
    log_ratio = log_likelihood_ratio(value, criterion.calibration)
    cost = np.logaddexp(0.0, -log_ratio) / math.log(2), np.logaddexp(0.0, log_ratio) / math.log(2)
    probability, prior = criterion.probability(value).astype(np.float64), criterion.prior
    # The Brier skill as a mean over both kinds, of which each weighs one half.
    skill = 1 - 2 * (1 - probability) ** 2 / (1 - prior), 1 - 2 * probability**2 / prior

    def mean_of_kinds(of_same: NDArray[Any], of_different: NDArray[Any]) -> WeightedMetric:
        def metric(same: NDArray[np.float64], different: NDArray[np.float64]) -> float | None:
            totals = same.sum(), different.sum()
            if not all(totals):
                return None
            return float((same @ of_same / totals[0] + different @ of_different / totals[1]) / 2)

        return metric

    return {
        "auc": weighted_auc,
        "balanced_accuracy": mean_of_kinds(accepted, ~accepted),
        "cllr": mean_of_kinds(*cost),
        "brier_skill": mean_of_kinds(*skill),
    }


def _flips(matched: Matched, rows: NDArray[np.int64], other: int) -> Flips:
    """The flipped pairs, those first whose probability changed most."""
    right = matched.prediction[:, rows] == matched.same[rows]
    first, second = right[0], right[other]
    change = np.abs(matched.probability[0, rows] - matched.probability[other, rows])
    order = np.argsort(-change, kind="stable")

    def sorted_rows(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        return rows[order[chosen[order]]]

    return Flips(
        sorted_rows(first & ~second),
        sorted_rows(second & ~first),
        int((first & second).sum()),
        int((~(first | second)).sum()),
    )
