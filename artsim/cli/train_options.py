"""The flags of `artsim train`, which `artsim sweep` has too, and the settings that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from artsim.cli.options import FOLDER, NAME, bad_image_options, columns_option, option_group, qualified_option, switch
from artsim.cli.recipe_options import POSITIVE, recipe_options
from artsim.errors import UsageError
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

training_options = option_group(
    click.option(
        "--recipe", type=click.Choice(list(RECIPES)),
        help=f"Named settings of the whole run. Default: {DEFAULT_WITH_WEIGHTS} if --weights is given, or if a "
        f"collection of your own is trained on and 'artsim[weights]' is installed; otherwise {DEFAULT}. It is also "
        f"{DEFAULT} for a --tower that is trained from scratch.",
    ),
    click.option(
        "--data-file-path", type=NAME, default="demo", show_default=True, metavar="PATH|demo",
        help="The collection: a table with the columns filename and artist (.csv, .tsv, .txt, .jsonl or .parquet), a "
        "folder with one folder for each artist, a saved selection, or demo for the embedded collection.",
    ),
    click.option(
        "--data-dir",
        type=FOLDER,
        metavar="DIR",
        help="Folder of the files named in the table. Default: the table's folder, or the folder train beside "
        "train_info.csv.",
    ),
    columns_option,
    qualified_option,
    click.option(
        "--num-of-artists", type=POSITIVE,
        help="Number of artists: those with the most works. Default: all artists of a collection of your own (classic: "
        "5); otherwise the recipe's.",
    ),
    click.option(
        "--num-of-images-per-artist", type=POSITIVE,
        help="Number of works by each artist, drawn at random. An artist with fewer gives all. Default: all works "
        "of a collection of your own (classic: 5); otherwise the recipe's.",
    ),
    switch(
        "--merge-spellings",
        help="Take spellings of an artist that differ in case, spaces, dashes or Unicode form as one artist.",
    ),
    switch("--read-prefetched-data", help="Read a saved selection, which --data-file-path names."),
    switch("--save-data-to-file", help="Write the selection to selection.csv in the working folder too."),
    recipe_options,
    click.option(
        "--summaries-dir", default="Log_files", show_default=True, metavar="DIR",
        help="Folder for TensorBoard's logs, in one folder for each run.",
    ),
    click.option(
        "--checkpoint-dir", default="Checkpoints", show_default=True, metavar="DIR",
        help="Folder for checkpoints and the exported tower, in one folder for each run.",
    ),
    click.option(
        "--device-id", default="auto", show_default=True, metavar="auto|/cpu:0|/gpu:N",
        help="Device to train on. auto is the first GPU that works, else the CPU.",
    ),
    click.option(
        "--distribution", type=click.Choice(get_args(Distribution)), default="none", show_default=True,
        help="mirrored: train on all GPUs at once, each with a part of every batch.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Seed of all random choices."
    ),
    bad_image_options(default="10%"),
    switch(
        "--register",
        help="Register the model of the run as `artsim register` does, after the run has ended. If the alias "
        "does not move, the reason is printed and the exit code is still 0.",
    ),
    switch(
        "--log-pictures",
        help="Log the report with pictures of the works, and the sheet of training views, to any store. By default "
        "pictures are logged only if the artifacts of the run are files of this computer.",
    ),
)  # fmt: skip


def only_collection(context: click.Context, collection: str) -> str:
    """The collection that is named as an argument, if nothing else names it.

    Raises:
        UsageError: a flag names it too.
    """
    if context.get_parameter_source("data_file_path") is click.core.ParameterSource.COMMANDLINE:
        by_flag = context.params["data_file_path"]
        raise UsageError(
            f"the collection is named twice: {collection!r}, and {by_flag!r} by --data-file-path. Name it once."
        )
    return collection


def _is_demo(flags: Mapping[str, Any]) -> bool:
    return str(flags["data_file_path"]).lower() == "demo"


def chosen_recipe(flags: Mapping[str, Any]) -> Recipe:
    """The recipe that the flags name, or the default, with the settings that other flags override."""
    has_package = PACKAGES[RECIPES[DEFAULT_WITH_WEIGHTS].tower].is_installed
    default = default_recipe(flags["weights"], flags["tower"], is_demo=_is_demo(flags), has_package=has_package)
    return recipe_of(flags["recipe"] or default, flags)


def train_options(recipe: Recipe, flags: Mapping[str, Any]) -> TrainOptions:
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
