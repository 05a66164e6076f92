"""Seconds for paintings by a whole pretrained network, and by its upper half alone: features, and steps of tuning.

    python -m benchmarks.halves

A training that tunes its network runs the lower half once. The upper half is tuned in each fit, on crops of what the
lower half gives, and computes features. Both ways run in turn, on noise images, with the network of `transfer` and
random weights. Without the halves, a step of tuning sees crops of the images.

Expected: features take at most 0.4 times as long, and are the same; a step of tuning takes at most 0.8 times as long.
Measured on 2026-11-28 on 2 EPYC cores beside other work: 0.30 times, without any difference, and 0.74 times.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import verdict

if TYPE_CHECKING:
    import keras

    from artsim.training.loop.crops import Crops

ROUNDS, IMAGES, ARTISTS = 5, 96, 12
FEATURES, STEP, TOLERANCE = 0.4, 0.8, 1e-5


def main() -> int:
    """Alternate between both ways, and compare the medians."""
    from artsim.training.runtime import start_tensorflow

    start_tensorflow()
    from artsim.training.loop.crops import MapCrops, WorkCrops
    from artsim.training.loop.fit import prepare
    from artsim.training.networks.features import compute_features
    from artsim.training.networks.halves import LowerOutputs, split
    from artsim.training.recipes import recipe_of

    recipe = recipe_of("transfer", {"weights": "none"})
    network = prepare(recipe, seed=0)
    halves = split(network, recipe)
    assert network is not None
    assert halves is not None
    side = recipe.image_size
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, side, side, 3), dtype=np.uint8)
    outputs = LowerOutputs(halves, IMAGES)
    whole, upper = (np.empty((IMAGES, network.output_shape[1]), np.float32) for _ in range(2))
    of_features = _ratio(
        f"features of {IMAGES} paintings",
        lambda: compute_features(network, images, lambda *_: None, whole),
        lambda: outputs.fill(halves.upper, images, 0, lambda *_: None, upper),
    )
    difference = float(np.abs(whole - upper).max() / np.abs(whole).max())
    print(f"largest difference {difference:.1e} of the largest feature")
    labels = np.arange(IMAGES) % ARTISTS
    of_works = _steps(WorkCrops(recipe, list(images)), network, labels)
    of_maps = _steps(MapCrops(recipe, [outputs, outputs], np.arange(IMAGES)), network, labels)
    of_step = _ratio("a step of tuning", lambda: next(of_works), lambda: next(of_maps))
    met = of_features <= FEATURES and difference <= TOLERANCE and of_step <= STEP
    return verdict(met, f"at most {FEATURES} times as long for the same features, and {STEP} times for a step")


def _ratio(what: str, whole: Callable[[], object], upper: Callable[[], object]) -> float:
    """How many times as long the upper half takes as the whole network, both in turn."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(1 + ROUNDS):  # the first round traces the graphs and fills the lower half
        for run, found in zip((whole, upper), seconds, strict=True):
            started = time.perf_counter()
            run()
            found.append(time.perf_counter() - started)
    slow, fast = (median(found[1:]) for found in seconds)
    print(f"{what}: {slow:.2f} s by the whole network, {fast:.2f} s by its upper half, {fast / slow:.2f} times as long")
    return fast / slow


def _steps(crops: Crops, network: keras.Model, labels: NDArray[np.int64]) -> Iterator[None]:
    """Steps of tuning, one after the other."""
    import keras

    from artsim.training.loop.losses import SupCon
    from artsim.training.networks.halves import tuned_layers, weighted_layers

    on_crops = crops.network(network)
    tuned = {id(layer) for layer in tuned_layers(on_crops)}
    for layer in weighted_layers(on_crops):
        layer.trainable = id(layer) in tuned
    features = keras.Input((network.output_shape[1],))
    readout = keras.Model(features, keras.layers.UnitNormalization()(features))
    objective = SupCon(crops.embedder(on_crops, readout))
    objective.model.compile(optimizer="adam", loss=objective.loss, jit_compile=False)
    for batch, of_artists in crops.batches(labels, seed=0):
        objective.model.train_on_batch(batch, of_artists)
        yield


if __name__ == "__main__":
    sys.exit(main())
