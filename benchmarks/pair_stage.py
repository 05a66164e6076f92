"""Distances of pairs, compared with NumPy's gather and einsum in blocks, and with the memory's bandwidth.

    python -m benchmarks.pair_stage [--width 128] [--pairs 2000000]

Expected: at least 2 times the speed of NumPy, on one core each, alternating in one run, median of 5 rounds. This holds
for the pairs of the published test in their order (all pairs within a group, one after the other), and for as many
random pairs. A pair reads two embeddings of 4 bytes a value. The resulting bytes a second are printed with those of
NumPy's copy of a large array, which counts reads and writes.

Measured on 2026-11-25 on 2 EPYC cores, where a copy moves 24 to 29 GB/s: 128 numbers, in groups 16 ns a pair (63 GB/s,
out of the cache), 4.3 times NumPy; at random 38 ns (27 GB/s), 5.5 times. 512 numbers: 50 ns (83 GB/s), 7.0 times; at
random 302 ns (14 GB/s: 47 MiB of embeddings exceed the cache), 3.0 times.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from numpy.typing import NDArray

from artsim.scoring.distance import pair_distances
from benchmarks.data import verdict

EXPECTED = 2.0
IMAGES, GROUPS = 23_817, 13
ROUNDS = 5

Rows = NDArray[np.int64]


def main() -> int:
    """Measure both orders and compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--pairs", type=int, default=2_000_000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(IMAGES, arguments.width)).astype(np.float32)
    print(f"memory            {_copy_bandwidth() / 1e9:6.1f} GB/s, by a copy")
    first, second = rng.integers(IMAGES, size=(2, arguments.pairs))
    ratios = [
        compare("in groups", embeddings, *grouped(arguments.pairs)),
        compare("at random", embeddings, first, second),
    ]
    return verdict(min(ratios) >= EXPECTED, f"at least {EXPECTED} times numpy")


def grouped(pairs: int) -> tuple[Rows, Rows]:
    """The first so many pairs inside the groups, in the published order."""
    size = IMAGES // GROUPS
    first, second = np.triu_indices(size, 1)
    group = np.arange(-(-pairs // len(first)))[:, None] * size
    return (group + first).ravel()[:pairs] % IMAGES, (group + second).ravel()[:pairs] % IMAGES


def compare(name: str, embeddings: NDArray[np.float32], first: Rows, second: Rows) -> float:
    """How many times faster than numpy, after a look at whether both say the same."""

    def ours() -> NDArray[np.float32]:
        return pair_distances(embeddings, first, second, "euclidean")

    def numpys() -> NDArray[np.float32]:
        return gather_and_einsum(embeddings, first, second)

    assert np.allclose(ours(), numpys(), rtol=1e-5)
    seconds = [(timed(ours), timed(numpys)) for _ in range(ROUNDS)]
    our, their = (median(each) for each in zip(*seconds, strict=True))
    moved = 2 * embeddings.shape[1] * 4
    print(
        f"{name:<10} artsim  {1e9 * our / len(first):6.1f} ns a pair: {moved} bytes, "
        f"{moved * len(first) / our / 1e9:.1f} GB/s\n{'':<10} numpy   {1e9 * their / len(first):6.1f} ns a pair"
    )
    ratio = median(one[1] / one[0] for one in seconds)
    print(f"{'':<10} ratio   {ratio:6.1f}")
    return ratio


def gather_and_einsum(
    embeddings: NDArray[np.float32], first: Rows, second: Rows, block: int = 4096
) -> NDArray[np.float32]:
    """The obvious fast way: blocks that stay in the cache."""
    out = np.empty(len(first), dtype=np.float32)
    for start in range(0, len(first), block):
        rows = slice(start, start + block)
        difference = embeddings[first[rows]] - embeddings[second[rows]]
        out[rows] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return out


def timed(run: Callable[[], object]) -> float:
    """Wall seconds."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _copy_bandwidth() -> float:
    """Bytes a second, read and written, of an array far beyond any cache."""
    source = np.ones(2**26, dtype=np.float32)
    target = np.empty_like(source)
    return 2 * source.nbytes / min(timed(lambda: np.copyto(target, source)) for _ in range(5))


if __name__ == "__main__":
    sys.exit(main())
