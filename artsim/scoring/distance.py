"""Distances of pairs of embeddings.

    rms         sqrt(mean((a - b)²))
    euclidean   sqrt(sum((a - b)²))

Differences are taken in float32 and their squares summed in float64, which keeps every distance within 1e-6 of the one
in float64; an image and itself are 0 apart, exactly. Each pair reads two rows of the embeddings where they lie, and
nothing is written but its distance, so that memory is the limit: benchmarks/pair_stage.py compares.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artsim.scoring.contract import DistanceName


def pair_distances(
    embeddings: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64], name: DistanceName
) -> NDArray[np.float32]:
    """The distance of each of N pairs, float32 (N,); other threads go on meanwhile.

    Args:
        embeddings: (M, D).
        first: (N,) the row of each pair's first image.
        second: (N,) the row of its second one.
        name: which distance.

    Raises:
        IndexError: a row that is not there.
    """
    for rows in (first, second):
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(embeddings)):
            raise IndexError(f"rows of pairs are 0 to {len(embeddings) - 1}")
    out = np.empty(len(first), dtype=np.float32)  # (N,)
    width = embeddings.shape[1]
    _fill(
        # As it was compiled for: arrays that can be written to, though they are not.
        np.require(embeddings, np.float32, ["C", "W"]),
        np.require(first, np.int64, ["C", "W"]),
        np.require(second, np.int64, ["C", "W"]),
        1.0 / width if name == "rms" else 1.0,
        out,
    )
    return out


def _distances(embeddings, first, second, scale, out):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    for pair in range(len(out)):
        one, other = embeddings[first[pair]], embeddings[second[pair]]
        total = 0.0
        for axis in range(embeddings.shape[1]):
            difference = np.float64(one[axis] - other[axis])
            total += difference * difference
        out[pair] = np.sqrt(total * scale)


def _compile(function: Any) -> Any:
    """Machine code, kept beside this module or in the user's cache, made anew each time where neither can be."""
    signature = "void(float32[:, ::1], int64[::1], int64[::1], float64, float32[::1])"
    # Lets wide registers be used; nothing else of IEEE 754 is given up.
    sums_in_any_order = {"reassoc", "contract"}
    try:
        return njit(signature, nogil=True, fastmath=sums_in_any_order, cache=True)(function)
    except RuntimeError:  # neither folder can be written to
        return njit(signature, nogil=True, fastmath=sums_in_any_order)(function)


_fill: Any = _compile(_distances)
