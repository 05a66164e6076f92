"""artsim-score, killed at random moments and resumed by the same command.

    ARTSIM_DATA=... python -m benchmarks.killed [--times 10] [--pairs 3000000]

Each run is killed by SIGKILL at a random moment, while it reads, embeds or writes, and is then started again. It
embeds 60 images made from gallery/ with the classic tower, the slowest one. Expected: the file always has the same
bytes as that of an uninterrupted run, in csv and in parquet. The benchmark prints the cost of the kill: the time of
both runs minus that of one. It consists of Python's start, the first reading of the pairs, and the last few seconds of
embedding or writing.

Measured on 2026-11-25 on a busy machine: the same bytes all 20 times; a kill cost between nothing and 20 s there.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from itertools import islice, product
from pathlib import Path

from PIL import Image

from benchmarks.classic_tower import write_classic_tower
from benchmarks.data import data, verdict
from benchmarks.seed_sample import COMMAND

PICTURES = 60


def main() -> int:
    """Kill, resume, and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=3_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)  # noqa: S311 - moments, no secrets
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(Path(folder), arguments.pairs)
        same = [interrupted(Path(folder), f"scores.{suffix}", arguments.times, rng) for suffix in ("csv", "parquet")]
    return verdict(all(same), "the same bytes each time")


def write_inputs(folder: Path, count: int) -> None:
    """A tower, pictures of different sizes, and pairs of them."""
    write_classic_tower(folder / "tower.onnx")
    photographs = sorted(data("gallery").glob("*.jpg"))
    names = []
    for number in range(PICTURES):
        names.append(f"{number}.jpg")
        with Image.open(photographs[number % len(photographs)]) as picture:
            size = 300 + number
            picture.resize((size, size)).save(folder / names[-1], quality=90)
    pairs = "".join(f"{one},{other}\n" for one, other in product(names, names))
    lines = islice((pairs * (count // len(names) ** 2 + 1)).splitlines(keepends=True), count)
    (folder / "pairs.csv").write_text("image1,image2\n" + "".join(lines), encoding="utf-8")


def interrupted(folder: Path, output: str, times: int, rng: random.Random) -> bool:
    """Whether every run that was cut off ended with the bytes of the one that was not."""
    whole_seconds, _ = run(folder, output, None)
    wanted = digest(folder / output)
    print(f"{output}: {whole_seconds:.1f} s without interruption")
    same = True
    for _ in range(times):
        (folder / output).unlink()
        moment = rng.uniform(0, whole_seconds)
        seconds, killed = run(folder, output, moment)
        rest, _ = run(folder, output, None)
        equal = digest(folder / output) == wanted
        same &= equal
        said = f"killed after {seconds:5.1f} s" if killed else "ended before it was killed"
        print(f"  {said}, {rest:5.1f} s more: {seconds + rest - whole_seconds:+5.1f} s, {'same' if equal else 'OTHER'}")
    return same


def run(folder: Path, output: str, moment: float | None) -> tuple[float, bool]:
    """Seconds of one run, killed at a moment unless it ends before, and whether it was."""
    started = time.perf_counter()
    arguments = ["--model", "tower.onnx", "pairs.csv", "-o", output, "--quiet"]
    process = subprocess.Popen([*COMMAND, *arguments], cwd=folder)
    try:
        process.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return time.perf_counter() - started, True
    if process.returncode:
        sys.exit(f"artsim-score ended with {process.returncode}")
    return time.perf_counter() - started, False


def digest(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
