"""The metrics that a report begins with: the AUC with its interval, then the others in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from artsim.evaluation.labelled_pairs import LabelledPairs, labelled_metrics
from artsim.evaluation.report.numbers import Estimate, says_something
from artsim.scoring.scores import Criterion
from artsim.tables.scores_file import ScoredPairs

# By name: the metric in words, and how to read it.
FURTHER = {
    "balanced_accuracy": ("Balanced accuracy", "share of right predictions, both kinds of pair weighing the same"),
    "eer": ("Equal error rate", "error rate at the threshold where both kinds of error are equally frequent"),
    "tar_at_far_10pct": ("TAR at FAR 10 %", "same-artist pairs found while a tenth of the others is accepted"),
    "tar_at_far_1pct": ("TAR at FAR 1 %", "same-artist pairs found while a hundredth of the others is accepted"),
    "average_precision": ("Average precision", "depends on how many of the pairs are by the same artist"),
    "precision_at_1": ("Precision at 1", "works whose nearest work is by the same artist"),
    "map_at_r": ("MAP@R", "precision over the nearest works, as many as the artist has"),
    "same_style_auc": ("AUC within a style", "against works by others in the same style"),
    "calibration_error": ("Calibration error", "mean gap between probability and frequency"),
    "calibration_error_by_chance": ("… by chance alone", "the gap of probabilities that are right"),
    "cllr": ("Cllr", "cost of the probabilities in bits: 0 is perfect, 1 says nothing"),
    "cllr_min": ("Least Cllr", "what the best calibration of these distances would reach"),
    "brier_skill": ("Brier skill", "1 is perfect, 0 is no better than the prior"),
    "predicted_same": ("Predicted as same", "share of all pairs"),
}


@dataclass(frozen=True)
class Metric:
    """One further metric: its name, its value as text, how to read it."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True)
class Headline:
    """The AUC of some pairs, and their further metrics.

    `auc` is None if the pairs are of one kind. `drawn` says what the interval resamples; "" if it is not known.
    """

    label: str
    auc: Estimate | None
    pairs: int
    same: int
    drawn: str
    metrics: Sequence[Metric]

    @property
    def is_useful(self) -> bool:
        """Whether there are enough pairs, and a narrow enough interval, to say something."""
        return says_something(self.same, self.pairs - self.same, self.auc)

    @property
    def in_hundred(self) -> str:
        """The AUC as a number of cases in a hundred; rounded to tens where the interval allows no more."""
        value = 0.0 if self.auc is None else 100 * self.auc.value
        return f"{value:.0f}" if self.auc and self.auc.digits > 1 else f"{round(value, -1):.0f}"


def headline_of(label: str, pairs: ScoredPairs, criterion: Criterion) -> Headline:
    """The headline of all labelled pairs; the same metrics as in a run's summary."""
    known = pairs.labelled
    same = pairs.same[known]
    labelled = LabelledPairs(len(same))
    labelled.add(pairs.distance[known], same, pairs.first[known], pairs.second[known])
    found = labelled_metrics(labelled, criterion)
    low, high = found.auc_interval or (None, None)
    auc = Estimate(found.metrics["auc"], low, high) if found.metrics else None
    drawn = found.interval_resamples or ""
    return Headline(label, auc, len(same), int(same.sum()), drawn, further(found.metrics, auc))


def headline_of_metrics(label: str, metrics: Mapping[str, float], split: str, same: int, pairs: int) -> Headline:
    """The headline of a run's metrics `split/…`, of so many pairs."""
    own = {key.removeprefix(f"{split}/"): value for key, value in metrics.items() if key.startswith(f"{split}/")}
    auc = Estimate.of(own, "auc")
    return Headline(label, auc, pairs, same, "", further(own, auc))


def further(metrics: Mapping[str, float], auc: Estimate | None) -> list[Metric]:
    """The metrics in words. Those without an interval get the digits of the AUC, as the pairs are the same."""
    digits = 2 if auc is None else auc.digits
    found = []
    for name, (words, meaning) in FURTHER.items():
        estimate = Estimate.of(metrics, name)
        if estimate is not None:
            value = f"{estimate.value:.{digits}f}"
            if estimate.has_interval:
                value = f"{estimate.text} ({estimate.interval})"
            found.append(Metric(words, value, meaning))
    return found
