"""Images a second of the default recipe's training step, with and without XLA, on a constant batch.

    python -m benchmarks.train_step

Expected: XLA gains less than 20 % on 2 cores, which does not pay for its compilation in a run of minutes, so `fit`
leaves it off. Measured in 2026-11 on 2 shared AMD EPYC cores: 122 images/s without, 90 with.
"""

from __future__ import annotations

import sys
import time
from statistics import median

import numpy as np

from artsim.training.recipes import DEFAULT, RECIPES
from artsim.training.runtime import start_tensorflow
from benchmarks.data import verdict

STEPS, ROUNDS = 5, 5


def main() -> int:
    """Alternate between both, after each has compiled."""
    start_tensorflow()
    steps = {jit: _step(jit) for jit in (False, True)}
    first = {jit: _seconds(step, 1) for jit, step in steps.items()}
    speed: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(ROUNDS):
        for jit, step in steps.items():
            speed[jit].append(STEPS * RECIPES[DEFAULT].batch_size / _seconds(step, STEPS))
    for jit in steps:
        name = "with XLA" if jit else "without"
        print(f"{name:<9} first step {first[jit]:5.1f} s, then {median(speed[jit]):5.0f} images/s")
    return verdict(median(speed[True]) < 1.2 * median(speed[False]), "XLA to gain less than 20 %")


def _step(jit: bool) -> object:
    import keras

    from artsim.training.losses import build_objective
    from artsim.training.towers import build_tower

    recipe = RECIPES[DEFAULT]
    tower = build_tower(recipe.tower, recipe.image_size, recipe.embedding_size)
    objective = build_objective(recipe.loss, tower, recipe.num_of_artists)
    objective.model.compile(keras.optimizers.AdamW(1e-3), objective.loss, jit_compile=jit)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (recipe.batch_size, recipe.image_size, recipe.image_size, 3), dtype=np.uint8)
    labels = np.arange(recipe.batch_size) % recipe.num_of_artists
    return lambda: objective.model.train_on_batch(images, labels)


def _seconds(step: object, times: int) -> float:
    assert callable(step)
    started = time.perf_counter()
    for _ in range(times):
        step()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
