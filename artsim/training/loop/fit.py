"""Training by a recipe: works -> checkpoints, from scratch or on a pretrained network."""

from __future__ import annotations

import keras

from artsim.training.data.batches import LabelledImages
from artsim.training.loop.from_scratch import fit_from_scratch
from artsim.training.loop.hooks import FitHooks
from artsim.training.loop.pretrained import fit_pretrained
from artsim.training.monitor import Monitor
from artsim.training.networks.features import build_features
from artsim.training.recipes import Recipe


def prepare(recipe: Recipe, seed: int) -> keras.Model | None:
    """The network of a recipe's pretrained features, uint8 (N, S, S, 3) -> float32 (N, F), or None from scratch.

    Call this before paintings are decoded, because weights and image size may be refused.

    Raises:
        UsageError, ModelError: as `build_backbone`.
    """
    if not recipe.is_pretrained:
        return None
    keras.utils.set_random_seed(seed)
    return build_features(recipe, recipe.image_size, recipe.weights)


def fit(
    recipe: Recipe,
    network: keras.Model | None,
    train: LabelledImages,
    validation: LabelledImages,
    hooks: FitHooks,
    seed: int,
) -> Monitor:
    """Train a tower by its recipe and write its checkpoints.

    Args:
        recipe: all settings.
        network: from `prepare`.
        train: works at `source_size(recipe)`, by artists numbered from 0.
        validation: works at the tower's image size. Unseen artists have the numbers that follow.
        hooks: the functions to call and the folders to write to.
        seed: of weights, batches and augmentation.

    Returns:
        the monitor, which knows the best epoch.

    Raises:
        GateError: the loss is not finite. The checkpoints of the epochs before stay.
    """
    keras.utils.set_random_seed(seed)
    if network is not None:
        return fit_pretrained(recipe, network, train, validation, hooks, seed)
    return fit_from_scratch(recipe, train, validation, hooks, seed)
