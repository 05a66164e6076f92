"""Speed of a pretrained network on a CPU in TensorFlow, without and with oneDNN, in alternating processes.

    python -m benchmarks.onednn

TensorFlow turns oneDNN on by itself on CPUs with AVX512-VNNI only. artsim turns it on everywhere, unless
TF_ENABLE_ONEDNN_OPTS says otherwise. Measured are the features of noise images by EfficientNet-Lite0 with random
weights, and steps of its tuning.

Expected: with oneDNN at least 1.1 times as fast for both. Measured on 2026-11-26 on 2 EPYC cores with AVX2 only, beside
other work: features 25 to 31 and 35 to 41 images/s, a tuning of 4 steps 27 and 22 s with its compilation.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from statistics import median

import numpy as np

from benchmarks.data import verdict

ROUNDS, IMAGES, ARTISTS = 3, 192, 12
EXPECTED = 1.1


def main() -> int:
    """Alternate between both, and compare the medians."""
    if sys.argv[1:] == ["one"]:
        print(json.dumps(seconds()))
        return 0
    found: dict[str, list[dict[str, float]]] = {"0": [], "1": []}
    for _ in range(ROUNDS):
        for setting, runs in found.items():
            command = [sys.executable, "-m", "benchmarks.onednn", "one"]
            environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": setting}
            output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            runs.append(json.loads(output))
    verdicts = []
    for stage in ("features", "tuning"):
        without, with_it = (median(run[stage] for run in runs) for runs in found.values())
        print(f"{stage}: {without:.1f} s without oneDNN, {with_it:.1f} s with it")
        verdicts.append(verdict(without / with_it >= EXPECTED, f"{EXPECTED} times as fast: {without / with_it:.2f}"))
    return max(verdicts)


def seconds() -> dict[str, float]:
    """Seconds of the features of all images, and of one epoch of tuning."""
    from artsim.training.runtime import start_tensorflow

    start_tensorflow()
    from artsim.training.loop.crops import WorkCrops
    from artsim.training.loop.fit import prepare
    from artsim.training.loop.tuning import tune_network
    from artsim.training.networks.features import LabelledFeatures, compute_features
    from artsim.training.recipes import recipe_of
    from benchmarks.frozen import unattended

    recipe = replace(recipe_of("transfer", {"tower": "efficientnet-lite0", "weights": "none"}), tune_epochs=1)
    network = prepare(recipe, seed=0)
    side = recipe.image_size
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, side, side, 3), dtype=np.uint8)
    compute_features(network, images[:8], lambda *_: None)
    started = time.perf_counter()
    features = compute_features(network, images, lambda *_: None)
    of_features = time.perf_counter() - started
    works = LabelledFeatures.without_views(features, np.arange(IMAGES) % ARTISTS)
    stages = unattended(recipe, IMAGES)
    started = time.perf_counter()
    tune_network(recipe, network, WorkCrops(recipe, list(images)), works, stages, fit=1, seed=0)
    return {"features": of_features, "tuning": time.perf_counter() - started}


if __name__ == "__main__":
    sys.exit(main())
