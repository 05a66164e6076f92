"""Seconds for paintings by a whole pretrained network, and by its upper half alone: features, and steps of tuning.

    python -m benchmarks.halves

A training that tunes its network runs the lower half once. The upper half is tuned in each fit, on crops of what the
lower half gives, and computes features. Both ways run in turn, on noise images, with the network of `transfer` and
random weights. Without the halves, tuning sees crops of the images.

Expected: features take at most 0.4 times as long, and are the same; tuning takes at most 0.8 times as long.
Measured on 2026-11-28 on 2 cores beside other work: 0.26 times, without any difference, and 0.67 times.
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

ROUNDS, IMAGES, ARTISTS, STEPS = 5, 96, 12, 4
MOST_FOR_FEATURES, MOST_FOR_STEPS, TOLERANCE = 0.4, 0.8, 1e-5


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
    of_steps = _ratio(f"{STEPS} steps of tuning", lambda: next(of_works), lambda: next(of_maps))
    met = of_features <= MOST_FOR_FEATURES and difference <= TOLERANCE and of_steps <= MOST_FOR_STEPS
    return verdict(met, f"at most {MOST_FOR_FEATURES} times as long for the same features, {MOST_FOR_STEPS} for steps")


def _ratio(what: str, before: Callable[[], object], by_halves: Callable[[], object]) -> float:
    """How many times as long the second way takes as the first, both in turn."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(1 + ROUNDS):  # the first round traces the graphs and fills the lower half
        for run, found in zip((before, by_halves), seconds, strict=True):
            started = time.perf_counter()
            run()
            found.append(time.perf_counter() - started)
    slow, fast = (median(found[1:]) for found in seconds)
    print(f"{what}: {slow:.2f} s by the whole network, {fast:.2f} s by its upper half, {fast / slow:.2f} times as long")
    return fast / slow


def _steps(crops: Crops, network: keras.Model, labels: NDArray[np.int64]) -> Iterator[None]:
    """Tuning, STEPS steps at a time."""
    import keras

    from artsim.training.loop.losses import SupCon
    from artsim.training.networks.halves import freeze_lower_half

    on_crops = crops.network(network)
    freeze_lower_half(on_crops)
    features = keras.Input((network.output_shape[1],))
    readout = keras.Model(features, keras.layers.UnitNormalization()(features))
    objective = SupCon(crops.embedder(on_crops, readout))
    objective.model.compile(optimizer="adam", loss=objective.loss, jit_compile=False)
    batches = iter(crops.batches(labels, seed=0))
    while True:
        for _ in range(STEPS):  # more than the one batch that is made while the other way runs
            objective.model.train_on_batch(*next(batches))
        yield


if __name__ == "__main__":
    sys.exit(main())
