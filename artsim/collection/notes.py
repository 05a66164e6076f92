"""Notes for the user about the chosen works: artists without works, artists with one work, duplicate pictures.

Works are rows of a table with `filename` and `artist`. Each function returns a list of no note or one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.messages import FEW, counted, first_few


def lost_artists(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """Name the artists of `before` that have no work in `after`."""
    left = set(after["artist"])
    lost = [artist for artist in before["artist"].unique() if artist not in left]
    if not lost:
        return []
    return [f"{counted(len(lost), 'artist')} left out, because none of their works can be used: {first_few(lost)}."]


def single_works(table: pd.DataFrame) -> list[str]:
    """Name the artists with one work. They are in no same-artist pair."""
    works = table["artist"].value_counts(sort=False)
    single = list(works.index[works == 1])
    if not single:
        return []
    return [
        f"{counted(len(single), 'artist')} with one work only ({first_few(single)}). Such a work is in no same-artist "
        "pair, only in different-artist pairs."
    ]


def shared_pictures(table: pd.DataFrame, fingerprints: NDArray[np.uint64], near: NDArray[np.int64]) -> list[str]:
    """Name the pictures that are listed under two artists, the most similar ones first.

    Args:
        table: N works.
        fingerprints: (N,) the fingerprint of each work.
        near: (2, M) pairs of near duplicates among the works.
    """
    artists, names = table["artist"].to_numpy(), table["filename"].to_numpy()
    first, second = near[:, artists[near[0]] != artists[near[1]]]
    if not len(first):
        return []
    bits = np.bitwise_count(fingerprints[first] ^ fingerprints[second])
    closest = np.argsort(bits, kind="stable")[:FEW]
    pairs = [
        f"{names[i]} ({artists[i]}) and {names[j]} ({artists[j]})"
        for i, j in zip(first[closest], second[closest], strict=True)
    ]
    return [
        f"{counted(len(first), 'pair')} of works by different artists with the same picture, by their fingerprints: "
        f"{first_few(pairs, '; ', of=len(first))}. Copies and wrong attributions distort training and metrics. "
        "Remove one work of each pair, or correct its artist."
    ]
