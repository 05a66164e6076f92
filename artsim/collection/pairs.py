"""Validation pairs: same-artist pairs against different-artist pairs, or only against those that share a style."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.collection.pairing import Spans
from artsim.collection.selection import VAL_SEEN, VAL_UNSEEN, Selection
from artsim.collection.styles import share_a_style

MAX_PAIRS_OF_A_KIND = 5_000

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]


def validation_pairs(selection: Selection, seed: int) -> pd.DataFrame:
    """The pairs of both validation parts, with the columns `image1,image2,sameArtist,split`.

    A part has no pairs if pairs of one kind do not exist.
    """
    parts = [_part_pairs(selection.part(split), split, seed) for split in (VAL_SEEN, VAL_UNSEEN)]
    return pd.concat(parts, ignore_index=True)


def balanced_pairs(artists: NDArray[Any], seed: int, at_most: int = MAX_PAIRS_OF_A_KIND) -> Pairs:
    """Draw different pairs, as many by the same artist as by different artists.

    Args:
        artists: (N,) the artist of each work.
        seed: the seed of the choice.
        at_most: the maximal number of pairs of each kind.

    Returns:
        (M,) indices of the first works, (M,) of the second works, (M,) 1 for the same artist.
    """
    order, end = _by_artist(artists)
    # Work i is paired with later ones only: of the same artist in [i + 1, end), of others in [end, N).
    same = Spans(order, np.arange(len(end)) + 1, end, order)
    other = Spans(order, end, np.full(len(end), len(end)), order)
    count = min(same.total, other.total, at_most)
    rng = np.random.default_rng(seed)
    first, second = np.concatenate([_draw(spans, count, rng) for spans in (same, other)], axis=1)
    return first, second, np.repeat(np.array([1, 0], dtype=np.uint8), count)


def balanced_pairs_within(groups: NDArray[Any], artists: NDArray[Any], seed: int) -> Pairs:
    """Draw balanced pairs within each group of works; `groups` (N,) has those of the works (see `balanced_pairs`)."""
    drawn = []
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        first, second, same = balanced_pairs(artists[rows], seed)
        drawn.append((rows[first], rows[second], same))
    first, second, same = (np.concatenate(column) for column in zip(*drawn, strict=True))
    return first, second, same


def some_of_each(artists: NDArray[Any], at_most: int, seed: int) -> NDArray[np.int64]:
    """Rows of at most so many works of each artist, drawn at random; `artists` is (N,)."""
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(artists == each))[:at_most] for each in np.unique(artists)]
    return np.concatenate([np.empty(0, dtype=np.int64), *chosen])


def rival_pairs(
    artists: NDArray[Any], styles: NDArray[np.bool_], seed: int, at_most: int = MAX_PAIRS_OF_A_KIND
) -> Pairs:
    """Draw pairs by the same artist, and pairs by different artists that share a style.

    The numbers of both kinds are independent, because pairs that share a style are often few.

    Args:
        artists: (N,) the artist of each work.
        styles: (N, S) the styles of each work.
        seed: the seed of the choice.
        at_most: the maximal number of pairs of each kind.

    Returns:
        As `balanced_pairs`.
    """
    order, end = _by_artist(artists)
    same = Spans(order, np.arange(len(end)) + 1, end, order)
    rng = np.random.default_rng(seed)
    own = _draw(same, min(same.total, at_most), rng)
    rivals = _draw_rivals(artists, styles, at_most, rng)
    first, second = np.concatenate([own, rivals], axis=1)
    return first, second, np.repeat(np.array([1, 0], dtype=np.uint8), [own.shape[1], rivals.shape[1]])


def _draw_rivals(
    artists: NDArray[Any], styles: NDArray[np.bool_], at_most: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw (2, count) different pairs by different artists with a style in common.

    Works by one artist with the same styles form a group. Pairs are counted per pair of groups, which saves memory.
    """
    _, label = np.unique(artists.astype(str), return_inverse=True)
    kinds, kind, sizes = np.unique(
        np.column_stack([label, styles]), axis=0, return_inverse=True, return_counts=True
    )  # (G, 1 + S), (N,), (G,)
    members = np.argsort(kind, kind="stable")  # works, group by group
    start = np.cumsum(sizes) - sizes
    rival = np.triu(share_a_style(kinds[:, 1:] > 0, kinds[:, 1:] > 0) & (kinds[:, :1] != kinds[:, 0]))
    one, other = np.nonzero(rival)
    upto = np.cumsum(sizes[one] * sizes[other])
    total = int(upto[-1]) if len(upto) else 0
    rank = np.sort(rng.choice(total, size=min(total, at_most), replace=False)) if total else np.empty(0, np.int64)
    chosen = np.searchsorted(upto, rank, side="right")
    left, right = one[chosen], other[chosen]
    row, column = np.divmod(rank - (upto[chosen] - sizes[left] * sizes[right]), sizes[right])
    return np.stack([members[start[left] + row], members[start[right] + column]])


def _by_artist(artists: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N,) the works sorted by artist, and (N,) the end of the works of each one's artist in that order."""
    order = np.argsort(artists.astype(str), kind="stable")
    _, label = np.unique(artists[order].astype(str), return_inverse=True)
    return order, np.searchsorted(label, label, side="right")


def _draw(spans: Spans, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw (2, count) different pairs."""
    rank = np.sort(rng.choice(spans.total, size=count, replace=False)) if count else np.empty(0, dtype=np.int64)
    return np.stack(spans.at(rank))


def _part_pairs(works: pd.DataFrame, split: str, seed: int) -> pd.DataFrame:
    names = works["filename"].to_numpy()
    first, second, same = balanced_pairs(works["artist"].to_numpy(), seed)
    return pd.DataFrame({"image1": names[first], "image2": names[second], "sameArtist": same, "split": split})


def epochs_of_pairs(artists: NDArray[Any], seed: int) -> Iterator[Pairs]:
    """Endless epochs of balanced pairs of `artists` (N,), drawn and shuffled again each time; see `balanced_pairs`."""
    epoch = 0
    while True:
        first, second, same = balanced_pairs(artists, seed + epoch)
        order = np.random.default_rng([seed, epoch]).permutation(len(same))
        yield first[order], second[order], same[order]
        epoch += 1
