"""Clusters of works that must stay together: near duplicates, and works of one `group`.

A fingerprint is the 64-bit perceptual hash of `imagehash.phash`. Two works whose hashes differ in at most `NEAR` bits
count as one picture that was photographed or scaled twice.
"""

from __future__ import annotations

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

NEAR = 6  # bits; a setting that tolerates recompression and scaling of one photograph
FINGERPRINT_SIZE = 64
_BLOCK = 1024


def fingerprint(pixels: NDArray[np.uint8]) -> int:
    """The hash of a letterboxed painting, uint8 (S, S, 3), without its bars; a whole number below 2⁶⁴."""
    picture = Image.fromarray(pixels)
    return int(str(imagehash.phash(picture.crop(picture.getbbox()))), 16)


def near_duplicates(fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
    """(2, M) the index pairs of near fingerprints, lower index first. Memory is one block of rows."""
    found = [np.empty((2, 0), dtype=np.int64)]
    for start in range(0, len(fingerprints), _BLOCK):
        block = fingerprints[start : start + _BLOCK]
        bits = np.bitwise_count(block[:, None] ^ fingerprints[None, start:])  # (block, N - start)
        rows, columns = np.nonzero(bits <= NEAR)
        found.append(np.stack([rows, columns])[:, rows < columns] + start)
    return np.concatenate(found, axis=1)


def belong_together(
    near: NDArray[np.int64], count: int, groups: NDArray[np.object_] | None = None
) -> NDArray[np.int64]:
    """(N,) the number of each work's cluster. Near duplicates and works of one non-empty group are linked.

    Args:
        near: (2, M) the near duplicates among the works.
        count: N.
        groups: (N,) of the works.
    """
    first, second = near
    if groups is not None:
        _, group = np.unique(groups.astype(str), return_inverse=True)
        _, leader = np.unique(group, return_index=True)
        named = np.flatnonzero(groups.astype(str) != "")
        first, second = np.concatenate([first, named]), np.concatenate([second, leader[group[named]]])
    links = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)
