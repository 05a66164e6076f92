"""The whole command on the five pairs and nine paintings of seed-sample/.

    ARTSIM_DATA=... python -m benchmarks.seed_sample --model tower.onnx

Expected: under 3 s with `base` on 2 cores without a GPU, installed byte-compiled; the pairs have labels, so
the import of scikit-learn takes a good part of it.

Measured in 2026-11 on 2 shared AMD EPYC cores with the default recipe's tower: median 1.34 s; the very first
run, with nothing in the file cache, 3.15 s.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.data import data, verdict

EXPECTED_SECONDS = 3.0
COMMAND = [sys.executable, "-c", "from artsim.cli.main import score_main; score_main()"]


def main() -> int:
    """Run it several times and compare the median with the expectation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    folder = data("seed-sample")
    pairs, images = folder / "submission_info.csv", folder / "images"
    command = [*COMMAND, "--model", str(arguments.model), "--data-dir", str(images), str(pairs)]
    seconds = [_timed(command) for _ in range(arguments.runs)]
    print("seconds of each run: " + ", ".join(f"{second:.2f}" for second in seconds))
    print(f"median {median(seconds):.2f} s")
    return verdict(median(seconds) < EXPECTED_SECONDS, f"under {EXPECTED_SECONDS} s")


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
