"""Recipes: named settings of a whole run. One table; any flag overrides a field. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from artsim.errors import UsageError
from artsim.scoring.contract import DistanceName

BackboneName = Literal["mobilenet", "efficientnetv2-b0", "convnext-tiny", "dinov2-small"]
TowerName = Literal["classic", "compact", "mobilenet", "efficientnetv2-b0", "convnext-tiny", "dinov2-small"]
LossName = Literal["contrastive", "softmax", "supcon"]
OptimizerName = Literal["sgd", "adamw"]
AugmentName = Literal["none", "light", "photograph"]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what is learned and from what, but for the collection and the seed."""

    name: str
    num_of_artists: int
    num_of_images_per_artist: int
    tower: TowerName
    image_size: int  # px, of the tower's input
    embedding_size: int
    loss: LossName
    works_per_artist: int  # K of a batch of P artists x K works; pairs (contrastive) have no use for it
    batch_size: int  # paintings of an optimiser's step; pairs for the contrastive loss
    epochs: int
    patience: int  # epochs in a row without a better one after which training ends; 0: never before the last
    optimizer: OptimizerName
    learning_rate: float  # the highest of its schedule
    weight_decay: float
    augment: AugmentName

    @property
    def distance(self) -> DistanceName:
        """What the loss compares by: the contrastive one the root mean square, the others the straight line."""
        return "rms" if self.loss == "contrastive" else "euclidean"

    @property
    def threshold(self) -> float | None:
        """The published threshold of the old network; None: fitted on validation pairs."""
        return 0.3 if self.tower == "classic" else None


RECIPES: dict[str, Recipe] = {
    # Minutes on two cores: what `mlflow run .` does on the embedded collection.
    "compact": Recipe(
        name="compact",
        num_of_artists=60,
        num_of_images_per_artist=12,
        tower="compact",
        image_size=128,
        embedding_size=128,
        loss="softmax",
        works_per_artist=4,
        batch_size=48,
        epochs=24,
        patience=0,
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=0.05,
        augment="light",
    ),
    # The network and the settings of the 2018 program. 14 GFLOP an image: wants a GPU.
    "classic": Recipe(
        name="classic",
        num_of_artists=5,
        num_of_images_per_artist=5,
        tower="classic",
        image_size=256,
        embedding_size=4096,
        loss="contrastive",
        works_per_artist=1,
        batch_size=1,
        epochs=3,
        patience=0,
        optimizer="sgd",
        learning_rate=1e-4,
        weight_decay=0.0,
        augment="none",
    ),
}
DEFAULT = "compact"


def recipe_of(name: str, overrides: Mapping[str, Any]) -> Recipe:
    """The recipe with the given fields in place of its own; None stands for the recipe's.

    Raises:
        UsageError: no such recipe, or settings that contradict each other.
    """
    if name not in RECIPES:
        raise UsageError(f"--recipe {name}: there is {', '.join(sorted(RECIPES))}.")
    known = {field.name for field in fields(Recipe)}
    recipe = replace(
        RECIPES[name],
        **{key: value for key, value in overrides.items() if key in known and value is not None},
    )
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
    return recipe
