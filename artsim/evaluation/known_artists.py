"""The artists of images, found from the labels of their pairs, where these tell all of them.

Images that same-artist pairs link, directly or over other images, are by one artist. An image without a same-artist
pair is by an artist of its own. This is true only if no pair is missing: a sample of pairs makes several artists out of
one. So the artists count as known only if the pairs are complete: linked images form groups, and every image is in one
pair with each other image of its group. `artsim pairs` makes such pairs, also with `--within`. An artist with works in
two groups counts as two, as no pair shows the opposite.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class KnownArtists:
    """The artists of I images, from labelled pairs, a block at a time. It keeps 24 bytes an image, none a pair."""

    def __init__(self) -> None:
        self._groups, self._artists = _Components(), _Components()
        self._pairs = np.empty(0, dtype=np.int64)  # (I,) pairs of each image with others
        self._same = 0  # same-artist pairs

    def add(self, same: NDArray[np.uint8], image1: NDArray[np.int64], image2: NDArray[np.int64]) -> None:
        """Add labelled pairs (B,) of numbered images. Pairs of an image with itself do not count."""
        if not len(same):
            return
        images = max(len(self._pairs), int(image1.max()) + 1, int(image2.max()) + 1)
        kept = image1 != image2
        first, second, alike = image1[kept], image2[kept], same[kept] == 1
        self._pairs = np.pad(self._pairs, (0, images - len(self._pairs)))
        for side in (first, second):
            self._pairs += np.bincount(side, minlength=images)
        self._same += int(np.count_nonzero(alike))
        self._groups.link(first, second, images)
        self._artists.link(first[alike], second[alike], images)

    def numbers(self) -> NDArray[np.int64] | None:
        """The number of each image's artist, (I,); None if the pairs do not tell all artists."""
        return self._artists.label if self._complete() and self._consistent() else None

    def _complete(self) -> bool:
        """Whether each image is in as many pairs as its group has other images.

        Pairs without an image in common pass this test, but are a sample. So there must also be no fewer pairs than
        images.
        """
        group = self._groups.label
        others = np.bincount(group)[group] - 1
        return np.array_equal(self._pairs, others) and self._pairs.sum() // 2 >= np.count_nonzero(self._pairs)

    def _consistent(self) -> bool:
        """Whether no two images are by one artist although their own pair says otherwise."""
        works = np.bincount(self._artists.label)
        return self._same == int((works * (works - 1) // 2).sum())


class _Components:
    """Connected components of a graph whose edges come a block at a time."""

    def __init__(self) -> None:
        self.label = np.empty(0, dtype=np.int64)  # (I,) number of each node's component
        self._count = 0

    def link(self, first: NDArray[np.int64], second: NDArray[np.int64], nodes: int) -> None:
        """Add edges (E,) of a graph that has `nodes` nodes by now; new nodes are components of their own."""
        # SciPy takes a while to import, which pairs without labels do not need.
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        new = nodes - len(self.label)
        self.label = np.concatenate([self.label, self._count + np.arange(new)])
        self._count += new
        one, other = self.label[first], self.label[second]
        apart = one != other  # few edges, after the first blocks
        if apart.any():
            edges = np.ones(np.count_nonzero(apart)), (one[apart], other[apart])
            links = coo_array(edges, shape=(self._count, self._count))
            self._count, merged = connected_components(links, directed=False)
            self.label = merged.astype(np.int64)[self.label]
