"""Score a pairs file and write the report of its scores, without embedding an image twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from artsim.collection.columns import Columns
from artsim.collection.work_tables import has_columns
from artsim.errors import UsageError
from artsim.evaluation.summary import Summary
from artsim.files import is_stream
from artsim.jobs.report import ReportOptions, write_report
from artsim.jobs.score import ScoreOptions, score_pairs
from artsim.jobs.steps.report_sources import RunFacts, Tower
from artsim.messages import Progress, Say, no_progress, say_nothing
from artsim.scoring.embed_images import EmbeddedImages
from artsim.scoring.scorer import Scorer
from artsim.tables.image_index import ImageIndex
from artsim.tables.output import check_place, format_of
from artsim.tables.pairs_file import image_folder
from artsim.tables.scores_file import read_scores


@dataclass
class _Kept:
    """What a scoring run embedded, before a cohort changes it."""

    scorer: Scorer | None = None
    row_of: dict[str, int] | None = None
    embedded: EmbeddedImages | None = None

    def __call__(self, scorer: Scorer, index: ImageIndex, embedded: EmbeddedImages) -> None:
        self.scorer, self.embedded = scorer, embedded
        self.row_of = {name: row for row, name in enumerate(index.images)}

    def tower(self, model: str) -> Tower:
        """The tower of the run, which has embedded all images."""
        assert self.scorer is not None  # noqa: S101 - score_pairs calls this before it returns
        return Tower(model, self.scorer.model_sha256, self.scorer.card, self._embed)

    def _embed(self, paths: dict[str, Path | None]) -> EmbeddedImages:
        assert self.embedded is not None and self.row_of is not None  # noqa: S101, PT018 - as above
        rows = np.array([self.row_of[name] for name in paths], dtype=np.int64)
        chosen = [self.embedded.sha256s[row] for row in rows]
        return replace(
            self.embedded,
            vectors=self.embedded.vectors[rows],
            status=self.embedded.status[rows],
            sha256s=chosen,
            unfamiliar=None,
        )


def score_and_report(
    options: ScoreOptions, progress: Progress = no_progress, say: Say = say_nothing, command: str = ""
) -> Summary:
    """Score as `score_pairs` does, then write `options.report` from the scores.

    Raises:
        UsageError: the scores go to a stream, or have no columns of their own (kaggle).
        ArtsimError: see `score_pairs` and `write_report`.
    """
    report = _checked(options)
    kept = _Kept()
    summary = score_pairs(options, progress, say, keep=kept)
    pairs = read_scores(options.output, image_folder(options.pairs, options.data_dir))
    settings = ReportOptions(
        scores=options.output,
        output=report,
        works=options.works,
        model=options.model,
        max_pixels=options.max_pixels,
        columns=_columns_of_works(options),
        command=command,
    )
    write_report(settings, pairs, RunFacts.of(summary), kept.tower(options.model), progress, say)
    return summary


def _checked(options: ScoreOptions) -> str:
    """The file of the report, once it is known that it can be made and written."""
    if options.report is None:
        raise UsageError("the report has no file. Name it by --report FILE.")
    if options.top is not None:
        raise UsageError("--report is of all pairs, and --top writes some of them. Leave out one of them.")
    if is_stream(options.output):
        raise UsageError("--report is made from the file of the scores. Name that file by --output.")
    if format_of(options.output, options.format)[0] == "kaggle":
        raise UsageError("--report needs the distances, which --format kaggle has not. Leave out one of them.")
    options.check_files()
    check_place(options.report)
    return options.report


def _columns_of_works(options: ScoreOptions) -> Columns | None:
    """The columns that the user names, unless they are those of the cohort's table only."""
    if options.columns is None or options.works is None or options.cohort is None:
        return options.columns
    return options.columns if has_columns(Path(options.works), options.columns) else None
