"""Distances between pairs of embeddings.

    rms         sqrt(mean((a - b)²))
    euclidean   sqrt(sum((a - b)²))

Each can be multiplied by one factor for each of both embeddings, which a cohort gives (`artsim.scoring.cohort`).

Differences are taken in float32, and their squares are summed in float64. Every distance is then within 1e-6 of a
computation in float64, and the distance of an image to itself is exactly 0. The loop reads two rows of the embeddings
for each pair and makes no copies, so memory bandwidth is its limit (benchmarks/pair_stage.py compares alternatives).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from artsim.scoring.contract import DistanceName

_Floats: TypeAlias = NDArray[np.float32]
_Rows: TypeAlias = NDArray[np.int64]
_Loop: TypeAlias = Callable[[_Floats, _Floats, _Rows, _Rows, float, _Floats], None]


def pair_distances(
    embeddings: NDArray[np.float32],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    name: DistanceName,
    factor: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Compute the distances of N pairs, float32 (N,); the loop releases Python's lock.

    Args:
        embeddings: (M, D).
        first: (N,) row of each pair's first image in `embeddings`.
        second: (N,) row of each pair's second image.
        name: the kind of distance.
        factor: (M,) of each embedding; None: 1.

    Raises:
        IndexError: a row is negative, or M or more.
    """
    for rows in (first, second):
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(embeddings)):
            raise IndexError(f"a pair names a row outside of 0 to {len(embeddings) - 1}")
    out = np.empty(len(first), dtype=np.float32)  # (N,)
    width = embeddings.shape[1]
    if factor is None:
        factor = np.ones(len(embeddings), dtype=np.float32)
    _fill(
        # numba compiled the loop for writable arrays, although it only reads these.
        np.require(embeddings, np.float32, ["C", "W"]),
        np.require(factor, np.float32, ["C", "W"]),
        np.require(first, np.int64, ["C", "W"]),
        np.require(second, np.int64, ["C", "W"]),
        1.0 / width if name == "rms" else 1.0,
        out,
    )
    return out


def _distances(embeddings, factor, first, second, scale, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    for pair in range(len(out)):
        one, other = embeddings[first[pair]], embeddings[second[pair]]
        total = 0.0
        for axis in range(embeddings.shape[1]):
            difference = np.float64(one[axis] - other[axis])
            total += difference * difference
        # The product of two float32 is exact in float64, so the order of a pair does not matter.
        both = np.float64(factor[first[pair]]) * np.float64(factor[second[pair]])
        out[pair] = np.sqrt(total * scale) * both


def _compile(function: Callable[..., Any]) -> _Loop:
    """Compile the loop; numba caches it beside this module or in the user's cache folder, if it can write there."""
    signature = "void(float32[:, ::1], float32[::1], int64[::1], int64[::1], float64, float32[::1])"
    # Sums in any order allow vector instructions. The other rules of IEEE 754 stay in force.
    sums_in_any_order = {"reassoc", "contract"}
    compiled: _Loop
    try:
        compiled = njit(signature, nogil=True, fastmath=sums_in_any_order, cache=True)(function)
    except RuntimeError:  # numba can write to neither folder
        compiled = njit(signature, nogil=True, fastmath=sums_in_any_order)(function)
    return compiled


_fill = _compile(_distances)
