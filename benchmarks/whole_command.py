"""Pairs/s of the whole command on the 51,040 pairs of artists that no tower was trained on.

    ARTSIM_DATA=... python -m benchmarks.whole_command --model tower.onnx

Expected: more than 1.25 pairs/s, the speed of the 2018 program on 2 such cores. (Its two towers ran again for every
pair.) Python's start, reading, embedding, scoring, writing and metrics are included.

Measured in 2026-11 on 2 shared AMD EPYC cores with the default recipe's tower: 21,500 pairs/s.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.data import data, verdict
from benchmarks.seed_sample import COMMAND

OLD_PAIRS_PER_SECOND = 1.25


def main() -> int:
    """Run it a few times and compare the median with the old program."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    pairs, images = data("paintings", "pairs_unseen_artists.csv"), data("paintings", "test")
    with tempfile.TemporaryDirectory() as folder:
        scores = Path(folder) / "scores.csv"
        command = [*COMMAND, "--model", str(arguments.model), "--data-dir", str(images)]
        seconds = [_timed([*command, str(pairs), "-o", str(scores)]) for _ in range(arguments.runs)]
        rows = len(scores.read_text(encoding="utf-8").splitlines()) - 1
    rate = rows / median(seconds)
    print(f"{rows:,} pairs in {median(seconds):.1f} s: {rate:,.0f} pairs/s")
    print(f"the old program: {OLD_PAIRS_PER_SECOND} pairs/s, so {rate / OLD_PAIRS_PER_SECOND:,.0f} times as fast")
    return verdict(rate > OLD_PAIRS_PER_SECOND, f"more than {OLD_PAIRS_PER_SECOND} pairs/s")


def _timed(command: list[str]) -> float:
    """Wall seconds; the summary of the last run stays on the terminal."""
    started = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
