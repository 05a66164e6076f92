"""What scoring on Spark costs: a model of time against images, pairs and executors, fitted to measurements.

    ARTSIM_DATA=... python -m benchmarks.cluster [--model tower.onnx]

    seconds = start + images · a / executors + pairs · (b / executors + c)

`artsim score --engine spark --master local-cluster[N,1,1024]`, N = 1 and 2 executor processes of one core, on names
for the 64 photographs of gallery/ (843 px JPEGs) with the tower of `compact` (random weights, unless a model is given),
whole process. a is decoding and embedding, b joining and distances, c what the driver does alone: reading, numbering,
counting.

Expected: the model is within 25 % of every measurement. {measured}
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from benchmarks.data import data, verdict

EXECUTORS = (1, 2)
SIZES = ((64, 10_000), (1_024, 10_000), (64, 2_000_000))  # images, pairs
CONSTANTS = ("start, s", "a, ms an image", "b, µs a pair", "c, µs a pair")


def main() -> int:
    """Measure, fit, print, and compare with the expectation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    points = [(images, pairs, executors) for executors in EXECUTORS for images, pairs in SIZES]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = (arguments.model or _compact(folder / "compact.onnx")).absolute()
        seconds = np.array([_seconds(folder, model, *point) for point in points])
    return report(points, seconds)


def report(points: list[tuple[int, int, int]], seconds: NDArray[np.float64]) -> int:
    """Fit the constants, none below 0, and say how well they describe what was measured."""
    terms = np.array([[1, images / by, pairs / by, pairs] for images, pairs, by in points])
    weights = 1 / seconds  # errors are shares of a time
    constants, _ = nnls(terms * weights[:, None], np.ones(len(points)))
    fitted = terms @ constants
    print("images     pairs  executors  seconds   model")
    for (images, pairs, by), measured, model in zip(points, seconds, fitted, strict=True):
        print(f"{images:6,} {pairs:9,} {by:10} {measured:8.1f} {model:7.1f}")
    for label, value in zip(CONSTANTS, constants * [1, 1e3, 1e6, 1e6], strict=True):
        print(f"{label}: {value:.2f}")
    error = float(np.abs(fitted / seconds - 1).max())
    return verdict(error < 0.25, f"the model within 25 % of every measurement ({error:.0%})")


def _seconds(folder: Path, model: Path, images: int, pairs: int, executors: int) -> float:
    """One run, whole process."""
    works = folder / f"{images}-{pairs}-{executors}"
    works.mkdir()
    photographs = sorted(data("gallery").glob("*.jpg"))
    for number in range(images):
        (works / f"{number}.jpg").symlink_to(photographs[number % len(photographs)])
    chosen = np.random.default_rng(0).integers(0, images, (pairs, 2))
    rows = "".join(f"{first}.jpg,{second}.jpg\n" for first, second in chosen.tolist())
    (works / "pairs.csv").write_text("image1,image2\n" + rows)
    command = [
        *(sys.executable, "-m", "artsim", "score", "--model", str(model), str(works / "pairs.csv"), "--quiet"),
        *("--engine", "spark", "--master", f"local-cluster[{executors},1,1024]", "-o", str(works / "scores.parquet")),
    ]
    scratch = {name: str(folder) for name in ("SPARK_WORKER_DIR", "SPARK_LOCAL_DIRS")}
    started = time.perf_counter()
    subprocess.run(command, check=True, env=os.environ | scratch | {"PYTHONPATH": str(Path.cwd())})
    return time.perf_counter() - started


def _compact(path: Path) -> Path:
    # TensorFlow, which takes its time to import, is not needed where a model is given.
    from artsim.training.recipes import RECIPES
    from benchmarks.tower_speed import exported

    exported(RECIPES["compact"], path)
    return path


if __name__ == "__main__":
    sys.exit(main())
