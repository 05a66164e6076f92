"""The fit: a recipe and works become checkpoints, from scratch or on a pretrained network."""

from __future__ import annotations

from typing import cast

import keras

from artsim.training.data.batches import LabelledImages
from artsim.training.loop.from_scratch import fit_from_scratch
from artsim.training.loop.hooks import FitHooks
from artsim.training.loop.pretrained import fit_pretrained
from artsim.training.monitor import Monitor
from artsim.training.networks.features import build_features
from artsim.training.recipes import BackboneName, Recipe


def prepare(recipe: Recipe, seed: int) -> keras.Model | None:
    """The pretrained network that a recipe stands on, if it does: what can fail before a painting is decoded.

    Raises:
        UsageError, ModelError: weights that can't be had, or an image size that the network does not take.
    """
    if not recipe.is_pretrained:
        return None
    keras.utils.set_random_seed(seed)
    return build_features(cast(BackboneName, recipe.tower), recipe.image_size, recipe.weights)


def fit(
    recipe: Recipe,
    network: keras.Model | None,
    train: LabelledImages,
    validation: LabelledImages,
    hooks: FitHooks,
    seed: int,
) -> Monitor:
    """Train a tower by its recipe; its checkpoints are the result, and the monitor, which knows how it went.

    Args:
        recipe: what to train.
        network: what `prepare` gave for it.
        train: works at `source_size(recipe)`, by artists numbered from 0.
        validation: works at the tower's own size; artists who are not trained on have the numbers that follow.
        hooks: what follows the fit.
        seed: of weights, batches and augmentation.

    Raises:
        GateError: the loss is no number any more; the last good checkpoints stay.
    """
    keras.utils.set_random_seed(seed)
    if network is not None:
        return fit_pretrained(recipe, network, train, validation, hooks, seed)
    return fit_from_scratch(recipe, train, validation, hooks, seed)
