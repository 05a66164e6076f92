"""Tune a pretrained network on works by known artists, at its own low rate, before its features are computed.

It sees crops of the works, at the works' own scale or, where the recipe augments, as other photographs would show them,
in batches of P artists x K works. It is trained by supervised contrast through the closed-form readout of its frozen
features, which stays as it is: what is learned, the network has to learn. Its lower half, which sees edges and colours,
stays as it is, and so do its batch norms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from artsim.training.data.batches import SOURCE_MARGIN, artist_batches, steps_per_epoch, views_of
from artsim.training.devices import mixed_precision
from artsim.training.loop.epochs import run_epochs
from artsim.training.loop.hooks import FitHooks
from artsim.training.loop.losses import SupCon
from artsim.training.networks.backbones import NONE, PATCH, SMALLEST
from artsim.training.networks.features import LabelledFeatures, build_features, compute
from artsim.training.networks.heads import COMPONENTS, build_readout, with_head
from artsim.training.networks.readout import fit_projection
from artsim.training.recipes import BackboneName, Recipe

BATCH, WORKS_PER_ARTIST = 48, 4
TEMPERATURE = 0.1  # of the contrast; a head on features that stay as they are is better off with less
WIDTH = 256  # of the readout that the network is tuned through
CROP = 2 / 3  # of the tower's input: a step takes less than half the time of one on whole paintings
GRID = 32  # px, which a crop's side is a multiple of, as networks halve it five times


def tune(
    recipe: Recipe,
    network: keras.Model,
    paintings: Sequence[NDArray[np.uint8]],
    seen: LabelledFeatures,
    hooks: FitHooks,
    seed: int,
) -> keras.Model:
    """A tuned copy of a network.

    Args:
        recipe: its tune_epochs and tune_rate.
        network: what `build_features` gave.
        paintings: uint8 (S, S, 3) each, may lie in a memory map.
        seen: what the network sees of them, and by whom they are, numbered from 0.
        hooks: what follows the fit.
        seed: of batches and crops.

    Raises:
        GateError: the loss is no number any more.
    """
    keras.utils.set_random_seed(seed)
    settings = replace(
        recipe,
        image_size=crop_side(recipe),
        loss="supcon",
        optimizer="adamw",
        batch_size=BATCH,
        works_per_artist=WORKS_PER_ARTIST,
        epochs=recipe.tune_epochs,
        learning_rate=recipe.tune_rate,
        weight_decay=0.0,
    )
    with mixed_precision(recipe.mixed_precision == "on"):
        on_crops = _copy(network, recipe, settings.image_size)
    _freeze(on_crops)
    projection = fit_projection(seen.features, seen.labels, COMPONENTS)
    width = min(WIDTH, projection.kernel.shape[1])
    tower = with_head(on_crops, build_readout(projection, seen.features, seen.labels, width), recipe.tower)
    artists = int(seen.labels.max()) + 1
    objective = SupCon(tower, TEMPERATURE)
    steps = steps_per_epoch(settings, len(paintings), pairs=0)
    hooks.say(f"tuning {recipe.tower} on {len(paintings):,} works, epochs: {recipe.tune_epochs} …")
    dataset = crop_dataset(paintings, seen.labels, settings, seed)
    run_epochs(settings, objective, dataset, steps, artists, hooks, None, rate_flag="--tune-rate")
    return _copy(on_crops, recipe, recipe.image_size)


def crop_side(recipe: Recipe) -> int:
    """The side, in px, of the crops that a recipe's network is tuned on."""
    grid, least = (PATCH, PATCH) if recipe.tower == "dinov2-small" else (GRID, SMALLEST)
    return min(recipe.image_size, max(least, round(CROP * recipe.image_size / grid) * grid))


def _copy(network: keras.Model, recipe: Recipe, side: int) -> keras.Model:
    """The same network for inputs of another size."""
    copy = build_features(cast(BackboneName, recipe.tower), side, NONE)
    copy.set_weights(network.get_weights())
    return copy


def _freeze(network: keras.Model) -> None:
    """Leave the upper half to be tuned, without its batch norms: of their statistics a small batch says too little."""
    parts = _with_weights(network)
    for number, layer in enumerate(parts):
        if number < len(parts) // 2 or isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def _with_weights(model: keras.Model) -> list[keras.Layer]:
    """The layers of a network that have weights, those of the networks inside it, too, from input to output."""
    found: list[keras.Layer] = []
    for layer in model.layers:
        found += _with_weights(layer) if isinstance(layer, keras.Model) else [layer] if layer.weights else []
    return found


def crop_dataset(
    paintings: Sequence[NDArray[np.uint8]], labels: NDArray[np.int64], recipe: Recipe, seed: int
) -> tf.data.Dataset:
    """Endless batches of (crops uint8 (B, S, S, 3), labels (B,)) of P artists x K works; S is the recipe's image size.

    Where the recipe augments, it takes its views of crops somewhat larger than S, or as large as the works are.
    """
    whole = paintings[0].shape[0]
    side = recipe.image_size if recipe.augment == "none" else min(whole, round(SOURCE_MARGIN * recipe.image_size))

    def batches() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        rng = np.random.default_rng(seed)
        for chosen in artist_batches(labels, recipe, seed):
            corners = rng.integers(0, whole - side + 1, (len(chosen), 2))
            crops = [paintings[work][y : y + side, x : x + side] for work, (y, x) in zip(chosen, corners, strict=True)]
            yield np.stack(crops), labels[chosen]

    return views_of(batches, side, recipe, seed)


class FeatureExtractor:
    """What a network sees of all works, as it came or after it was tuned on some of them."""

    def __init__(
        self,
        recipe: Recipe,
        network: keras.Model,
        pixels: Sequence[NDArray[np.uint8]],
        labels: NDArray[np.int64],
        hooks: FitHooks,
        seed: int,
    ) -> None:
        """`pixels`: parts of the works, uint8 (., S, S, 3), in the order of their labels (N,)."""
        self.recipe = recipe
        self.network = network
        self.pixels = pixels
        self.labels = labels
        self.hooks = hooks
        self.seed = seed
        self.frozen = self._seen(network)

    def after(self, rows: NDArray[np.int64]) -> tuple[keras.Model, LabelledFeatures]:
        """The network and what it sees of all works, tuned first on those in these rows where the recipe says so."""
        if self.recipe.tune_epochs == 0:
            return self.network, self.frozen
        paintings = [painting for part in self.pixels for painting in part]
        known = self.frozen.of(rows)
        network = tune(self.recipe, self.network, [paintings[row] for row in rows], known, self.hooks, self.seed)
        return network, self._seen(network)

    def _seen(self, network: keras.Model) -> LabelledFeatures:
        told = partial(self.hooks.progress, "features")
        return LabelledFeatures(np.concatenate([compute(network, part, told) for part in self.pixels]), self.labels)
