"""Images/s of the recipes' towers in onnxruntime, in alternating rounds.

    python -m benchmarks.tower_speed

The towers have random weights. Batches of 32 noise images of the recipe's size, all cores, median of 5 rounds.

Expected: `compact` at least 20 times `classic`. Measured on 2026-11-25 on 2 idle EPYC cores: 22 times, 333 and 15.3
images/s; `readout`, `transfer` and `strong` 38.
"""

from __future__ import annotations

from benchmarks import with_tensorflow  # noqa: F401 - it starts TensorFlow, so it comes first

# isort: split

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import keras
import numpy as np

from artsim.export.convert import convert, write
from artsim.scoring.contract import Calibration, Card
from artsim.scoring.session import Tower, open_tower
from artsim.training.loop.fit import prepare
from artsim.training.networks.towers import build_tower
from artsim.training.recipes import RECIPES, Recipe, recipe_of
from benchmarks.data import verdict

BATCH, ROUNDS = 32, 5
EXPECTED = 20.0


def main() -> int:
    """Alternate between the towers."""
    with tempfile.TemporaryDirectory() as folder:
        towers = {name: exported(recipe, Path(folder) / f"{name}.onnx") for name, recipe in _recipes().items()}
        seconds: dict[str, list[float]] = {name: [] for name in towers}
        for _ in range(ROUNDS + 1):
            for name, tower in towers.items():
                seconds[name].append(_seconds(tower))
    speeds = {name: BATCH / median(times[1:]) for name, times in seconds.items()}  # the first round warms up
    for name, speed in speeds.items():
        print(f"{name:<10} {towers[name].card.image_size:>4} px  {speed:7.1f} images/s")
    ratio = speeds["compact"] / speeds["classic"]
    print(f"compact / classic: {ratio:.0f}")
    return verdict(ratio >= EXPECTED, f"compact at least {EXPECTED:.0f} times classic")


def _recipes() -> dict[str, Recipe]:
    random = {"weights": "none"}
    return {name: recipe_of(name, random if recipe.is_pretrained else {}) for name, recipe in RECIPES.items()}


def exported(recipe: Recipe, path: Path) -> Tower:
    """The recipe's tower in ONNX, with random weights."""
    network = prepare(recipe, seed=0)
    if network is None:
        network = build_tower(recipe.tower, recipe.image_size, recipe.embedding_size)
    else:  # a head costs nothing beside it
        network = keras.Model(network.input, network.output)
    card = Card(recipe.image_size, "euclidean", 1.0, Calibration(-1.0, 1.0), recipe.name, "0" * 64, "0")
    write(convert(network), card, path)
    return open_tower(path, "cpu")


def _seconds(tower: Tower) -> float:
    size = tower.card.image_size
    batch = np.random.default_rng(0).integers(0, 256, (BATCH, size, size, 3), dtype=np.uint8)
    started = time.perf_counter()
    tower(batch)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
