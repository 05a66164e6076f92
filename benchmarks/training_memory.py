"""The memory of `artsim train`, all of its processes together: on the real paintings, and on many made-up works.

    ARTSIM_DATA=... python -m benchmarks.training_memory readout transfer compact
    python -m benchmarks.training_memory readout --works 20000 -P image_size=128

The first command trains on the 2,506 works of paintings/train_info.csv, the second on works of the embedded collection,
50 by each artist, in a temporary folder or in that of `--folder`. The memory is the proportional set size (PSS) of the
process and its workers, sampled. The pages of temporary files that a process maps count too.

Expected: each recipe takes at most `BOUND` GiB, on any number of works. Measured: docs/training.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from artsim.demo.folder import CSV, IMAGES, write_demo
from benchmarks.data import data, verdict
from benchmarks.worst_memory import tree_bytes

BOUND = 4.0  # GiB
WORKS_PER_ARTIST = 50
SAMPLED_EVERY = 0.1  # seconds
MOST_OF_AN_ARTIST = 160  # of the real paintings


def main() -> int:
    """Train by each recipe, and print a row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--works", type=int, help="number of made-up works; default: the real paintings")
    parser.add_argument("--folder", type=Path, help="of the made-up works")
    parser.add_argument("-P", dest="flags", action="append", default=[], metavar="NAME=VALUE", help="of the recipes")
    arguments = parser.parse_args()
    most = 0.0
    with tempfile.TemporaryDirectory() as name:
        collection = _collection(arguments, Path(name))
        print("| recipe | works | GiB | minutes |\n|---|---|---|---|")
        for recipe in arguments.recipes:
            flags = [f"recipe={recipe}", *collection, *arguments.flags]
            gib, minutes = _measured(flags, Path(name, recipe))
            print(f"| `{recipe}` | {arguments.works or 2506:,} | {gib:.2f} | {minutes:.1f} |", flush=True)
            most = max(most, gib)
    return verdict(most <= BOUND, f"at most {BOUND:g} GiB")


def _collection(arguments: argparse.Namespace, folder: Path) -> list[str]:
    """The flags that name the works."""
    if arguments.works is None:
        table, images, artists, each = data("paintings", CSV), data("paintings", IMAGES), 22, MOST_OF_AN_ARTIST
    else:
        folder, artists, each = (
            arguments.folder or folder / "works",
            arguments.works // WORKS_PER_ARTIST,
            WORKS_PER_ARTIST,
        )
        table, images = write_demo(folder, artists, each), folder / IMAGES
    numbers = [f"num_of_artists={artists}", f"num_of_images_per_artist={each}"]
    return [f"data_file_path={table.resolve()}", f"data_dir={images.resolve()}", *numbers]


def _measured(flags: list[str], folder: Path) -> tuple[float, float]:
    """Train, and measure GiB and minutes."""
    folder.mkdir()
    started, most = time.monotonic(), 0
    command = [sys.executable, "-m", "artsim", "train"]
    command += [part for flag in flags for part in (f"--{flag.partition('=')[0]}", flag.partition("=")[2])]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    process = psutil.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, tree_bytes(process))
        time.sleep(SAMPLED_EVERY)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with exit code {process.returncode}.")
    return most / 2**30, (time.monotonic() - started) / 60


if __name__ == "__main__":
    sys.exit(main())
