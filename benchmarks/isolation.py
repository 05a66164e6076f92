"""What decoding in worker processes costs, compared with threads: `embed_files` with the tower that comes with artsim.

    ARTSIM_DATA=/path/to/data python -m benchmarks.isolation

Expected: worker processes cost less than 10 % of images a second. That is why they are not optional.

| images | threads | worker processes |
|---|---|---|
| paintings/test, 256 x 256 px | 40.8 images/s | 47.2 images/s |
| gallery, 843 px wide | 18.9 images/s | 18.9 images/s |

Medians of 4 rounds in turns on 2 shared AMD EPYC cores, 2026-11-26; rounds differ by a third on that machine. Decoding
alone is slower by half for small pictures (350 instead of 700 images/s), which the tower, at 40 images/s, hides.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import artsim
from artsim import images
from artsim.decoders import DECODERS
from benchmarks.data import data, verdict
from tests.scoring.embedded import embed_files

ROUNDS = 4
MOST = 200


def in_threads(path: str, size: int, *, max_pixels: int, owner: object) -> Any:  # noqa: ARG001 - nothing to stop
    """Decode in this process."""
    return images.load(path, size, max_pixels=max_pixels)


def images_per_second(scorer: artsim.Scorer, folder: Path, names: list[str], load: Callable[..., Any]) -> float:
    """Embed the images once."""
    with patch.object(DECODERS, "load", load):
        started = time.perf_counter()
        embed_files(scorer, names, folder)
        return len(names) / (time.perf_counter() - started)


def main() -> int:
    """Print a row for each collection."""
    costs = []
    scorer = artsim.load(device="cpu")
    ways: dict[str, Callable[..., Any]] = {"threads": in_threads, "worker processes": DECODERS.load}
    print(f"| images | {' | '.join(ways)} |\n|---|---|---|")
    for part in ("paintings/test", "gallery"):
        folder = data(part)
        names = [path.name for path in sorted(folder.glob("*.jpg"))[:MOST]]
        speeds: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, load in ways.items():
                speeds[way].append(images_per_second(scorer, folder, names, load))
        print(f"| {part} | {' | '.join(f'{median(each):.1f} images/s' for each in speeds.values())} |")
        costs.append(1 - median(speeds["worker processes"]) / median(speeds["threads"]))
    return verdict(max(costs) < 0.1, "worker processes cost less than 10 %")


if __name__ == "__main__":
    sys.exit(main())
