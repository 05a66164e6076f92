"""Pairs in the order of a value: how many of either kind have each, from the smallest on.

All figures can be read off that, a piece at a time, so that they take 5 bytes a pair beside the values and labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PIECE = 2**20  # pairs, about


@dataclass(frozen=True)
class Steps:
    """Different values in rising order, and how many pairs of either kind have each; all (V,)."""

    value: NDArray[np.float32]
    same: NDArray[np.int64]
    different: NDArray[np.int64]


def steps(value: NDArray[np.float32], same: NDArray[np.uint8]) -> Iterator[Steps]:
    """The steps of N pairs, in pieces; no value is in two of them.

    Args:
        value: (N,) of each pair.
        same: (N,) 1 for the same artist, 0 for different ones.
    """
    alike, unlike = value[same == 1], value[same == 0]
    for each in (alike, unlike):
        each.sort()
    longer = max(alike, unlike, key=len)
    ends = np.unique(longer[PIECE::PIECE])  # values equal to an end are in the piece after it
    pieces = (np.split(each, np.searchsorted(each, ends)) for each in (alike, unlike))
    for one, other in zip(*pieces, strict=True):
        values = np.unique(np.concatenate([one, other]))
        if len(values):
            yield Steps(values, _counts(one, values), _counts(other, values))


def _counts(ordered: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.int64]:
    """How often each of the values is in an ordered array."""
    return np.diff(np.searchsorted(ordered, values, side="right"), prepend=0)
