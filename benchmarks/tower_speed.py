"""Images/s of the recipes' towers in onnxruntime, in alternating rounds.

    python -m benchmarks.tower_speed

The towers have random weights, except `base`, which comes with artsim. Batches of 32 noise images of the tower's size,
all cores, median of 5 rounds.

Expected: `compact` at least 20 times `classic`. `base`, the tower that artsim uses where no other is named, at least
2.5 times `readout` on MobileNet at 384 px, which was the fastest pretrained tower of 0.1, and 5 times in int8.
Measured on 2026-11-27 on 2 EPYC cores beside other work, in images/s: `compact` 544, `classic` 26.6; MobileNet 50.9,
`base` 193 (3.8 times) and in int8 336 (6.6 times), `readout` without enlargement 164 (3.2 times). All met. `readout`
itself, which enlarges its input, has 66 (1.3 times) and in int8 102.
"""

from __future__ import annotations

from benchmarks import with_tensorflow  # noqa: F401 - it starts TensorFlow, so it comes first

# isort: split

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from artsim.export.convert import convert, write
from artsim.export.quantization import to_int8
from artsim.scoring.contract import Calibration, Card
from artsim.scoring.session import Tower, open_tower
from artsim.towers import BASE
from artsim.training.loop.fit import prepare
from artsim.training.networks.towers import build_tower
from artsim.training.recipes import RECIPES, Recipe, recipe_of
from benchmarks.data import verdict

BATCH, ROUNDS = 32, 5
CALIBRATION_IMAGES = 16  # noise, as the speed of int8 does not depend on the ranges
OLD, BASE_LIKE = "mobilenet 384", "base, random"
BASE_FLAGS = {"enlarge": 1.0, "feature_maps": "half", "embedding_size": 256}  # those of tools/make_base_tower.py
# The least ratio of the images/s of two towers.
EXPECTED = {("compact", "classic"): 20.0, ("base", OLD): 2.5, (f"{BASE_LIKE} int8", OLD): 5.0}


def main() -> int:
    """Alternate between the towers."""
    with tempfile.TemporaryDirectory() as folder:
        towers = {"base": open_tower(BASE, "cpu"), **dict(_exported(Path(folder)))}
        seconds: dict[str, list[float]] = {name: [] for name in towers}
        for _ in range(ROUNDS + 1):
            for name, tower in towers.items():
                seconds[name].append(_seconds(tower))
    speeds = {name: BATCH / median(times[1:]) for name, times in seconds.items()}  # the first round warms up
    for name, speed in speeds.items():
        print(f"{name:<20} {towers[name].card.image_size:>4} px  {speed:7.1f} images/s")
    good = [
        verdict(speeds[one] >= least * speeds[other], f"{one} at {least:g} times the speed of {other} or more")
        for (one, other), least in EXPECTED.items()
    ]
    return max(good)


def _exported(folder: Path) -> Iterator[tuple[str, Tower]]:
    """The towers of the recipes with random weights, and the pretrained ones in int8 too."""
    random = {"weights": "none"}
    recipes = {name: recipe_of(name, random if recipe.is_pretrained else {}) for name, recipe in RECIPES.items()}
    recipes[OLD] = recipe_of("readout", {**random, "tower": "mobilenet"})
    recipes["readout, enlarge 1"] = recipe_of("readout", {**random, "enlarge": 1.0})
    recipes[BASE_LIKE] = recipe_of("readout", random | BASE_FLAGS)
    for name, recipe in recipes.items():
        graph = _graph(recipe)
        yield name, _opened(graph, recipe, folder / f"{name}.onnx")
        if name in (OLD, "readout", BASE_LIKE):
            int8 = to_int8(graph, _noise(CALIBRATION_IMAGES, recipe.image_size))
            yield f"{name} int8", _opened(int8, recipe, folder / f"{name}-int8.onnx")


def exported(recipe: Recipe, path: Path) -> Tower:
    """The recipe's tower in ONNX, with random weights."""
    return _opened(_graph(recipe), recipe, path)


def _graph(recipe: Recipe) -> onnx.ModelProto:
    network = prepare(recipe, seed=0)
    if network is None:
        return convert(build_tower(recipe.tower, recipe.image_size, recipe.embedding_size))
    return convert(keras.Model(network.input, network.output))  # a head costs nothing beside it


def _opened(graph: onnx.ModelProto, recipe: Recipe, path: Path) -> Tower:
    card = Card(recipe.image_size, "euclidean", 1.0, Calibration(-1.0, 1.0), recipe.name, "0" * 64, "0")
    write(graph, card, path)
    return open_tower(path, "cpu")


def _noise(images: int, size: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (images, size, size, 3), dtype=np.uint8)


def _seconds(tower: Tower) -> float:
    batch = _noise(BATCH, tower.card.image_size)
    started = time.perf_counter()
    tower(batch)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
