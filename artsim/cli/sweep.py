"""`artsim sweep`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource

from artsim.cli.extras import needs_sweep_extra
from artsim.cli.options import ARGUMENTS, NAME, SPELLING, WithSwitches, quiet_option, stderr_lines
from artsim.cli.progress import stage_bars
from artsim.cli.recipe_options import POSITIVE, POSITIVE_NUMBER
from artsim.cli.recorded_flags import flags_of
from artsim.cli.search_options import declared, named_space
from artsim.cli.sections import further_help
from artsim.cli.train_options import chosen_recipe, only_collection, train_options, training_options
from artsim.errors import UsageError
from artsim.escaping import printable_lines
from artsim.training.search_space import Values, space_of

OWN = ("trials", "timeout", "processes", "study", "search", "quiet")  # flags that a training does not have
EPILOG = f"""
\b
Examples:
  artsim sweep paintings --recipe readout --trials 20
  artsim sweep paintings --recipe readout --search readout-shift=0..1 --readout-stretch 1.5
  artsim sweep paintings --recipe transfer --search loss=softmax,supcon --processes 2

Under MLflow: mlflow run . -e sweep -P trials=20

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("collection", type=NAME, required=False)
@click.option(
    "--trials", type=POSITIVE, default=20, show_default=True, metavar="N",
    help="Number of trials of the study, with those that it has already.",
)  # fmt: skip
@click.option(
    "--timeout", type=POSITIVE_NUMBER, metavar="MINUTES",
    help="Begin no trial after this many minutes. The last trial is completed, and the best one exported.",
)  # fmt: skip
@click.option(
    "--processes", type=POSITIVE, default=1, show_default=True, metavar="N",
    help="Number of processes that work on the study. The same command in another terminal joins it too.",
)  # fmt: skip
@click.option(
    "--study", metavar="NAME",
    help="Name of the study, and of its folder in --checkpoint-dir. Default: a name that depends on the flags, so the "
    "same command goes on with its study.",
)  # fmt: skip
@click.option(
    "--search", multiple=True, metavar="FLAG=LOW..HIGH|FLAG=A,B,C",
    help="Values to try for a flag, in place of those that docs/sweeps.md lists. To leave a flag out of the search, "
    "give it a value: --readout-shift 0.5. Several may stand in one text, with spaces between them.",
)  # fmt: skip
@training_options
@quiet_option
def sweep(collection: str | None, quiet: bool, **_: Any) -> None:
    """Try values of the flags of a training, and export the tower of the best.

    Each trial is a training without refit and export, in an MLflow run of its own. The best trial has the highest AUC
    of validation pairs by unseen artists. It is then completed as `artsim train` does. The sweep's run has a table of
    the trials and the best tower. The flags of artsim train have the same meaning here. Their values are those of all
    trials.
    """
    context = click.get_current_context()
    flags = flags_of(context)
    if collection is not None:
        flags["data_file_path"] = only_collection(context, collection)
    space = _space(context, flags)
    if flags["study"] is not None and not re.fullmatch(r"[\w-][\w.-]*", flags["study"]):
        raise UsageError(f"--study {flags['study']!r}: use letters, digits, dots, dashes and underscores.")
    needs_sweep_extra()
    from artsim.cli.training_progress import TerminalDisplay
    from artsim.jobs.steps.sweep_options import SweepOptions
    from artsim.jobs.steps.train_log import Feedback, TrainOptions
    from artsim.jobs.sweep import sweep as run_sweep

    given = {name: value for name, value in flags.items() if name not in OWN}

    def options_of(values: Mapping[str, object]) -> TrainOptions:
        of_trial = {**given, **values}
        return train_options(chosen_recipe(of_trial), of_trial)

    base = options_of({})
    shown = {**flags, **base.flags, **{name: str(values) for name, values in space.items()}}
    options = SweepOptions(
        base=base,
        options_of=options_of,
        space=space,
        trials=flags["trials"],
        minutes=flags["timeout"],
        processes=flags["processes"],
        study=flags["study"],
        flags=shown | {"search": " ".join(flags["search"]) or None},
        arguments=context.meta[ARGUMENTS],
    )
    with stage_bars(quiet=quiet) as progress:
        report = run_sweep(options, Feedback(stderr_lines(quiet=quiet), progress, TerminalDisplay(quiet=quiet)))
    click.echo(printable_lines(report))


def _space(context: click.Context, flags: Mapping[str, Any]) -> dict[str, Values]:
    """What is searched: what the recipe's flags declare and what --search names, without flags that have a value.

    Raises:
        UsageError: a flag has a value and is searched, or nothing is searched.
    """
    command = context.command
    named = named_space(context, flags["search"])
    fixed = {
        name
        for name in declared(command)
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE and flags[name] is not None
    }
    if both := sorted(fixed & named.keys()):
        flag = both[0].replace("_", "-")
        raise UsageError(f"--{flag} has a value, and --search {flag} names others. Leave one of them out.")
    space = space_of(chosen_recipe(flags), declared(command), fixed, named)
    if not space:
        raise UsageError("every flag has a value, so nothing is left to search. Leave one out, or name it by --search.")
    return space
