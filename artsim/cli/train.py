"""`artsim train`."""

from __future__ import annotations

from typing import Any

import click

from artsim.cli.extras import needs_train_extra
from artsim.cli.options import NAME, SPELLING, WithSwitches, quiet_option, stderr_lines
from artsim.cli.progress import stage_bars
from artsim.cli.recorded_flags import flags_of, recorded_flags
from artsim.cli.sections import further_help
from artsim.cli.train_options import chosen_recipe, only_collection, train_options, training_options
from artsim.errors import UsageError
from artsim.escaping import printable_lines
from artsim.training.recipes import recipe_of

EPILOG = f"""
\b
Examples:
  artsim train
  artsim train --num-of-artists 100
  artsim train paintings
  artsim train train_info.csv --data-dir train --num-of-images-per-artist 300
  artsim train --recipe classic --device-id /gpu:0
  artsim train --resume RUN_ID

A flag without a default takes its value from the recipe. Under MLflow: mlflow run . -P num_of_artists=100

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("collection", type=NAME, required=False)
@training_options
@click.option(
    "--resume", metavar="RUN_ID",
    help="Go on with a run that was interrupted, with its flags and its selection. Under mlflow run, use its --run-id "
    "instead.",
)  # fmt: skip
@quiet_option
def train(collection: str | None, resume: str | None, quiet: bool, **_: Any) -> None:
    """Train a tower, export it and evaluate it, all in one MLflow run.

    COLLECTION is the same as --data-file-path COLLECTION. The default trains on the embedded collection, in minutes on
    two cores. The run holds the value of every flag, the metrics of each epoch, the selection, the checkpoints and
    the model with its tower.
    """
    context = click.get_current_context()
    flags = flags_of(context)
    if collection is not None:
        if resume is not None:
            raise UsageError(f"{collection!r}: a resumed run keeps its collection. Leave COLLECTION or --resume out.")
        flags["data_file_path"] = only_collection(context, collection)
    recipe = None if resume else chosen_recipe(flags)  # wrong flags are told before the first import that takes long
    needs_train_extra()
    from artsim.cli.training_progress import TerminalDisplay
    from artsim.jobs.steps.train_log import Feedback
    from artsim.jobs.train import train as run_training
    from artsim.tracking.resumed import run_to_resume

    say = stderr_lines(quiet=quiet)
    recorded = run_to_resume(resume, say)
    if recorded is not None:
        flags = recorded_flags(context, recorded.params, is_launched=recorded.is_launched)
        recipe = recipe_of(flags["recipe"], flags)
    options = train_options(recipe or chosen_recipe(flags), flags)
    with stage_bars(quiet=quiet) as progress:
        report = run_training(options, Feedback(say, progress, TerminalDisplay(quiet=quiet)), recorded)
    click.echo(printable_lines(report))
