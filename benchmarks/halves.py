"""Seconds for the features of paintings by a whole pretrained network, and by its upper half alone.

    python -m benchmarks.halves

A training that tunes its network runs the lower half once, and the upper half for each fit. Both ways run in turn, on
noise images, with the network of `transfer` and random weights.

Expected: the upper half takes at most 0.4 times as long, and gives the same features. Measured on 2026-11-28 on 2 EPYC
cores beside much other work: 0.35 times, without any difference.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from benchmarks.data import verdict

ROUNDS, IMAGES = 5, 96
EXPECTED, TOLERANCE = 0.4, 1e-5


def main() -> int:
    """Alternate between both, and compare the medians."""
    from artsim.training.runtime import start_tensorflow

    start_tensorflow()
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
    lower_outputs = LowerOutputs(halves, IMAGES)
    whole, upper = (np.empty((IMAGES, network.output_shape[1]), np.float32) for _ in range(2))
    ways: dict[str, Callable[[], object]] = {
        "whole network": lambda: compute_features(network, images, lambda *_: None, whole),
        "upper half": lambda: lower_outputs.fill(halves.upper, images, 0, lambda *_: None, upper),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(1 + ROUNDS):  # the first round traces the graphs and fills the lower half
        for name, run in ways.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    medians = {name: median(found[1:]) for name, found in seconds.items()}
    for name, found in medians.items():
        print(f"{name}: {found:.2f} s for {IMAGES} paintings, {IMAGES / found:.0f} images/s")
    difference = float(np.abs(whole - upper).max() / np.abs(whole).max())
    ratio = medians["upper half"] / medians["whole network"]
    met = ratio <= EXPECTED and difference <= TOLERANCE
    print(f"upper half: {ratio:.2f} times as long; largest difference {difference:.1e} of the largest feature")
    return verdict(met, f"at most {EXPECTED} times as long, the same features")


if __name__ == "__main__":
    sys.exit(main())
