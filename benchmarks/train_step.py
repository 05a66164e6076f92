"""Speed of the default recipe's training step on a constant batch: plain, with XLA, and with bfloat16.

    python -m benchmarks.train_step

Mixed precision is Keras's `mixed_bfloat16`: weights stay float32, layers compute in bfloat16. CPUs do not compute in
float16.

Expected: XLA gains less than 20 % on 2 cores, which does not pay for its compilation in a run of minutes. So `fit` does
not use it. bfloat16 gains more where the device multiplies in bfloat16, so `fit` uses it there.

Measured in 2026-11 on 2 idle AMD EPYC cores with avx512_bf16: 91 images/s with neither, 72 with XLA, 131 with bfloat16,
at the same loss.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from artsim.training.recipes import DEFAULT, RECIPES
from artsim.training.runtime import start_tensorflow
from benchmarks.data import verdict

STEPS, ROUNDS = 4, 5
PLAIN = "neither"
WAYS = {PLAIN: (False, False), "XLA": (True, False), "bfloat16": (False, True)}


def main() -> int:
    """Alternate between all, after each has compiled."""
    start_tensorflow()
    from artsim.training.devices import computes_in_bfloat16

    steps = {name: _step(*way) for name, way in WAYS.items()}
    first = {name: _seconds(step, 1) for name, step in steps.items()}
    speed: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            speed[name].append(STEPS * RECIPES[DEFAULT].batch_size / _seconds(step, STEPS))
    for name, step in steps.items():
        print(f"{name:<9} first step {first[name]:5.1f} s, then {median(speed[name]):5.0f} images/s, loss {step():.3f}")
    gain = {name: median(speed[name]) / median(speed[PLAIN]) for name in steps}
    verdicts = [verdict(gain["XLA"] < 1.2, f"XLA to gain less than 20 %: {gain['XLA']:.2f} times")]
    if computes_in_bfloat16():
        verdicts.append(verdict(gain["bfloat16"] > 1.2, f"bfloat16 to gain more: {gain['bfloat16']:.2f} times"))
    return max(verdicts)


def _step(jit: bool, mixed: bool) -> Callable[[], float]:
    import keras

    from artsim.training.devices import mixed_precision
    from artsim.training.loop.losses import build_objective
    from artsim.training.networks.towers import build_tower

    recipe = RECIPES[DEFAULT]
    with mixed_precision(mixed):
        tower = build_tower(recipe.tower, recipe.image_size, recipe.embedding_size)
    objective = build_objective(recipe.loss, tower, recipe.num_of_artists)
    objective.model.compile(keras.optimizers.AdamW(1e-3), objective.loss, jit_compile=jit)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (recipe.batch_size, recipe.image_size, recipe.image_size, 3), dtype=np.uint8)
    labels = np.arange(recipe.batch_size) % recipe.num_of_artists
    return lambda: float(objective.model.train_on_batch(images, labels))


def _seconds(step: Callable[[], float], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        step()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
