"""The cost of scoring on Spark: a model of the time by images, pairs and executors, fitted to measurements.

    ARTSIM_DATA=... python -m benchmarks.spark [--model tower.onnx]

    seconds = start + (images · a + pairs · b) / executors + pairs · c

The command is `artsim score --engine spark --master local-cluster[N,1,1024]` with N = 1 and 2 executor processes of one
core. Many names stand for the 64 photographs of gallery/ (843 px JPEGs). The tower is that of `compact`, with random
weights unless a model is given. The benchmark measures the CPU time of the command and its processes, as other load on
the machine hardly changes it. a is decoding and embedding. b is joining, distances and writing. c is the work of the
driver alone. The start of an executor is part of `start`, once.

Expected: the model is within 20 % of every measurement. Measured on 2026-11-25 on 2 EPYC cores: within 6 %; start 39 s,
of which an executor's 12; a 24 ms an image; b 8.0 and c 0.2 µs a pair.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
from scipy.optimize import nnls

from artsim.scoring.spark.staging import stage_pairs
from artsim.tables.pairs_file import open_pairs
from benchmarks.data import data, verdict

EXECUTORS = (1, 2)
SIZES = ((64, 10_000), (1_024, 10_000), (64, 2_000_000))  # images, pairs
POLL_SECONDS = 0.25

Point = tuple[int, int, int]  # images, pairs, executors


def main() -> int:
    """Measure, fit, print, and compare with the expectation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    points = [(images, pairs, executors) for executors in EXECUTORS for images, pairs in SIZES]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = (arguments.model or _compact(folder / "compact.onnx")).absolute()
        measured = [_run(folder, model, point) for point in points]
        driver = _reading(folder, points[-1])
    return report(points, measured, driver)


def report(points: list[Point], measured: list[tuple[float, float]], driver: float) -> int:
    """Fit the constants, none below 0, and say how well they describe what was measured."""
    wall, cpu = np.array(measured).T
    terms = np.array([[1, executors, images, pairs] for images, pairs, executors in points])
    constants, _ = nnls(terms / cpu[:, None], np.ones(len(points)))  # errors are shares
    fitted = terms @ constants
    print("images     pairs  executors  wall, s  CPU, s   model")
    for (images, pairs, executors), *seconds in zip(points, wall, cpu, fitted, strict=True):
        print(f"{images:6,} {pairs:9,} {executors:10} " + " ".join(f"{each:8.1f}" for each in seconds))
    start, executor, image, pair = constants
    print(f"start {start + executor:.1f} s, of which an executor's {executor:.1f}; a {image * 1e3:.1f} ms an image")
    print(f"b {(pair - driver) * 1e6:.2f} µs a pair; c {driver * 1e6:.2f} µs a pair")
    error = float(np.abs(fitted / cpu - 1).max())
    return verdict(error < 0.20, f"the model within 20 % of every measurement ({error:.0%})")


def _run(folder: Path, model: Path, point: Point) -> tuple[float, float]:
    """One run: wall and CPU seconds."""
    _, _, executors = point
    works = _inputs(folder, point)
    command = [
        *(sys.executable, "-m", "artsim", "score", "--model", str(model), str(works / "pairs.csv"), "--quiet"),
        *("--engine", "spark", "--master", f"local-cluster[{executors},1,1024]", "-o", str(works / "scores.parquet")),
    ]
    scratch = {name: str(folder) for name in ("SPARK_WORKER_DIR", "SPARK_LOCAL_DIRS")}
    started = time.perf_counter()
    with subprocess.Popen(command, env=os.environ | scratch | {"PYTHONPATH": str(Path.cwd())}) as process:
        cpu = _cpu_seconds(process)
    assert process.returncode == 0
    return time.perf_counter() - started, cpu


def _cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Of a process and all below it, asked for again and again: some end without their parent's taking notice."""
    used: dict[psutil.Process, float] = {}
    root = psutil.Process(process.pid)
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            for each in [root, *root.children(recursive=True)]:
                times = each.cpu_times()
                used[each] = times.user + times.system
        time.sleep(POLL_SECONDS)
    return sum(used.values())


def _inputs(folder: Path, point: Point) -> Path:
    images, pairs, executors = point
    works = folder / f"{images}-{pairs}-{executors}"
    works.mkdir()
    photographs = sorted(data("gallery").glob("*.jpg"))
    for number in range(images):
        (works / f"{number}.jpg").symlink_to(photographs[number % len(photographs)])
    chosen = np.random.default_rng(0).integers(0, images, (pairs, 2))
    rows = "".join(f"{first}.jpg,{second}.jpg\n" for first, second in chosen.tolist())
    (works / "pairs.csv").write_text("image1,image2\n" + rows)
    return works


def _reading(folder: Path, point: Point) -> float:
    """CPU seconds a pair that the driver takes to read and number them."""
    images, pairs, executors = point
    works = folder / f"{images}-{pairs}-{executors}"
    started = time.process_time()
    with open_pairs(str(works / "pairs.csv")) as file:
        stage_pairs(file, works, works)
    return (time.process_time() - started) / pairs


def _compact(path: Path) -> Path:
    # TensorFlow, which takes its time to import, is not needed where a model is given.
    from artsim.training.recipes import RECIPES
    from benchmarks.tower_speed import exported

    exported(RECIPES["compact"], path)
    return path


if __name__ == "__main__":
    sys.exit(main())
