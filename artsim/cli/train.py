"""`artsim train`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from artsim.cli.extras import needs_train_extra
from artsim.cli.options import (
    FOLDER,
    NAME,
    SPELLING,
    WithSwitches,
    bad_image_options,
    columns_option,
    qualified_option,
    quiet_option,
    stderr_lines,
    switch,
)
from artsim.cli.progress import stage_bars
from artsim.cli.recipe_options import POSITIVE, recipe_options
from artsim.cli.recorded_flags import flags_of, recorded_flags
from artsim.cli.sections import further_help
from artsim.errors import UsageError
from artsim.escaping import printable_lines
from artsim.training.networks.weight_packages import PACKAGES
from artsim.training.recipes import (
    DEFAULT,
    DEFAULT_WITH_WEIGHTS,
    RECIPES,
    WHOLE,
    Distribution,
    Recipe,
    default_recipe,
    recipe_of,
    works_used,
)

if TYPE_CHECKING:
    from artsim.jobs.steps.train_log import TrainOptions

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
@click.option(
    "--recipe", type=click.Choice(list(RECIPES)),
    help=f"Named settings of the whole run. Default: {DEFAULT_WITH_WEIGHTS} if --weights is given, or if a collection "
    f"of your own is trained on and 'artsim[weights]' is installed; otherwise {DEFAULT}. It is also {DEFAULT} for a "
    "--tower that is trained from scratch.",
)  # fmt: skip
@click.option(
    "--data-file-path", type=NAME, default="demo", show_default=True, metavar="PATH|demo",
    help="The collection: a table with the columns filename and artist (.csv, .tsv, .txt, .jsonl or .parquet), a "
    "folder with one folder for each artist, a saved selection, or demo for the embedded collection.",
)  # fmt: skip
@click.option(
    "--data-dir",
    type=FOLDER,
    metavar="DIR",
    help="Folder of the files named in the table. Default: the table's folder, or the folder train beside "
    "train_info.csv.",
)
@columns_option
@qualified_option
@click.option(
    "--num-of-artists", type=POSITIVE,
    help="Number of artists: those with the most works. Default: all artists of a collection of your own (classic: 5); "
    "otherwise the recipe's.",
)  # fmt: skip
@click.option(
    "--num-of-images-per-artist", type=POSITIVE,
    help="Number of works by each artist, drawn at random. An artist with fewer gives all. Default: all works "
    "of a collection of your own (classic: 5); otherwise the recipe's.",
)  # fmt: skip
@switch(
    "--merge-spellings",
    help="Take spellings of an artist that differ in case, spaces, dashes or Unicode form as one artist.",
)
@switch("--read-prefetched-data", help="Read a saved selection, which --data-file-path names.")
@switch("--save-data-to-file", help="Write the selection to selection.csv in the working folder too.")
@recipe_options
@click.option(
    "--summaries-dir", default="Log_files", show_default=True, metavar="DIR",
    help="Folder for TensorBoard's logs, in one folder for each run.",
)  # fmt: skip
@click.option(
    "--checkpoint-dir", default="Checkpoints", show_default=True, metavar="DIR",
    help="Folder for checkpoints and the exported tower, in one folder for each run.",
)  # fmt: skip
@click.option(
    "--device-id", default="auto", show_default=True, metavar="auto|/cpu:0|/gpu:N",
    help="Device to train on. auto is the first GPU that works, else the CPU.",
)  # fmt: skip
@click.option(
    "--distribution", type=click.Choice(get_args(Distribution)), default="none", show_default=True,
    help="mirrored: train on all GPUs at once, each with a part of every batch.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Seed of all random choices."
)  # fmt: skip
@bad_image_options(default="10%")
@switch(
    "--register",
    help="Register the model of the run as `artsim register` does, after the run has ended. If the alias "
    "does not move, the reason is printed and the exit code is still 0.",
)  # fmt: skip
@switch(
    "--log-pictures",
    help="Log the report with pictures of the works, and the sheet of training views, to any store. By default "
    "pictures are logged only if the artifacts of the run are files of this computer.",
)  # fmt: skip
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
        flags["data_file_path"] = _only_collection(context, collection, is_resumed=resume is not None)
    recipe = None if resume else _chosen_recipe(flags)  # wrong flags are told before the first import that takes long
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
    options = _options(recipe or _chosen_recipe(flags), flags)
    with stage_bars(quiet=quiet) as progress:
        report = run_training(options, Feedback(say, progress, TerminalDisplay(quiet=quiet)), recorded)
    click.echo(printable_lines(report))


def _only_collection(context: click.Context, collection: str, *, is_resumed: bool) -> str:
    """The collection that is named as an argument, if nothing else names it.

    Raises:
        UsageError: a flag names it too, or the run has its own.
    """
    if is_resumed:
        raise UsageError(f"{collection!r}: a resumed run keeps its collection. Leave COLLECTION or --resume out.")
    if context.get_parameter_source("data_file_path") is click.core.ParameterSource.COMMANDLINE:
        by_flag = context.params["data_file_path"]
        raise UsageError(
            f"the collection is named twice: {collection!r}, and {by_flag!r} by --data-file-path. Name it once."
        )
    return collection


def _is_demo(flags: Mapping[str, Any]) -> bool:
    return str(flags["data_file_path"]).lower() == "demo"


def _chosen_recipe(flags: Mapping[str, Any]) -> Recipe:
    """The recipe that the flags name, or the default, with the settings that other flags override."""
    has_package = PACKAGES[RECIPES[DEFAULT_WITH_WEIGHTS].tower].is_installed
    default = default_recipe(flags["weights"], flags["tower"], is_demo=_is_demo(flags), has_package=has_package)
    return recipe_of(flags["recipe"] or default, flags)


def _options(recipe: Recipe, flags: Mapping[str, Any]) -> TrainOptions:
    """The settings of the job. The run's params get the value of each flag that is in effect."""
    from artsim.collection.columns import Columns, check_use
    from artsim.collection.prepare import SelectionOptions
    from artsim.jobs.steps.train_log import TrainOptions

    check_use(flags["columns"], [flags["data_file_path"]])
    used = works_used(recipe, flags, is_demo=_is_demo(flags))
    in_effect = {key: asdict(recipe).get(key, value) for key, value in flags.items()} | {"recipe": recipe.name}
    selection = SelectionOptions(
        data_file_path=flags["data_file_path"],
        data_dir=None if flags["data_dir"] is None else Path(flags["data_dir"]),
        read_prefetched_data=flags["read_prefetched_data"],
        **used,
        seed=flags["seed"],
        max_bad_images=flags["max_bad_images"],
        max_pixels=flags["max_pixels"],
        merge_spellings=flags["merge_spellings"],
        columns=flags["columns"] or Columns(),
        qualified=flags["qualified"],
    )
    return TrainOptions(
        recipe=recipe,
        selection=selection,
        save_data_to_file=flags["save_data_to_file"],
        summaries_dir=Path(flags["summaries_dir"]),
        checkpoint_dir=Path(flags["checkpoint_dir"]),
        device_id=flags["device_id"],
        distribution=flags["distribution"],
        seed=flags["seed"],
        flags=in_effect | {key: WHOLE for key, number in used.items() if number is None},
        register=flags["register"],
        log_pictures=flags["log_pictures"],
    )
