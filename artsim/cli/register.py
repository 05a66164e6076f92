"""`artsim register`."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from artsim.cli.extras import needs_mlflow_extra
from artsim.cli.options import SPELLING, WithSwitches, is_launched, quiet_option, stderr_lines
from artsim.cli.progress import stage_bars
from artsim.cli.sections import further_help
from artsim.escaping import printable_lines

EPILOG = f"""
\b
Examples:
  artsim register 1a2b3c4d5e6f47089a0b1c2d3e4f5061
  artsim register 1a2b3c4d5e6f47089a0b1c2d3e4f5061 --pairs test_pairs.csv --data-dir test
  artsim-score --model models:/artsim@champion pairs.csv

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("run", metavar="RUN")
@click.option("--name", default="artsim", show_default=True, metavar="NAME", help="Name of the registered model.")
@click.option(
    "--alias", default="champion", show_default=True, metavar="ALIAS",
    help="Alias to give to the model if it is not worse than the model that has it.",
)  # fmt: skip
@click.option(
    "--pairs", metavar="FILE",
    help="Pairs with labels to compare both models on. Default: the validation pairs of both runs whose works neither "
    "model was fitted on.",
)  # fmt: skip
@click.option("--data-dir", metavar="DIR", help="Folder of the images of --pairs. Default: the folder of the file.")
@quiet_option
def register(quiet: bool, **options: Any) -> None:
    """Register the model of an MLflow run, and give it the alias if it is not worse than the champion.

    RUN is the ID of a run, or the name of a model in MLflow. The model becomes a version of the registered model. The
    alias moves to it if no version has the alias, or if the model is not worse. To find that out, the champion's AUC is
    subtracted from the new model's AUC. The difference gets a 95 % interval from 1,000 resamples of artists and their
    paintings. Both models see the same resamples. The model is not worse if the lower end is above -0.005. Otherwise,
    and where there are no pairs to compare, the alias stays and the exit code is 9.
    """
    needs_mlflow_extra()
    from artsim.jobs.register import RegisterOptions
    from artsim.jobs.register import register as run_registration
    from artsim.jobs.steps.evaluation_log import logged_registration

    flags = click.get_current_context().params

    with stage_bars(quiet=quiet) as progress:
        registration = partial(run_registration, RegisterOptions(**options), stderr_lines(quiet=quiet), progress)
        report = logged_registration(registration, flags) if is_launched() else registration()
    click.echo(printable_lines(report))
