"""The memory, the time and the rows of artsim-score on hostile files, all of its processes together.

    python -m benchmarks.worst_memory [CASE ...]

The tables are those of `tests/tables/hostile.py`: small files that unpack to gigabytes. The pictures have `MEGAPIXELS`
million pixels each, in all formats of `benchmarks.decoding_memory` at once, and are scored with a tower of a few bytes.
The memory is the proportional set size (PSS) of the process and its workers, sampled.

Expected: at most `BOUND` GiB, an exit code of `CODES`, and a row of scores for each pair of pictures. The bound is the
2 GiB of decoding, 0.6 GiB for tables and libraries, and 0.1 GiB a worker. The embeddings are a few kilobytes here.

Measured on 2026-11-27 on 2 busy cores: pictures 1.75 GiB in 88 s, all 289 rows; tables at most 0.48 GiB in 169 s.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import psutil
from PIL import Image

from artsim.machine import core_count
from benchmarks.data import verdict
from benchmarks.decoding_memory import FILES as FORMATS
from benchmarks.seed_sample import COMMAND
from tests.tables.hostile import FILES as TABLES
from tests.towers import write_tower

BOUND = 2.0 + 0.6 + 0.1 * core_count()
CODES = {0, 3, 4}  # scored, refused, scored with bad pictures
MEGAPIXELS = 60  # of JPEG 2000 with alpha, these take 1.85 GiB by their estimate. A larger image may take more alone
PICTURES = "pictures"
SAMPLED_EVERY = 0.03  # seconds


@dataclass(frozen=True)
class Used:
    """What one run took."""

    code: int
    gib: float
    seconds: float


def measured(pairs: Path) -> Used:
    """Score pairs, and measure."""
    started, most = time.monotonic(), 0
    command = [*COMMAND, "--model", "tower.onnx", "--device", "cpu", "--quiet", pairs.name, "-o", "scores.csv"]
    process = psutil.Popen(command, cwd=pairs.parent, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, tree_bytes(process))
        time.sleep(SAMPLED_EVERY)
    return Used(process.returncode, most / 2**30, time.monotonic() - started)


def tree_bytes(process: psutil.Process) -> int:
    """The memory of a process and of those that it started; memory that they share counts once."""
    total = 0
    with suppress(psutil.Error):
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                total += each.memory_full_info().pss
    return total


def write_pictures(folder: Path) -> Path:
    """A picture of each format, all of them large, and pairs of each with each."""
    side = int((MEGAPIXELS * 1e6) ** 0.5)
    base = Image.linear_gradient("L").resize((side, side))
    for name, (mode, options) in FORMATS.items():
        base.convert("RGB" if mode in ("P", "RGBA", "CMYK") else mode).convert(mode).save(folder / name, **options)
    rows = "".join(f"{one},{other}\n" for one, other in product(FORMATS, FORMATS))
    (folder / "pictures.csv").write_text("image1,image2\n" + rows, encoding="utf-8")
    return folder / "pictures.csv"


def lost_rows(pairs: Path) -> int:
    """The rows of the pairs that the scores lack."""
    lines = [len(path.read_bytes().splitlines()) for path in (pairs, pairs.with_name("scores.csv"))]
    return lines[0] - lines[1]


def main() -> int:
    """Print a row for each case."""
    chosen = sys.argv[1:] or [*TABLES, PICTURES]
    good = True
    used = []
    print("| case | exit code | GiB | seconds | rows lost |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tower(folder / "tower.onnx")
        for case in chosen:
            pairs = write_pictures(folder) if case == PICTURES else write_table(folder, case)
            used.append(measured(pairs))
            lost = lost_rows(pairs) if case == PICTURES else 0  # the rows of the tables are counted by their test
            good &= used[-1].code in CODES and used[-1].gib <= BOUND and not lost
            print(f"| {case} | {used[-1].code} | {used[-1].gib:.2f} | {used[-1].seconds:.1f} | {lost} |", flush=True)
            (folder / "scores.csv").unlink(missing_ok=True)
    most = max(each.gib for each in used), max(each.seconds for each in used)
    print(f"at most {most[0]:.2f} GiB and {most[1]:.1f} s, on {core_count()} cores")
    return verdict(good, f"at most {BOUND:.1f} GiB, and no row lost")


def write_table(folder: Path, case: str) -> Path:
    """A hostile table."""
    suffix, write, _ = TABLES[case]
    path = folder / f"{case.replace(' ', '-')}{suffix}"
    write(path)
    return path


if __name__ == "__main__":
    sys.exit(main())
