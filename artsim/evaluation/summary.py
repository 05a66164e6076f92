"""The summary of a scoring run: aligned text on stderr, JSON in a file."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from artsim._version import __version__
from artsim.evaluation.labelled_pairs import LabelledPairs, Resampled, labelled_metrics
from artsim.evaluation.report.numbers import Estimate, says_something, too_few_text
from artsim.evaluation.unfamiliar import unfamiliar_note
from artsim.messages import counted, line_each
from artsim.scoring.cohort_use import CohortUse
from artsim.scoring.contract import Card
from artsim.scoring.score_blocks import ScoredBlock
from artsim.scoring.scores import Criterion
from artsim.tables.labels import UNLABELLED
from artsim.tables.output import open_output

# The metrics with their full names, the most important ones first.
METRICS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "eer": "equal error rate",
    "tar_at_far_1pct": "TAR at FAR 1 %",
    "tar_at_far_10pct": "TAR at FAR 10 %",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "cllr": "Cllr",
    "cllr_min": "least Cllr",
    "calibration_error": "calibration error",
    "calibration_error_by_chance": "calibration error by chance",
    "brier_skill": "Brier skill",
}


@dataclass(frozen=True)
class ImageStage:
    """The first stage of a run: images read and embedded in `seconds`, the reasons of bad ones, by which provider.

    `unfamiliar` is the number of unfamiliar photographs; None: the tower cannot tell them. `names_note` says which
    names were found under another spelling.
    """

    provider: str
    provider_note: str | None
    images: int
    bad_images: Sequence[str]
    seconds: float
    unfamiliar: int | None = None
    names_note: str = ""


@dataclass
class PairStage:
    """The second stage of a run: pairs scored and written in `seconds`, and those with a label and a score."""

    labelled: LabelledPairs
    pairs: int = 0
    resumed: int = 0
    unscored: int = 0
    seconds: float = 0.0
    written: int | None = None  # the best rows, where not all are written or their order is another one

    def add(self, scored: ScoredBlock) -> None:
        """Count a block."""
        good = scored.good
        self.pairs += len(good)
        self.unscored += int(np.count_nonzero(~good))
        if scored.block.same is not None:
            known = good & (scored.block.same != UNLABELLED)
            same = scored.block.same[known]
            self.labelled.add(scored.scores.distance[known], same, scored.first[known], scored.second[known])


@dataclass(frozen=True)
class Summary:
    """One scoring run.

    Attributes:
        images_per_second: of reading and embedding.
        pairs: the rows of the output, `pairs_resumed` of which an interrupted run had written.
        pairs_per_second: of scoring and writing.
        unscored_pairs: pairs with a bad image.
        cohort: its source, works, digest and so on; None if distances are not adapted.
        cohort_note: a line about it.
        names_note: a line about names that were found under another spelling; None if there are none.
        bad_images: a sentence for each, which begins with the image's name.
        unfamiliar_images: the number of unfamiliar photographs; None if the tower cannot tell them.
        unfamiliar_note: a line about them; None if they are no more than chance gives.
        rows_written: the best rows that were written, where the rows are sorted; None: all, in their order.
        labelled_pairs: pairs with a label and a score, `same_artist_pairs` of which are by one artist.
        metrics: of the labelled pairs, at `threshold`; empty if all have the same label. Calibration error and Brier
            skill weight the pairs to `prior`.
        interval_resamples: what the bootstrap of `auc_interval` draws.
        wall_seconds: of the whole run, with opening the model and computing metrics.
    """

    artsim_version: str
    model: str
    recipe: str
    run_id: str | None
    provider: str
    provider_note: str | None
    images: int
    images_per_second: float
    pairs: int
    pairs_resumed: int
    pairs_per_second: float
    unscored_pairs: int
    names_note: str | None
    bad_images: Sequence[str]
    unfamiliar_images: int | None
    unfamiliar_note: str | None
    cohort: Mapping[str, object] | None
    cohort_note: str
    threshold: float
    prior: float
    rows_written: int | None
    labelled_pairs: int
    same_artist_pairs: int
    metrics: Mapping[str, float]
    auc_interval: tuple[float, float] | None
    interval_resamples: Resampled | None
    wall_seconds: float

    def to_json(self) -> str:
        """All fields as one indented JSON object."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    def lines(self) -> list[tuple[str, str]]:
        """Names and values for the terminal, a line each."""
        return [
            ("provider", self.provider + (f" ({self.provider_note})" if self.provider_note else "")),
            ("images", f"{self.images:,} ({self.images_per_second:,.1f} images/s)"),
            ("pairs", f"{self.pairs:,} ({self.pairs_per_second:,.0f} pairs/s)"),
            *([("names", self.names_note)] if self.names_note else []),
            *([("rows", f"the best {self.rows_written:,} of {self.pairs:,}")] if self.rows_written is not None else []),
            *([("resumed at", f"row {self.pairs_resumed:,}")] if self.pairs_resumed else []),
            ("cohort", self.cohort_note),
            *([("unfamiliar", self.unfamiliar_note)] if self.unfamiliar_note else []),
            ("wall time", f"{self.wall_seconds:,.1f} s"),
            *self._bad_lines(),
            *self._metric_lines(),
        ]

    def _bad_lines(self) -> list[tuple[str, str]]:
        if not self.bad_images:
            return [("bad images", "none")]
        bad = f"{len(self.bad_images):,} of {self.images:,}; {counted(self.unscored_pairs, 'pair')} without scores"
        return [("bad images", bad), *(("", line) for line in line_each(self.bad_images))]

    def _metric_lines(self) -> list[tuple[str, str]]:
        if not self.labelled_pairs:
            return []
        scored = self.pairs - self.unscored_pairs
        is_partial = self.labelled_pairs < scored
        count = f"{self.labelled_pairs:,}" + (f" of {scored:,} scored pairs" if is_partial else "")
        if not self.metrics:
            pairs = f"{count} with a label" if is_partial else f"all {count} scored pairs"
            return [("metrics", f"none: {pairs} have the same label")]
        return [
            ("labelled pairs", f"{count}, threshold {self.threshold:.4g}, prior {self.prior:g}"),
            *self._judged(),
        ]

    def _judged(self) -> list[tuple[str, str]]:
        """The metrics with the digits that the interval of the AUC allows, as all are of the same pairs."""
        auc = Estimate(self.metrics["auc"], *(self.auc_interval or (None, None)))
        different = self.labelled_pairs - self.same_artist_pairs
        if not says_something(self.same_artist_pairs, different, auc):
            return [("metrics", too_few_text(self.same_artist_pairs, different, auc))]
        lines = [(label, f"{self.metrics[name]:.{auc.digits}f}") for name, label in METRICS.items()]
        interval = f"95 % interval {auc.interval}, resampling {self.interval_resamples}"
        return [(lines[0][0], f"{lines[0][1]} ({interval})"), *lines[1:]]


def summarize(
    model: str,
    card: Card,
    criterion: Criterion,
    use: CohortUse,
    images: ImageStage,
    pairs: PairStage,
    started: float,
) -> Summary:
    """Compute the metrics and put a run's results together; `started` is its `perf_counter`."""
    measured = labelled_metrics(pairs.labelled, criterion)
    return Summary(
        artsim_version=__version__,
        model=model,
        recipe=card.recipe,
        run_id=card.run_id,
        provider=images.provider,
        provider_note=images.provider_note,
        images=images.images,
        images_per_second=images.images / images.seconds,
        pairs=pairs.pairs,
        pairs_resumed=pairs.resumed,
        pairs_per_second=pairs.pairs / pairs.seconds,
        unscored_pairs=pairs.unscored,
        names_note=images.names_note or None,
        bad_images=images.bad_images,
        unfamiliar_images=images.unfamiliar,
        unfamiliar_note=unfamiliar_note(card, use, images.unfamiliar, images.images - len(images.bad_images)),
        cohort=use.record(),
        cohort_note=use.note,
        threshold=criterion.threshold,
        prior=criterion.prior,
        rows_written=pairs.written,
        labelled_pairs=len(pairs.labelled.same),
        same_artist_pairs=int(np.count_nonzero(pairs.labelled.same)),
        **measured._asdict(),
        wall_seconds=time.perf_counter() - started,
    )


def write_summary(summary: Summary, output: str | None) -> None:
    """Write a summary as JSON, if there is an output for it.

    Raises:
        OutputError: it can't be written.
    """
    if output is not None:
        with open_output(output) as file:
            file.write(summary.to_json().encode(errors="backslashreplace"))
