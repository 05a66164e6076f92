"""The training runs of an experiment as a table: those with the same validation set together, the best one marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from artsim.collection.selection import VAL_SEEN, VAL_UNSEEN
from artsim.errors import InputError
from artsim.evaluation.comparison import compare_sets
from artsim.evaluation.matching import ScoreList, match
from artsim.evaluation.report.numbers import Estimate
from artsim.evaluation.report.training import SETS
from artsim.jobs.steps.score_lists import list_of_file
from artsim.messages import Progress, counted, shortened
from artsim.tracking.run_list import TrackedRun, training_runs

BEST, EQUAL = "*", "="
DIGEST = 8  # letters of a digest that are shown
MOST_DATA = 40  # letters


@dataclass(frozen=True)
class RunRow:
    """A run of the table; `mark` is BEST, EQUAL where the difference to the best is within the interval, or empty."""

    id: str
    name: str
    status: str
    recipe: str
    data: str
    unseen: Estimate | None  # AUCs
    seen: Estimate | None
    minutes: float | None
    model: str | None
    mark: str = ""

    @property
    def is_finished(self) -> bool:
        """Whether the run has reached its end."""
        return self.status == "FINISHED"


@dataclass(frozen=True)
class RunGroup:
    """Runs with the same validation sets, the best first; `digest` of unseen and seen works, "" if none are logged."""

    digest: str
    rows: Sequence[RunRow]


@dataclass(frozen=True)
class RunTable:
    """All training runs of an experiment, and lines that explain the marks."""

    experiment: str
    groups: Sequence[RunGroup]
    legend: Sequence[str]

    @property
    def count(self) -> int:
        """The number of runs."""
        return sum(len(group.rows) for group in self.groups)


def list_runs(experiment: str | None, progress: Progress) -> RunTable:
    """The training runs of an experiment.

    Raises:
        InputError: there is no such experiment.
        TrackingError: the store cannot be used.
    """
    name, runs = training_runs(experiment)
    groups: dict[str, list[TrackedRun]] = {}
    for run in runs:
        digests = [run.digests[split][:DIGEST] for split in (VAL_UNSEEN, VAL_SEEN) if split in run.digests]
        groups.setdefault(" and ".join(digests), []).append(run)
    found: list[RunGroup] = []
    for digest, own in groups.items():
        progress("comparing runs", sum(len(group.rows) for group in found), len(runs))
        found.append(_group(digest, own))
    progress("comparing runs", len(runs), len(runs))
    return RunTable(name, found, _legend(found))


def _group(digest: str, runs: Sequence[TrackedRun]) -> RunGroup:
    """The runs of one validation set, by their AUC of unseen artists, or of seen ones where there are none."""
    split = VAL_UNSEEN if any(f"{VAL_UNSEEN}/auc" in run.metrics for run in runs) else VAL_SEEN
    finished = [run for run in runs if run.status == "FINISHED" and f"{split}/auc" in run.metrics]
    ranked = sorted(finished, key=lambda run: -run.metrics[f"{split}/auc"])
    rows = []
    with TemporaryDirectory(prefix="artsim-") as scratch:
        best = _scores(ranked[0], Path(scratch)) if len(ranked) > 1 else None
        for place, run in enumerate(ranked):
            mark = BEST if place == 0 else EQUAL if _is_equal(best, run, split, Path(scratch)) else ""
            rows.append(replace(_row(run), mark=mark))
    others = [_row(run) for run in runs if run not in ranked]
    return RunGroup(digest, [*rows, *others])


def _is_equal(best: ScoreList | None, run: TrackedRun, split: str, scratch: Path) -> bool:
    """Whether no difference to the best run is shown; False if a run has logged no scores."""
    own = None if best is None else _scores(run, scratch)
    if best is None or own is None:
        return False
    for found in compare_sets(match([best, own])):
        if found.label == SETS[split] and found.differences:
            return not (found.is_useful(0) and found.differences[0]["auc"].high < 0)
    return False


def _scores(run: TrackedRun, scratch: Path) -> ScoreList | None:
    """The scores that a run has logged; None: there are none."""
    from artsim.evaluation.validation_scores import SCORES_FILE
    from artsim.tracking.registry import download_files

    folder = scratch / run.id
    folder.mkdir(exist_ok=True)
    found = download_files(run.id, [SCORES_FILE], folder)
    if found is None:
        return None
    try:
        return list_of_file(str(found[0]), folder, run.name, None)
    except InputError:
        return None


def _row(run: TrackedRun) -> RunRow:
    params = run.params
    source = Path(params.get("data_file_path", "")).name
    sizes = [params.get(name, "") for name in ("num_of_artists", "num_of_images_per_artist")]
    size = "x".join(sizes) if all(each.isdigit() for each in sizes) else "whole"
    return RunRow(
        run.id,
        run.name,
        run.status,
        params.get("recipe", ""),
        f"{shortened(source, MOST_DATA)} {size}".strip(),
        Estimate.of(run.metrics, f"{VAL_UNSEEN}/auc"),
        Estimate.of(run.metrics, f"{VAL_SEEN}/auc"),
        run.minutes,
        run.model,
    )


def _legend(groups: Sequence[RunGroup]) -> list[str]:
    if not groups:
        return ["Train one: artsim train"]
    marks = {row.mark for group in groups for row in group.rows}
    found = []
    if BEST in marks:
        found.append(f"{BEST} the best of the runs with the same validation set, by the AUC of unseen artists.")
    if any(row.model for group in groups for row in group.rows):
        found.append("The tower of a run: --model runs:/ID, with the ID below its name.")
    if EQUAL in marks:
        found.append(
            f"{EQUAL} no difference to the best is shown: its interval holds 0, or the pairs are too few to judge."
        )
    if len(groups) > 1:
        found.append(
            f"The runs have {counted(len(groups), 'validation set')}. AUCs of different sets cannot be compared. "
            "Compare such runs by artsim compare RUN RUN --pairs FILE."
        )
    return found
