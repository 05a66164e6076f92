"""Validation pairs: as many of the same artist as of different ones, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.collection.selection import VAL_SEEN, VAL_UNSEEN, Selection

MAX_PAIRS_OF_A_KIND = 5_000


def validation_pairs(selection: Selection, seed: int) -> pd.DataFrame:
    """The pairs of both validation parts: `image1,image2,sameArtist,split`; a part that can't be paired has none."""
    parts = [_balanced(selection.part(split), split, seed) for split in (VAL_SEEN, VAL_UNSEEN)]
    return pd.concat(parts, ignore_index=True)


def balanced_pairs(
    artists: NDArray[Any], seed: int, at_most: int = MAX_PAIRS_OF_A_KIND
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Pairs of works by their index, no pair twice: (M,) first, (M,) second, (M,) 1 for the same artist.

    Args:
        artists: (N,) who made each work.
        seed: of the choice.
        at_most: pairs of each kind; fewer, where fewer of either kind exist.
    """
    order = np.argsort(artists.astype(str), kind="stable")
    _, label = np.unique(artists[order].astype(str), return_inverse=True)
    end = np.searchsorted(label, label, side="right")  # of the run of works by the same artist
    own = np.arange(len(label)) + 1
    # Work i is paired with later ones only: of the same artist in [i + 1, end), of others in [end, N).
    same = _Partners(own, end)
    other = _Partners(end, np.full(len(label), len(label)))
    count = min(same.total, other.total, at_most)
    rng = np.random.default_rng(seed)
    drawn = [partners.draw(count, rng) for partners in (same, other)]
    first, second = np.concatenate(drawn, axis=1)
    return order[first], order[second], np.repeat(np.array([1, 0], dtype=np.uint8), count)


class _Partners:
    """All pairs (i, j) with start[i] <= j < stop[i], counted but never listed."""

    def __init__(self, start: NDArray[np.int64], stop: NDArray[np.int64]) -> None:
        self.start = start
        self.upto = np.cumsum(stop - start)
        self.total = int(self.upto[-1]) if len(start) else 0

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """(2, count) different pairs."""
        rank = np.sort(rng.choice(self.total, size=count, replace=False)) if count else np.empty(0, dtype=np.int64)
        first = np.searchsorted(self.upto, rank, side="right")
        before = np.concatenate([[0], self.upto])[first]
        return np.stack([first, self.start[first] + rank - before])


def _balanced(works: pd.DataFrame, split: str, seed: int) -> pd.DataFrame:
    names = works["filename"].to_numpy()
    first, second, same = balanced_pairs(works["artist"].to_numpy(), seed)
    return pd.DataFrame({"image1": names[first], "image2": names[second], "sameArtist": same, "split": split})


def epochs_of_pairs(
    artists: NDArray[Any], seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]]:
    """Endless epochs of balanced pairs, newly drawn and shuffled each time."""
    epoch = 0
    while True:
        first, second, same = balanced_pairs(artists, seed + epoch)
        order = np.random.default_rng([seed, epoch]).permutation(len(same))
        yield first[order], second[order], same[order]
        epoch += 1
