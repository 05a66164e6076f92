"""The speed of `artsim nearest`: a gallery of 100,000 works with 512 values each.

    python -m benchmarks.nearest_speed

Expected: the first query takes under 1 s on 2 cores without a GPU, and further queries under 0.1 s each. The gallery is
in memory. The first query includes the ranking of 1,000 artists and the works that decide what is an outlier. The
embeddings are random, of length 1. The results are compared with all distances in float64. The time to read the same
works from an embedding store is printed too.

Measured in 2026-11 on 2 AMD EPYC cores with other load: 0.56 s for the first query, most of it for the 300 works that
decide what is an outlier, and 0.017 s for each further one; 2.1 s to read the works. With ten other busy processes,
0.8 to 2.1 s and 0.02 to 0.05 s.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from artsim.scoring.contract import Calibration, Card
from artsim.scoring.embedding_store import EmbeddingStore, read_store, write_store
from artsim.scoring.search import SearchIndex
from benchmarks.data import verdict

EXPECTED_FIRST = 1.0
EXPECTED_FURTHER = 0.1
QUERIES = 20
CARD = Card(384, "euclidean", 1.3, Calibration(-12.0, 16.0), "random", "0" * 64, "0.1.0")


def main() -> int:
    """Search, compare with float64, and the times with the expectation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--works", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--artists", type=int, default=1_000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(arguments.works + QUERIES, arguments.width)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    works, queries = drawn[:-QUERIES], drawn[-QUERIES:]
    artists = rng.integers(arguments.artists, size=len(works))
    print(f"read from kept embeddings  {_reading(works):6.2f} s")
    start = time.perf_counter()
    collection = SearchIndex(works, artists, "euclidean")
    print(f"made searchable            {time.perf_counter() - start:6.2f} s")
    start = time.perf_counter()
    found = list(collection.search(queries[:1], 10))
    first = time.perf_counter() - start
    print(f"first query                {first:6.2f} s")
    start = time.perf_counter()
    found += list(collection.search(queries[1:], 10))
    further = (time.perf_counter() - start) / (QUERIES - 1)
    print(f"each further one           {further:6.3f} s")
    for query, answer in zip(queries.astype(np.float64), found, strict=True):
        exact = np.sqrt(np.square(works - query).sum(axis=1))
        assert answer.works.tolist() == np.argsort(exact)[:10].tolist(), "not the nearest"
    met = first < EXPECTED_FIRST and further < EXPECTED_FURTHER
    return verdict(met, f"under {EXPECTED_FIRST} s for the first, under {EXPECTED_FURTHER} s for each further one")


def _reading(works: np.typing.NDArray[np.float32]) -> float:
    names = [f"{number}.jpg" for number in range(len(works))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "works.parquet"
        write_store(path, EmbeddingStore("0" * 64, CARD, names, ["0" * 64] * len(works), [None] * len(works), works))
        start = time.perf_counter()
        read_store(path)
        return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
