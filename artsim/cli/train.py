"""`artsim train`: the main job."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from artsim.cli.extras import needs_train_extra
from artsim.cli.options import SPELLING, bad_image_options, exit_codes_help, quiet_option
from artsim.cli.progress import stage_bars
from artsim.training.monitor import MonitorName
from artsim.training.recipes import (
    DEFAULT,
    DEFAULT_WITH_WEIGHTS,
    RECIPES,
    AugmentName,
    LossName,
    MixedPrecision,
    OptimizerName,
    TowerName,
    recipe_of,
)

EPILOG = """
\b
Examples:
  artsim train
  artsim train --num-of-artists 100
  artsim train --data-file-path train_info.csv --data-dir train --num-of-images-per-artist 300
  artsim train --recipe classic --device-id /gpu:0

Flags without a default here have the recipe's. Under MLflow: mlflow run . -P num_of_artists=100

""" + exit_codes_help()


def _in_recipes(field: str) -> str:
    values = (f"{recipe.name} {getattr(recipe, field)}" for recipe in RECIPES.values())
    return f"[{', '.join(values)}]"


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.option(
    "--recipe",
    type=click.Choice(list(RECIPES)),
    help=f"Named settings of a run. Default: {DEFAULT}; {DEFAULT_WITH_WEIGHTS} where --weights names some.",
)
@click.option(
    "--data-file-path",
    default="demo",
    show_default=True,
    metavar="PATH|demo",
    help="A csv with filename and artist, a folder with one folder an artist, a saved selection, or demo.",
)
@click.option("--data-dir", metavar="DIR", help="Where the csv's files lie. Default: beside it.")
@click.option(
    "--num-of-artists",
    type=click.IntRange(min=1),
    help=f"The artists with most works. {_in_recipes('num_of_artists')}",
)
@click.option(
    "--num-of-images-per-artist",
    type=click.IntRange(min=1),
    help=f"That many of each at random; all, where there are fewer. {_in_recipes('num_of_images_per_artist')}",
)
@click.option(
    "--merge-spellings",
    type=bool,
    default=False,
    show_default=True,
    help="True: spellings of one artist that differ in case, spaces, dashes or Unicode form become one.",
)
@click.option(
    "--read-prefetched-data",
    type=bool,
    default=False,
    show_default=True,
    help="True: --data-file-path names a saved selection.",
)
@click.option(
    "--save-data-to-file",
    type=bool,
    default=False,
    show_default=True,
    help="True: also write the selection to selection.csv in the working folder.",
)
@click.option("--tower", type=click.Choice(get_args(TowerName)), help=f"The network. {_in_recipes('tower')}")
@click.option(
    "--weights",
    metavar="none|imagenet|PRESET|FILE",
    help="Of a pretrained network: imagenet (dinov2_small for dinov2-small) is downloaded by its library, a file is "
    f"read, none is random. {_in_recipes('weights')}",
)
@click.option("--image-size", type=click.IntRange(min=16), help=f"Side of its input, px. {_in_recipes('image_size')}")
@click.option(
    "--embedding-size",
    type=click.IntRange(min=2),
    help=f"Numbers in an embedding. {_in_recipes('embedding_size')}",
)
@click.option(
    "--readout-share",
    type=click.FloatRange(0, 1),
    help="Part of a squared distance that the closed-form readout has beside a trained head; 1: there is none. "
    f"{_in_recipes('readout_share')}",
)
@click.option(
    "--tune-epochs",
    type=click.IntRange(min=0),
    help=f"Times through the works in which a pretrained network is tuned; 0: frozen. {_in_recipes('tune_epochs')}",
)
@click.option(
    "--tune-rate",
    type=click.FloatRange(min=0, min_open=True),
    help=f"The highest rate of the network then. {_in_recipes('tune_rate')}",
)
@click.option(
    "--refit",
    type=bool,
    help=f"Fit a tower on a pretrained network on all works once it was judged. {_in_recipes('refit')}",
)
@click.option("--loss", type=click.Choice(get_args(LossName)), help=f"What is minimised. {_in_recipes('loss')}")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    help=f"Works in an optimiser's step; pairs for the contrastive loss. {_in_recipes('batch_size')}",
)
@click.option(
    "--works-per-artist",
    type=click.IntRange(min=2),
    help=f"Works by one artist in a batch. {_in_recipes('works_per_artist')}",
)
@click.option("--epochs", type=click.IntRange(min=1), help=f"Times through the works. {_in_recipes('epochs')}")
@click.option(
    "--monitor",
    type=click.Choice(get_args(MonitorName)),
    help="The figure whose best epoch is exported, val_auc the mean of both AUCs; that of seen artists where there are "
    f"no unseen ones. {_in_recipes('monitor')}",
)
@click.option(
    "--patience",
    type=click.IntRange(min=0),
    help=f"Stop after so many epochs without a better one; 0: never. {_in_recipes('patience')}",
)
@click.option(
    "--optimizer",
    type=click.Choice(get_args(OptimizerName)),
    help=f"How weights are changed. {_in_recipes('optimizer')}",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    help=f"The highest of its schedule. {_in_recipes('learning_rate')}",
)
@click.option("--weight-decay", type=click.FloatRange(min=0), help=f"Of AdamW. {_in_recipes('weight_decay')}")
@click.option(
    "--augment",
    type=click.Choice(get_args(AugmentName)),
    help=f"How views of a work differ: in framing and light, or as photographs do. {_in_recipes('augment')}",
)
@click.option(
    "--summaries-dir",
    default="Log_files",
    show_default=True,
    metavar="DIR",
    help="TensorBoard's, a folder a run.",
)
@click.option(
    "--checkpoint-dir",
    default="Checkpoints",
    show_default=True,
    metavar="DIR",
    help="Checkpoints and the exported tower, a folder a run.",
)
@click.option("--device-id", default="auto", show_default=True, metavar="auto|/cpu:0|/gpu:N", help="Where to train.")
@click.option(
    "--mixed-precision",
    type=click.Choice(get_args(MixedPrecision)),
    help="Whether layers in training compute in bfloat16; auto: where the device does so, which is faster then. "
    f"{_in_recipes('mixed_precision')}",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of every random choice.")
@bad_image_options(default="10%")
@quiet_option
def train(recipe: str | None, **flags: Any) -> None:
    """Train a tower, export it and evaluate it, all in one MLflow run.

    By default on the embedded collection, in minutes on two cores. The run holds every flag, the figures of each
    epoch, the selection, both checkpoints and tower.onnx.
    """
    chosen = recipe_of(recipe, flags)
    in_effect = {
        "recipe": chosen.name,
        **flags,
        **{key: value for key, value in asdict(chosen).items() if key in flags},
    }

    needs_train_extra()
    from artsim.collection.prepare import SelectionOptions
    from artsim.jobs.train import TrainOptions, report
    from artsim.jobs.train import train as run_job

    options = TrainOptions(
        recipe=chosen,
        selection=SelectionOptions(
            data_file_path=flags["data_file_path"],
            data_dir=Path(flags["data_dir"]) if flags["data_dir"] else None,
            read_prefetched_data=flags["read_prefetched_data"],
            num_of_artists=chosen.num_of_artists,
            num_of_images_per_artist=chosen.num_of_images_per_artist,
            seed=flags["seed"],
            max_bad_images=flags["max_bad_images"],
            max_pixels=flags["max_pixels"],
            merge_spellings=flags["merge_spellings"],
        ),
        save_data_to_file=flags["save_data_to_file"],
        summaries_dir=Path(flags["summaries_dir"]),
        checkpoint_dir=Path(flags["checkpoint_dir"]),
        device_id=flags["device_id"],
        seed=flags["seed"],
        quiet=flags["quiet"],
        flags=in_effect,
    )

    def say(line: str) -> None:
        if not flags["quiet"]:
            click.echo(line, err=True)

    with stage_bars(quiet=flags["quiet"]) as progress:
        trained = run_job(options, say, progress)
    click.echo(report(trained))
