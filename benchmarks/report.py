"""The report of the published pairs: its time, its size, and its memory.

    python -m benchmarks.report

It scores the 51,040 pairs of works by unseen artists once, with the tower that comes with artsim, and keeps the scores
and the embeddings in a temporary folder. Then it makes the report by the command, with the summary, the works and the
embedding store.

Expected: at most 15 MB, and at most 60 s on two cores with nothing beside it.

Measured on 2026-11-27 on 2 EPYC cores shared with ten times their work: 45 s, of which 7 s were CPU time, 3.0 MB,
0.68 GB.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.data import data, verdict

MOST_SECONDS = 60.0
MOST_BYTES = 15_000_000


def main() -> int:
    """Score, then measure the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", type=Path, help="folder for the scores and the report; default: a temporary one")
    arguments = parser.parse_args()
    if arguments.keep is not None:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        return measure(arguments.keep)
    with tempfile.TemporaryDirectory(prefix="artsim-") as name:
        return measure(Path(name))


def measure(folder: Path) -> int:
    """Make the report in a folder that may hold the scores already."""
    scores, store, summary = (folder / name for name in ("scores.csv", "store.parquet", "summary.json"))
    images = ["--data-dir", str(data("paintings", "test")), "--embeddings", str(store)]
    if not (scores.is_file() and summary.is_file()):
        pairs = str(data("paintings", "pairs_unseen_artists.csv"))
        run("score", pairs, "-o", str(scores), "--summary", str(summary), *images)
    page = folder / "report.html"
    works = ["--works", str(data("paintings", "test_info.csv")), "--summary", str(summary)]
    started = time.perf_counter()
    run("report", str(scores), "-o", str(page), *images, *works)
    seconds, size = time.perf_counter() - started, page.stat().st_size
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"report  {seconds:6.1f} s, {size / 1e6:.1f} MB, peak memory {used.ru_maxrss / 1e6:.2f} GB")
    fits = seconds <= MOST_SECONDS and size <= MOST_BYTES
    return verdict(fits, f"at most {MOST_SECONDS:.0f} s and {MOST_BYTES / 1e6:.0f} MB")


def run(*arguments: str) -> None:
    """Run a command of artsim."""
    subprocess.run([sys.executable, "-m", "artsim", *arguments, "--quiet"], check=True)


if __name__ == "__main__":
    sys.exit(main())
