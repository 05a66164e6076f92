"""Notes about the chosen works for the user. Works are rows of a table with `filename` and `artist`."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.messages import NAMED, counted, first_few


def lost_artists(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """Artists that lost all of their chosen works."""
    left = set(after["artist"])
    lost = [artist for artist in before["artist"].unique() if artist not in left]
    if not lost:
        return []
    return [f"{counted(len(lost), 'artist')} left out, because none of their works can be used: {first_few(lost)}."]


def single_works(table: pd.DataFrame) -> list[str]:
    """Artists with one work only, which makes no same-artist pair."""
    works = table["artist"].value_counts(sort=False)
    single = list(works.index[works == 1])
    if not single:
        return []
    return [
        f"{counted(len(single), 'artist')} with one work only ({first_few(single)}): no same-artist pair of it exists, "
        "only different-artist pairs."
    ]


def shared_pictures(table: pd.DataFrame, fingerprints: NDArray[np.uint64], near: NDArray[np.int64]) -> list[str]:
    """Pictures that are listed under two artists, equal fingerprints first.

    Args:
        table: N works.
        fingerprints: (N,) of them.
        near: (2, M) the pairs of near duplicates among them.
    """
    artists, names = table["artist"].to_numpy(), table["filename"].to_numpy()
    first, second = near[:, artists[near[0]] != artists[near[1]]]
    if not len(first):
        return []
    bits = np.bitwise_count(fingerprints[first] ^ fingerprints[second])
    closest = np.argsort(bits, kind="stable")[:NAMED]
    pairs = [
        f"{names[i]} ({artists[i]}) and {names[j]} ({artists[j]})"
        for i, j in zip(first[closest], second[closest], strict=True)
    ]
    return [
        f"one picture under two artists in {counted(len(first), 'pair')} of works, by their fingerprints: "
        f"{first_few(pairs, '; ', of=len(first))}. Copies and wrong attributions mislead training and metrics: "
        "remove one of each pair, or correct its artist."
    ]
