"""Decoding of the 64 paintings of gallery/ by two threads of artsim.images.load, compared with a plain Pillow loop.

Command:   ARTSIM_DATA=DIR python benchmarks/decoding.py          (reads DIR/gallery/*.jpg, 843 px wide JPEGs)
Expected:  two threads at no less than 1.5 times the plain loop; measured 1.87 times on two idle cores (152 images/s
           against 81), one thread 1.00 times. If another job uses one of the cores, two threads gain nothing.
Hardware:  2 cores, x86-64, no GPU; Python 3.11, Pillow 13.0.0
Date:      2026-11

The plain loop has one thread and what a careful user of Pillow writes: `draft` to twice the target, `resize` with the
same filter and `reducing_gap`, RGB, a black square. Both decode to 256 px. Their rounds alternate, so that a busy
machine slows both. The exit code is 1 if the expectation is not met.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artsim.images import load

SIZE = 256
THREADS = 2
ROUNDS = 9
EXPECTED = 1.5


def plain(path: Path) -> NDArray[np.uint8]:
    """What the loop does with one file."""
    with Image.open(path) as picture:
        scale = SIZE / max(picture.size)
        width, height = (max(1, round(side * scale)) for side in picture.size)
        picture.draft("RGB", (2 * width, 2 * height))
        small = picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0).convert("RGB")
    square = np.zeros((SIZE, SIZE, 3), np.uint8)
    left, top = (SIZE - width) // 2, (SIZE - height) // 2
    square[top : top + height, left : left + width] = np.asarray(small)
    return square


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(paths: list[Path]) -> dict[str, float]:
    """Median images per second of each side."""
    ours = partial(load, size=SIZE)
    with ThreadPoolExecutor(THREADS) as threads:
        sides: dict[str, Callable[[], object]] = {
            "plain Pillow loop, 1 thread": lambda: [plain(path) for path in paths],
            "artsim.images.load, 1 thread": lambda: [ours(path) for path in paths],
            f"artsim.images.load, {THREADS} threads": lambda: list(threads.map(ours, paths)),
        }
        for work in sides.values():  # once for the file cache and the imports
            work()
        rounds = [{name: seconds(work) for name, work in sides.items()} for _ in range(ROUNDS)]
    return {name: len(paths) / statistics.median(each[name] for each in rounds) for name in sides}


def gallery() -> list[Path]:
    """The files, or the reason why there are none."""
    folder = os.environ.get("ARTSIM_DATA")
    if not folder:
        sys.exit("ARTSIM_DATA is not set: it names the folder that has gallery/ with JPEGs in it")
    paths = sorted(Path(folder, "gallery").glob("*.jpg"))
    return paths or sys.exit(f"{Path(folder, 'gallery')}: no *.jpg in it")


def main() -> int:
    """Measure, print and compare with the expectation."""
    paths = gallery()
    speeds = measure(paths)
    base, *others = speeds.items()
    print(f"{len(paths)} images to {SIZE} px, median of {ROUNDS} alternating rounds")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; other work on them lowers the ratio")
    print(f"{base[0]:32} {base[1]:6.1f} images/s")
    for name, speed in others:
        print(f"{name:32} {speed:6.1f} images/s   {speed / base[1]:.2f} x")
    ratio = others[-1][1] / base[1]
    verdict = "met" if ratio >= EXPECTED else "NOT met"
    print(f"expectation {verdict}: {ratio:.2f} x the plain loop, {EXPECTED} or more expected")
    return 0 if ratio >= EXPECTED else 1


if __name__ == "__main__":
    sys.exit(main())
