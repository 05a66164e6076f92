"""The cohort that a command line names: none, the run's own works, or those of a folder, csv or embedding store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from artsim.collection.columns import Columns
from artsim.errors import InputError
from artsim.files import is_stream
from artsim.messages import Progress, Say
from artsim.scoring.cohort import TowerOfCohort, build_cohort
from artsim.scoring.cohort_use import NONE, SELF, CohortUse, named_cohort, no_cohort
from artsim.scoring.scorer import Scorer
from artsim.tables.bounds import reading


def tower_of(scorer: Scorer) -> TowerOfCohort:
    """What a cohort needs of a scorer."""
    return TowerOfCohort(scorer.card, str(scorer.tower.path), scorer.model_sha256)


def read_cohort(
    source: str | None,
    tower: TowerOfCohort,
    open_scorer: Callable[[], Scorer],
    say: Say,
    progress: Progress,
    columns: Columns | None = None,
) -> CohortUse | None:
    """Read the cohort that the user names; None: it is the works of the run itself, which are not embedded yet.

    Args:
        source: `none`, `self`, a folder, a csv or an embedding store; None: `self` if the tower can adapt, else `none`.
        tower: of the run.
        open_scorer: opens the tower; it is not called for `none` and `self`.
        say: receives notes about what is passed over in a folder or table.
        progress: receives the stage `cohort`.
        columns: the columns of a table, as the user names them.

    Raises:
        ModelError: the tower cannot adapt.
        InputError: the source is missing or a pipe, has fewer than two works, or is a store of another model.
    """
    if source == NONE or (source is None and tower.card.cohort is None):
        return no_cohort(tower.card)
    tower.rule()  # raises before work is done
    if source is None or source == SELF:
        return None
    with reading(source):
        is_pipe = is_stream(source)
    if is_pipe:
        raise InputError(f"{source}: the cohort is a pipe or a device. Name a folder, a table or an embedding store.")
    # They import pandas, which scoring pairs does not need.
    from artsim.collection.work_tables import has_columns
    from artsim.collection.works import Reading
    from artsim.jobs.steps.gallery import read_gallery

    scorer = open_scorer()
    # The columns that the user names may be those of the gallery's table only.
    named = columns if columns is not None and has_columns(Path(source), columns) else Columns()
    how = Reading(say, named, needs_artists=False)  # a cohort has no labels
    works = read_gallery(Path(source), None, scorer, how, lambda done, total: progress("cohort", done, total))
    cohort = build_cohort(tower, works.sha256s, lambda rows: works.vectors[rows])
    return named_cohort(cohort, source, len(works.bad), works.names_note)
