"""The speed of `artsim pairs`: 23,817 works in 13 groups, with all pairs within each group.

    python -m benchmarks.making_pairs

Expected: the whole command in under 15 s for each format, in under 400 MB, on 2 cores. The csv has a
group and an artist for each work, so that the pairs have labels. The rows of each output are counted.

Measured in 2026-11 on 2 AMD EPYC cores with other load: csv in 3.0 s (7.3 M pairs/s), csv.gz 3.7, csv.zst
3.7, jsonl 6.2, parquet 2.9; 2.7 s of CPU time for csv; 196 to 233 MB. With ten other busy processes, 7 to 17 s.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pyarrow import parquet

from benchmarks.data import verdict

WORKS, GROUPS, ARTISTS = 23_817, 13, 1_584
EXPECTED_SECONDS, EXPECTED_MEGABYTES = 15.0, 400.0
SUFFIXES = ("csv", "csv.gz", "csv.zst", "jsonl", "parquet")


def main() -> int:
    """Write each format and compare time and memory with the expectation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.parse_args()
    sizes = [len(range(group, WORKS, GROUPS)) for group in range(GROUPS)]
    expected = sum(size * (size - 1) // 2 for size in sizes)
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        works = Path(folder) / "works.csv"
        rows = (f"{number}.jpg,{number % GROUPS},painter {number % ARTISTS}\n" for number in range(WORKS))
        works.write_text("filename,group,artist\n" + "".join(rows))
        for suffix in SUFFIXES:
            output = Path(folder) / f"pairs.{suffix}"
            command = [sys.executable, "-m", "artsim", "pairs", str(works), "--within", "group", "-o", str(output)]
            start = time.perf_counter()
            subprocess.run([*command, "--quiet"], check=True)
            seconds = time.perf_counter() - start
            assert counted(output) in (expected, None), f"{suffix}: not all pairs"
            speed = expected / seconds / 1e6
            size = output.stat().st_size / 1e6
            print(f"{suffix:<8} {expected:,} pairs in {seconds:5.1f} s, {speed:4.1f} M/s, {size:5.0f} MB", flush=True)
            slowest = max(slowest, seconds)
            output.unlink()
    megabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory {megabytes:.0f} MB")
    met = slowest < EXPECTED_SECONDS and megabytes < EXPECTED_MEGABYTES
    return verdict(met, f"under {EXPECTED_SECONDS} s and {EXPECTED_MEGABYTES} MB")


def counted(output: Path) -> int | None:
    """How many pairs a file has; None where counting would take zstd to unpack."""
    if output.suffix == ".parquet":
        return int(parquet.ParquetFile(output).metadata.num_rows)
    if output.suffix == ".zst":
        return None
    with gzip.open(output) if output.suffix == ".gz" else output.open("rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))
    return lines - ("csv" in output.name)


if __name__ == "__main__":
    sys.exit(main())
