"""Counts of same-artist and different-artist pairs at each value, in rising order of the values.

All metrics of pairs follow from these counts, a piece at a time. So they need 5 bytes a pair beside the values and
labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PIECE = 2**20  # pairs, about; large enough that NumPy does the work, small beside the values


@dataclass(frozen=True)
class ValueCounts:
    """Different values in rising order, and the number of pairs of each kind at each value; all (V,)."""

    value: NDArray[np.float32]
    same: NDArray[np.int64]
    different: NDArray[np.int64]


def value_counts(value: NDArray[np.float32], same: NDArray[np.uint8]) -> Iterator[ValueCounts]:
    """The counts of N pairs, in pieces; each value is in one piece only.

    Args:
        value: (N,) of each pair.
        same: (N,) 1 for the same artist, 0 for different ones.
    """
    alike, unlike = value[same == 1], value[same == 0]
    for each in (alike, unlike):
        each.sort()
    longer = max(alike, unlike, key=len)
    ends = np.unique(longer[PIECE::PIECE])  # values equal to an end belong to the piece after it
    pieces = (np.split(each, np.searchsorted(each, ends)) for each in (alike, unlike))
    for one, other in zip(*pieces, strict=True):
        values = np.unique(np.concatenate([one, other]))
        if len(values):
            yield ValueCounts(values, _counts(one, values), _counts(other, values))


def _counts(ordered: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.int64]:
    """How often each value occurs in an ordered array."""
    return np.diff(np.searchsorted(ordered, values, side="right"), prepend=0)
