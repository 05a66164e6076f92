"""Small works, networks and crops of them for the tests of tuning."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.demo import paint
from artsim.training.loop.crops import MapCrops
from artsim.training.networks.features import LabelledFeatures, build_features, compute_features
from artsim.training.networks.halves import LowerOutputs, split
from artsim.training.recipes import RECIPES, Recipe

SIZE = 64
ARTISTS, WORKS = 3, 4


def painted() -> NDArray[np.uint8]:
    """Paintings uint8 (12, 64, 64, 3) by three painters, four each."""
    paintings = [paint(artist, work) for artist in range(ARTISTS) for work in range(WORKS)]
    return np.stack([np.asarray(painting.resize((SIZE, SIZE))) for painting in paintings])


def random_network() -> keras.Model:
    """With weights of such a size that what it sees does not fade from depth to depth, as in a trained one."""
    network = build_features(small(), SIZE, "none")
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        if variable.path.endswith("kernel"):
            height, width, channels, _ = variable.shape
            inputs = height * width * (1 if "conv_dw" in variable.path else channels)
            variable.assign(rng.normal(0, np.sqrt(2 / inputs), variable.shape))
    return network


def small(**changes: object) -> Recipe:
    settings = {"tower": "mobilenet", "weights": "none", "image_size": SIZE, "enlarge": 1.0, "tune_epochs": 2}
    return replace(RECIPES["transfer"], **{**settings, **changes})  # type: ignore[arg-type]


def seen_by(network: keras.Model, pixels: NDArray[np.uint8]) -> LabelledFeatures:
    return LabelledFeatures.without_views(
        compute_features(network, pixels, lambda *_: None), np.repeat(np.arange(ARTISTS), WORKS)
    )


def map_crops(
    recipe: Recipe, network: keras.Model, pixels: NDArray[np.uint8], views: NDArray[np.uint8] | None = None
) -> MapCrops:
    """Crops of the maps of works and of their views, which are the works themselves if none are given."""
    both = [lower_outputs(recipe, network, each) for each in (pixels, pixels if views is None else views)]
    return MapCrops(recipe, both, np.arange(len(pixels)))


def lower_outputs(recipe: Recipe, network: keras.Model, pixels: NDArray[np.uint8]) -> LowerOutputs:
    halves = split(network, recipe)
    assert halves is not None
    outputs = LowerOutputs(halves, len(pixels))
    features = np.empty((len(pixels), network.output_shape[1]), np.float32)
    outputs.fill(halves.upper, pixels, 0, lambda *_: None, features)
    return outputs
