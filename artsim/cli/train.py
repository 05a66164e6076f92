"""`artsim train`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from artsim.bad_images import BadImageLimit
from artsim.cli.extras import needs_train_extra
from artsim.cli.options import (
    FOLDER,
    NAME,
    SPELLING,
    bad_image_options,
    columns_option,
    exit_codes_help,
    qualified_option,
    quiet_option,
    stderr_lines,
)
from artsim.cli.progress import stage_bars
from artsim.cli.recipe_options import POSITIVE, in_recipes, recipe_options
from artsim.errors import UsageError
from artsim.escaping import printable_lines
from artsim.training.networks.weight_packages import PACKAGES
from artsim.training.recipes import (
    DEFAULT,
    DEFAULT_WITH_WEIGHTS,
    RECIPES,
    default_recipe,
    recipe_of,
    works_used,
)

if TYPE_CHECKING:
    from artsim.collection.artists import Qualified
    from artsim.collection.columns import Columns

EPILOG = f"""
\b
Examples:
  artsim train
  artsim train --num-of-artists 100
  artsim train paintings
  artsim train train_info.csv --data-dir train --num-of-images-per-artist 300
  artsim train --recipe classic --device-id /gpu:0

A flag without a default takes its value from the recipe. Under MLflow: mlflow run . -P num_of_artists=100

{exit_codes_help()}
"""


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.argument("collection", type=NAME, required=False)
@click.option(
    "--recipe", type=click.Choice(list(RECIPES)),
    help=f"Named settings of the whole run. Default: {DEFAULT_WITH_WEIGHTS} if --weights is given, or if a collection "
    f"of your own is trained on and 'artsim[weights]' is installed; otherwise {DEFAULT}. It is also {DEFAULT} for a "
    "--tower that is trained from scratch.",
)  # fmt: skip
@click.option(
    "--data-file-path", type=NAME, default="demo", show_default=True, metavar="PATH|demo",
    help="The collection: a table with the columns filename and artist (.csv, .jsonl or .parquet), a folder with one "
    "folder for each artist, a saved selection, or demo for the embedded collection.",
)  # fmt: skip
@click.option(
    "--data-dir",
    type=FOLDER,
    metavar="DIR",
    help="Folder of the files named in the table. Default: the table's folder.",
)
@columns_option
@qualified_option
@click.option(
    "--num-of-artists", type=POSITIVE,
    help="Number of artists: those with the most works. Default: all of a collection of your own; of the embedded "
    f"collection, and with classic, {in_recipes('num_of_artists')}",
)  # fmt: skip
@click.option(
    "--num-of-images-per-artist", type=POSITIVE,
    help="Number of works by each artist, drawn at random. An artist with fewer gives all. Default: all of a "
    "collection of your own; of the embedded collection, and with classic, "
    f"{in_recipes('num_of_images_per_artist')}",
)  # fmt: skip
@click.option(
    "--merge-spellings", type=bool, default=False, show_default=True,
    help="True: spellings of an artist that differ in case, spaces, dashes or Unicode form count as one artist.",
)  # fmt: skip
@click.option(
    "--read-prefetched-data", type=bool, default=False, show_default=True,
    help="True: --data-file-path names a saved selection.",
)  # fmt: skip
@click.option(
    "--save-data-to-file", type=bool, default=False, show_default=True,
    help="True: write the selection to selection.csv in the working folder too.",
)  # fmt: skip
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
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Seed of all random choices."
)  # fmt: skip
@bad_image_options(default="10%")
@click.option(
    "--register", type=bool, default=False, show_default=True,
    help="True: register the model of the run as `artsim register` does, after the run has ended. If the model is "
    "worse than the champion, the reason is printed and the exit code is still 0.",
)  # fmt: skip
@quiet_option
def train(
    collection: str | None,
    recipe: str | None,
    data_file_path: str,
    data_dir: str | None,
    columns: Columns | None,
    qualified: Qualified,
    merge_spellings: bool,
    read_prefetched_data: bool,
    save_data_to_file: bool,
    summaries_dir: str,
    checkpoint_dir: str,
    device_id: str,
    seed: int,
    max_bad_images: BadImageLimit,
    max_pixels: int,
    register: bool,
    quiet: bool,
    **overrides: Any,
) -> None:
    """Train a tower, export it and evaluate it, all in one MLflow run.

    COLLECTION is the same as --data-file-path COLLECTION. The default trains on the embedded collection, in minutes on
    two cores. The run holds the value of every flag, the metrics of each epoch, the selection, the checkpoints and
    tower.onnx.
    """
    has_package = PACKAGES[RECIPES[DEFAULT_WITH_WEIGHTS].tower].is_installed
    given = {key: value for key, value in click.get_current_context().params.items() if key != "collection"}
    data_file_path = given["data_file_path"] = _one_collection(collection, data_file_path)
    is_demo = data_file_path.lower() == "demo"
    default = default_recipe(overrides["weights"], overrides["tower"], is_demo=is_demo, has_package=has_package)
    chosen = recipe_of(recipe or default, overrides)
    used = works_used(chosen, given, is_demo=is_demo)
    in_effect = {key: asdict(chosen).get(key, value) for key, value in given.items()} | {"recipe": chosen.name}
    in_effect |= {key: "all" for key, number in used.items() if number is None}

    needs_train_extra()
    from artsim.cli.training_progress import TerminalDisplay
    from artsim.collection.columns import Columns, check_use
    from artsim.collection.prepare import SelectionOptions
    from artsim.jobs.train import train as run_training
    from artsim.jobs.train_log import Feedback, TrainOptions

    check_use(columns, [data_file_path])
    selection = SelectionOptions(
        data_file_path=data_file_path,
        data_dir=None if data_dir is None else Path(data_dir),
        read_prefetched_data=read_prefetched_data,
        **used,
        seed=seed,
        max_bad_images=max_bad_images,
        max_pixels=max_pixels,
        merge_spellings=merge_spellings,
        columns=columns or Columns(),
        qualified=qualified,
    )
    options = TrainOptions(
        recipe=chosen,
        selection=selection,
        save_data_to_file=save_data_to_file,
        summaries_dir=Path(summaries_dir),
        checkpoint_dir=Path(checkpoint_dir),
        device_id=device_id,
        seed=seed,
        flags=in_effect,
        register=register,
    )

    with stage_bars(quiet=quiet) as progress:
        feedback = Feedback(stderr_lines(quiet=quiet), progress, TerminalDisplay(quiet=quiet))
        report = run_training(options, feedback)
    click.echo(printable_lines(report))


def _one_collection(collection: str | None, data_file_path: str) -> str:
    """The collection, which may be named as an argument or by a flag."""
    if collection is None:
        return data_file_path
    if click.get_current_context().get_parameter_source("data_file_path") is click.core.ParameterSource.COMMANDLINE:
        raise UsageError(
            f"the collection is named twice: {collection!r}, and {data_file_path!r} by --data-file-path. Name it once."
        )
    return collection
