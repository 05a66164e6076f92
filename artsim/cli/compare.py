"""`artsim compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from artsim.cli.extras import needs_mlflow_extra
from artsim.cli.options import (
    MAX_BATCH_SIZE,
    MAX_PIXELS,
    MAX_THREADS,
    NAME,
    SPELLING,
    WithSwitches,
    columns_option,
    qualified_option,
    quiet_option,
    say_report,
    stderr_lines,
    switch,
    this_command,
    works_option,
)
from artsim.cli.progress import stage_bars
from artsim.cli.sections import further_help
from artsim.errors import UsageError

if TYPE_CHECKING:
    from artsim.messages import Progress, Say

EPILOG = f"""
\b
Examples:
  artsim compare old_scores.csv new_scores.csv
  artsim compare old_scores.csv new_scores.csv --data-dir images --report compare.html
  artsim compare 1a2b3c4d5e6f47089a0b1c2d3e4f5061 runs:/5e6f47089a0b1c2d3e4f50611a2b3c4d
  artsim compare RUN_ID RUN_ID --pairs test_pairs.csv --data-dir test
  artsim compare
  artsim compare --experiment Portraits --json

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("sources", metavar="[SCORES|RUN...]", type=NAME, nargs=-1)
@click.option(
    "--report", type=NAME, metavar="FILE.html",
    help="Also write a page with the metrics, their differences, and pictures of the pairs that flipped.",
)  # fmt: skip
@click.option(
    "--pairs", type=NAME, metavar="FILE",
    help="Pairs to score with the tower of each run, without a cohort. Default: the validation scores that the runs "
    "have logged. Use pairs that no tower has seen.",
)  # fmt: skip
@click.option(
    "--data-dir", metavar="DIR",
    help="Folder of the images. Default: the folder of the scores or pairs; for runs, that of their works.",
)  # fmt: skip
@works_option
@columns_option
@qualified_option
@click.option(
    "--prior", type=float, metavar="SHARE",
    help="Prior that the probabilities of all scores assume. Default: 0.5, the default of artsim-score.",
)  # fmt: skip
@click.option(
    "--experiment", metavar="NAME|ID",
    help="Experiment whose runs are listed. Default: the one that a training would log to.",
)  # fmt: skip
@switch("--json", "as_json", help="Print JSON in place of tables.")
@click.option(
    "--device", type=click.Choice(["auto", "cuda", "cpu"]), default="auto", show_default=True,
    help="Device that runs the towers on --pairs.",
)  # fmt: skip
@click.option("--batch-size", type=click.IntRange(1, MAX_BATCH_SIZE), metavar="N", help="As of artsim score.")
@click.option("--threads", type=click.IntRange(1, MAX_THREADS), metavar="N", help="As of artsim score.")
@click.option(
    "--max-pixels", type=click.IntRange(min=1), default=MAX_PIXELS, show_default=True, metavar="N",
    help="Largest number of pixels of an image. A larger image is neither scored nor shown.",
)  # fmt: skip
@quiet_option
def compare(sources: tuple[str, ...], quiet: bool, as_json: bool, experiment: str | None, **options: Any) -> None:
    """Which is better? Compare files of scores or MLflow runs on the same pairs, or list the runs of an experiment.

    SCORES are files that artsim-score wrote: .csv, .jsonl or .parquet. RUN is the ID of an MLflow run, or runs:/ID.
    Pairs are matched by the names of both images, in either order. Each list is compared with the first one. The
    differences of AUC, balanced accuracy, Cllr and calibration error get 95 % intervals from 1,000 resamples of artists
    and their paintings, or of paintings where artists are not known. All lists see the same resamples.

    Without SCORES and RUN, the training runs of the experiment are listed.
    """
    say = stderr_lines(quiet=quiet)
    with stage_bars(quiet=quiet) as progress:
        if sources:
            if experiment is not None:
                raise UsageError("--experiment lists runs. Leave it out, or leave out what is to be compared.")
            _compare(sources, options, progress, say, as_json=as_json)
        else:
            _list_runs(options, experiment, progress, as_json=as_json)
    say_report(options["report"], quiet=quiet)


def _compare(sources: tuple[str, ...], options: dict[str, Any], progress: Progress, say: Say, *, as_json: bool) -> None:
    from artsim.jobs.steps.score_lists import is_run

    if any(is_run(each) for each in sources):
        needs_mlflow_extra()
    elif options["pairs"] is not None:
        raise UsageError("--pairs are scored with the towers of runs, and no run is named. Leave it out.")
    from artsim.cli.compare_tables import comparison_json, print_comparison
    from artsim.jobs.compare import CompareOptions
    from artsim.jobs.compare import compare as run_comparison

    result = run_comparison(CompareOptions(sources, **options, command=this_command()), progress, say)
    if as_json:
        click.echo(comparison_json(result))
    else:
        print_comparison(result)


def _list_runs(options: dict[str, Any], experiment: str | None, progress: Progress, *, as_json: bool) -> None:
    context = click.get_current_context()
    for name in options:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag}: there is nothing to compare. Name two files of scores or runs, or leave it out.")
    needs_mlflow_extra()
    from artsim.cli.compare_tables import print_runs, runs_json
    from artsim.jobs.run_table import list_runs

    table = list_runs(experiment, progress)
    if as_json:
        click.echo(runs_json(table))
    else:
        print_runs(table)
