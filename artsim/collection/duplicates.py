"""Clusters of works that must be on one side of a split: near duplicates, and works of one `group`.

A fingerprint is the 64-bit perceptual hash of `imagehash.phash`. Two works are near duplicates if their fingerprints
differ in at most `MAX_DIFFERENT_BITS` bits: they show the same picture, photographed or scaled again.
"""

from __future__ import annotations

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MAX_DIFFERENT_BITS = 6  # of 64; a setting that tolerates recompression and scaling of one photograph
FINGERPRINT_SIZE = 64  # px, side of the letterboxed image that is hashed
_BLOCK = 1024


def fingerprint(pixels: NDArray[np.uint8]) -> int:
    """The hash of a letterboxed painting, uint8 (S, S, 3), as an integer below 2⁶⁴. The bars are cut off first."""
    picture = Image.fromarray(pixels)
    return int(str(imagehash.phash(picture.crop(picture.getbbox()))), 16)


def find_near_duplicates(fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The (2, M) pairs of indices of near duplicates, the lower index first.

    The comparison runs block by block, so that memory grows only linearly with the number of works.
    """
    found = [np.empty((2, 0), dtype=np.int64)]
    for start in range(0, len(fingerprints), _BLOCK):
        block = fingerprints[start : start + _BLOCK]
        bits = np.bitwise_count(block[:, None] ^ fingerprints[None, start:])  # (block, N - start)
        rows, columns = np.nonzero(bits <= MAX_DIFFERENT_BITS)
        found.append(np.stack([rows, columns])[:, rows < columns] + start)
    return np.concatenate(found, axis=1)


def cluster_works(near: NDArray[np.int64], count: int, groups: NDArray[np.object_] | None = None) -> NDArray[np.int64]:
    """(N,) the number of each work's cluster. Near duplicates and works of one non-empty group share a cluster.

    Args:
        near: (2, M) pairs of near duplicates among the works.
        count: N.
        groups: (N,) the group of each work.
    """
    first, second = near
    if groups is not None:
        _, group = np.unique(groups.astype(str), return_inverse=True)
        _, leader = np.unique(group, return_index=True)
        named = np.flatnonzero(groups.astype(str) != "")
        first, second = np.concatenate([first, named]), np.concatenate([second, leader[group[named]]])
    links = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)
