"""The embedding stage beside a bare loop of `session.run` over batches that are already decoded.

    ARTSIM_DATA=... python -m benchmarks.embedding_stage [--model tower.onnx]

Expected: at least 0.85 of the bare loop on the 64 photographs of gallery/ (843 px JPEGs) with the classic tower
(random weights, unless a model is given), same session, alternating in one run, median of 5 rounds. The stage can't
reach 1 where decoding takes its share of the same cores: the shares of CPU time are printed, and the ratio
that they allow if no core is ever idle.

Measured in 2026-11 on 2 shared AMD EPYC cores without a GPU: 0.858 where nothing else ran, 0.87 and 0.91 on a busy
machine. 11.7 CPU-ms to decode an image and 70.4 to embed it allow 0.857; what lies above is cores that the bare loop
leaves idle.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from artsim import images
from artsim.scoring.device import CPU
from artsim.scoring.embedding import decode_threads, embed
from artsim.scoring.scorer import BATCH_SIZES
from artsim.scoring.session import Tower, open_tower
from benchmarks.classic_tower import write_classic_tower
from benchmarks.data import data, verdict

EXPECTED = 0.85


def main() -> int:
    """Measure, print, and compare with the expectation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZES[CPU])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    files = sorted(data("gallery").glob("*.jpg"))
    with tempfile.TemporaryDirectory() as folder:
        tower = open_tower(arguments.model or write_classic_tower(Path(folder) / "classic.onnx"))
        return compare(tower, files, arguments.batch_size, arguments.rounds)


def compare(tower: Tower, files: list[Path], batch_size: int, rounds: int) -> int:
    """Alternate between decoding alone, the bare loop and the stage, after one warm-up batch."""
    load = partial(images.load, size=tower.card.image_size)
    decoded = np.stack([load(file) for file in files])  # (N, S, S, 3)
    tower(decoded[:batch_size])

    def bare() -> None:
        for start in range(0, len(files), batch_size):
            tower(decoded[start : start + batch_size])

    def stage() -> None:
        for _ in embed(tower, files, load, batch_size):
            pass

    def decoding() -> None:
        for file in files:
            load(file)

    measured = [[timed(run) for run in (decoding, bare, stage)] for _ in range(rounds)]
    walls, cpus = (np.median([[run[which] for run in one] for one in measured], axis=0) for which in (0, 1))
    print(f"{tower.provider}, batch {batch_size}, {decode_threads()} decode threads, {len(files)} images")
    for name, wall, cpu in zip(("decode, 1 thread", "bare session.run", "stage"), walls, cpus, strict=True):
        print(f"{name:<17} {len(files) / wall:6.1f} images/s  {1000 * cpu / len(files):6.1f} CPU-ms an image")
    ratio = median(one[1][0] / one[2][0] for one in measured)
    print(f"stage / bare      {ratio:6.3f}  (no core idle would allow {cpus[1] / (cpus[0] + cpus[1]):.3f})")
    return verdict(ratio >= EXPECTED, f"at least {EXPECTED}")


def timed(run: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds of a run."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    sys.exit(main())
