"""Recipes: named settings of a whole run. One table; any flag overrides a field. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from artsim.errors import UsageError
from artsim.scoring.contract import DistanceName
from artsim.training.monitor import MonitorName

BackboneName = Literal["mobilenet", "efficientnetv2-b0", "convnext-tiny", "dinov2-small"]
TowerName = Literal["classic", "compact", "mobilenet", "efficientnetv2-b0", "convnext-tiny", "dinov2-small"]
LossName = Literal["contrastive", "softmax", "supcon"]
OptimizerName = Literal["sgd", "adamw"]
AugmentName = Literal["none", "light", "photograph"]
MixedPrecision = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is learned and from what, but for the collection and the seed."""

    name: str
    num_of_artists: int
    num_of_images_per_artist: int
    tower: TowerName
    weights: str  # of a pretrained network: a word of its library's or a file; none: random
    image_size: int  # px, of the tower's input
    embedding_size: int
    readout_share: float  # of a squared distance by the closed-form readout; 1: nothing else, on pretrained towers
    tune_epochs: int  # times through the works, tuning the network before its features are computed; 0: it stays frozen
    tune_rate: float  # of the network then, the highest of its schedule
    refit: bool  # fit on all works once the tower was judged; pretrained towers only
    loss: LossName
    works_per_artist: int  # K of a batch of P artists x K works; pairs (contrastive) have no use for it
    batch_size: int  # paintings of an optimiser's step; pairs for the contrastive loss
    epochs: int
    monitor: MonitorName  # the figure that says which epoch was best
    patience: int  # epochs in a row without a better one after which training ends; 0: never before the last
    optimizer: OptimizerName
    learning_rate: float  # the highest of its schedule
    weight_decay: float
    augment: AugmentName
    mixed_precision: MixedPrecision  # layers of a network in training compute in bfloat16; auto: where that is faster

    @property
    def is_pretrained(self) -> bool:
        """Whether the tower stands on a network that somebody has trained for something else."""
        return self.tower in get_args(BackboneName)

    @property
    def trained_in(self) -> str:
        """In which numbers the layers before the head compute while they are trained, if any of them are."""
        trains_network = not self.is_pretrained or self.tune_epochs > 0
        return "bfloat16" if trains_network and self.mixed_precision == "on" else "float32"

    @property
    def distance(self) -> DistanceName:
        """What the loss compares by: the contrastive one the root mean square, the others the straight line."""
        return "rms" if self.loss == "contrastive" else "euclidean"

    @property
    def threshold(self) -> float | None:
        """The published threshold of the old network; None: fitted on validation pairs."""
        return 0.3 if self.tower == "classic" else None


_COMPACT = Recipe(
    name="compact",
    num_of_artists=60,
    num_of_images_per_artist=12,
    tower="compact",
    weights="none",
    image_size=128,
    embedding_size=128,
    readout_share=0.7,
    tune_epochs=0,
    tune_rate=1e-4,
    refit=False,
    loss="softmax",
    works_per_artist=4,
    batch_size=48,
    epochs=24,
    monitor="val_unseen_auc",
    patience=0,
    optimizer="adamw",
    learning_rate=2e-3,
    weight_decay=0.05,
    augment="light",
    mixed_precision="auto",
)
_READOUT = replace(
    _COMPACT,
    name="readout",
    tower="mobilenet",
    weights="imagenet",
    image_size=384,
    embedding_size=512,
    readout_share=1.0,
    refit=True,
    epochs=1,
    augment="none",
    mixed_precision="off",  # a step of MobileNet's tuning gains 5 % by it on a CPU
)
RECIPES: dict[str, Recipe] = {
    # Minutes on two cores, without anybody's weights: what `mlflow run .` does on the embedded collection.
    "compact": _COMPACT,
    # The network and the settings of the 2018 program. 14 GFLOP an image: wants a GPU.
    "classic": replace(
        _COMPACT,
        name="classic",
        num_of_artists=5,
        num_of_images_per_artist=5,
        tower="classic",
        image_size=256,
        embedding_size=4096,
        readout_share=0.0,
        loss="contrastive",
        works_per_artist=1,
        batch_size=1,
        epochs=3,
        optimizer="sgd",
        learning_rate=1e-4,
        weight_decay=0.0,
        augment="none",
        mixed_precision="off",
    ),
    # A frozen pretrained network and linear algebra: minutes on two cores, most of them for its features.
    "readout": _READOUT,
    # The network tuned a little, and beside the readout a head that is trained on the same features: better on artists
    # who are trained on. Better on all than a frozen network, in 40 minutes on two cores.
    "transfer": replace(
        _READOUT,
        name="transfer",
        embedding_size=1024,
        readout_share=0.6,
        tune_epochs=4,
        loss="supcon",
        works_per_artist=16,
        batch_size=256,
        epochs=80,
        monitor="val_auc",
        learning_rate=1e-3,
        weight_decay=0.01,
    ),
}
# Tuned three times as long, on views as other photographs would show them.
RECIPES["strong"] = replace(RECIPES["transfer"], name="strong", tune_epochs=12, augment="photograph")
DEFAULT = "compact"
DEFAULT_WITH_WEIGHTS = "transfer"


def recipe_of(name: str | None, overrides: Mapping[str, Any]) -> Recipe:
    """The recipe with the given fields in place of its own; None stands for the recipe's.

    Args:
        name: None is the default: another one where weights are given.
        overrides: fields by name; others are passed over.

    Raises:
        UsageError: no such recipe, or settings that contradict each other.
    """
    if name is None:
        name = DEFAULT if overrides.get("weights") in (None, "none") else DEFAULT_WITH_WEIGHTS
    if name not in RECIPES:
        raise UsageError(f"--recipe {name}: there is {', '.join(sorted(RECIPES))}.")
    known = {field.name for field in fields(Recipe)}
    recipe = replace(
        RECIPES[name],
        **{key: value for key, value in overrides.items() if key in known and value is not None},
    )
    _check_loss(recipe)
    _check_head(recipe)
    return recipe


def _check_loss(recipe: Recipe) -> None:
    if recipe.loss != "contrastive" and recipe.batch_size < 2 * recipe.works_per_artist:
        raise UsageError(
            f"--batch-size {recipe.batch_size}: the {recipe.loss} loss compares at least 2 artists x "
            f"{recipe.works_per_artist} works, so it takes {2 * recipe.works_per_artist} or more."
        )
    if recipe.tower == "classic" and recipe.loss != "contrastive":
        raise UsageError(
            f"--loss {recipe.loss}: it wants embeddings of length 1, which the classic tower does not give. Use "
            "--tower compact, or --loss contrastive."
        )
    if recipe.is_pretrained and recipe.loss == "contrastive":
        raise UsageError(f"--loss contrastive: the heads of --tower {recipe.tower} train by softmax or supcon.")


def _check_head(recipe: Recipe) -> None:
    pretrained_only = {
        "--weights": recipe.weights != "none",
        "--tune-epochs": recipe.tune_epochs > 0,
        "--refit": recipe.refit,
    }
    if not recipe.is_pretrained and any(pretrained_only.values()):
        raise UsageError(
            f"--tower {recipe.tower} is trained from scratch: {', '.join(pretrained_only)} are for "
            f"{', '.join(get_args(BackboneName))}. Try --recipe {DEFAULT_WITH_WEIGHTS}."
        )
    if recipe.tower == "classic" and recipe.readout_share > 0:
        raise UsageError(
            f"--readout-share {recipe.readout_share:g}: the classic tower pools no features for a readout to stand on. "
            "Use 0, or another --tower."
        )
    if not recipe.is_pretrained and recipe.readout_share == 1:
        raise UsageError(
            f"--readout-share 1: --tower {recipe.tower} learns its features by a head beside the readout. Use less."
        )
    if recipe.is_pretrained and recipe.augment != "none" and recipe.tune_epochs == 0:
        raise UsageError(
            f"--augment {recipe.augment}: the features of --tower {recipe.tower} are computed once, of whole works. It "
            "can be tuned on such views first: --tune-epochs 4."
        )
