"""Choice of artists and works from a csv as large as Painter by Numbers' training set.

    python -m benchmarks.choosing

The csv is synthetic: 79,433 rows of 1,584 artists, with the columns of Kaggle's train_info.csv. The benchmark reads it
and chooses the 100 artists with the most works, 50 works each.

Expected: under 1 s on 2 cores; the program of 2018 took 25 s to read the file.
Measured in 2026-11 on 2 shared AMD EPYC cores: 0.05 to 0.07 s.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from artsim.collection.catalogue import read_catalogue
from artsim.collection.selection import choose
from benchmarks.data import verdict

ROWS, ARTISTS = 79_433, 1_584
EXPECTED_SECONDS = 1.0


def main() -> int:
    """Make the csv, then read and choose a few times."""
    with tempfile.TemporaryDirectory() as folder:
        path = _write(Path(folder))
        seconds = []
        for _ in range(7):
            started = time.perf_counter()
            chosen, _notes = choose(read_catalogue(str(path), None, artists=100, works=50), 100, 50, seed=0)
            seconds.append(time.perf_counter() - started)
    print(f"{ROWS:,} rows, {len(chosen.table):,} works chosen: median {median(seconds):.2f} s")
    return verdict(median(seconds) < EXPECTED_SECONDS, f"under {EXPECTED_SECONDS} s")


def _write(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    artists = np.concatenate([np.arange(ARTISTS), rng.zipf(1.3, ROWS - ARTISTS) % ARTISTS])
    table = pd.DataFrame(
        {
            "filename": [f"{number}.jpg" for number in range(ROWS)],
            "artist": [f"artist {number}" for number in rng.permutation(artists)],
            "title": "Untitled, with a comma",
            "style": "Impressionism",
            "genre": "landscape",
            "date": "1890.0",
        }
    )
    (folder / "0.jpg").touch()
    table.to_csv(folder / "train_info.csv", index=False)
    return folder / "train_info.csv"


if __name__ == "__main__":
    sys.exit(main())
