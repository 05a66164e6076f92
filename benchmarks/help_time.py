"""The time of `--help`, as a whole process.

    python -m benchmarks.help_time

Expected: under 0.4 s each, installed byte-compiled, on 2 shared cores. Measured in 2026-11: 0.04 s.
"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from benchmarks.data import verdict

EXPECTED_SECONDS = 0.4
PROGRAMS = {"artsim": "main", "artsim-score": "score_main"}


def main() -> int:
    """Time each program's help several times."""
    slowest = 0.0
    for name, function in PROGRAMS.items():
        command = [sys.executable, "-c", f"from artsim.cli.main import {function}; {function}()", "--help"]
        seconds = []
        for _ in range(9):
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - started)
        print(f"{name} --help: median {median(seconds):.3f} s, slowest {max(seconds):.3f} s")
        slowest = max(slowest, median(seconds))
    return verdict(slowest < EXPECTED_SECONDS, f"under {EXPECTED_SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
