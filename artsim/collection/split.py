"""The split of works into `train`, `val_seen` and `val_unseen`. Works are split before they are paired.

A share of the artists is held out whole (`val_unseen`). A share of the other artists' works is held out too
(`val_seen`). Works that belong together (near duplicates, or one `group`) never span the split.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.collection.catalogue import Catalogue
from artsim.collection.selection import TRAIN, VAL_SEEN, VAL_UNSEEN, Selection
from artsim.errors import InputError
from artsim.messages import counted

HELD_OUT_ARTISTS = 0.2
HELD_OUT_WORKS = 0.2
MIN_ARTISTS = 2
MIN_ARTISTS_TO_HOLD_OUT = 4


def split(catalogue: Catalogue, together: NDArray[np.int64], seed: int) -> tuple[Selection, list[str]]:
    """Give every work its split.

    Args:
        catalogue: the chosen works.
        together: (N,) works with the same number stay in one split.
        seed: seed of the choice.

    Returns:
        The selection, and notes for the user: missing metrics, works left out.

    Raises:
        InputError: fewer than 2 artists, no works to validate on, or no works to train on.
    """
    artists = catalogue.table["artist"].to_numpy()
    names = list(dict.fromkeys(artists))
    if len(names) < MIN_ARTISTS:
        raise InputError(
            f"{catalogue.source}: works by {counted(len(names), 'artist')}, but training needs {MIN_ARTISTS}. "
            "Raise --num-of-artists or name a larger collection."
        )
    rng = np.random.default_rng(seed)
    notes = []
    held_out = _hold_out(names, rng)
    if not held_out:
        notes.append(
            f"{len(names)} artists are too few to hold some out, so there are no metrics for unseen artists. "
            f"That needs {MIN_ARTISTS_TO_HOLD_OUT} (--num-of-artists)."
        )
    unseen = np.isin(artists, list(held_out))
    kept = _untorn(together, unseen)
    if not kept.all():
        notes.append(
            f"{counted(int((~kept).sum()), 'work')} left out: near duplicates, or works of one group, on both sides of "
            "the split."
        )
    parts = np.where(unseen, VAL_UNSEEN, TRAIN).astype(object)
    parts[_val_seen(artists, together, kept & ~unseen, rng)] = VAL_SEEN
    table = catalogue.table.drop(columns="split", errors="ignore")
    table.insert(2, "split", parts)
    selection = Selection(table[kept].reset_index(drop=True), catalogue.folder, catalogue.source)
    check(selection)
    if held_out and not can_be_paired(_works(selection, VAL_UNSEEN)):
        notes.append(
            "no metrics for unseen artists: the held-out artists give no same-artist pair or no different-artist "
            "pair. Try another --seed."
        )
    return selection, notes


def check(selection: Selection) -> None:
    """Check that a selection can be trained on and evaluated.

    Raises:
        InputError: it can't; the message names the flag to change.
    """
    works = {part: _works(selection, part) for part in (TRAIN, VAL_SEEN, VAL_UNSEEN)}
    if len(works[TRAIN]) < MIN_ARTISTS:
        raise InputError(
            f"{selection.source}: {len(works[TRAIN])} artists are left to train on, but training needs {MIN_ARTISTS}. "
            "Raise --num-of-artists or --num-of-images-per-artist."
        )
    if max(works[TRAIN].values()) < 2:
        raise InputError(
            f"{selection.source}: no artist has two works to train on, so there is no same-artist pair. "
            "Raise --num-of-images-per-artist."
        )
    if not any(can_be_paired(works[part]) for part in (VAL_SEEN, VAL_UNSEEN)):
        raise InputError(
            f"{selection.source}: no validation pairs can be made. The held-out works need two artists, one of them "
            "with two works. Raise --num-of-images-per-artist (4 or more) or --num-of-artists (4 or more)."
        )


def can_be_paired(works: Counter[str]) -> bool:
    """Whether works with these counts by artist give both kinds of pair."""
    return len(works) >= 2 and max(works.values()) >= 2


def _works(selection: Selection, part: str) -> Counter[str]:
    """The number of works of a split by each artist."""
    return Counter(selection.part(part)["artist"])


def _hold_out(names: list[str], rng: np.random.Generator) -> set[str]:
    if len(names) < MIN_ARTISTS_TO_HOLD_OUT:
        return set()
    count = max(2, round(HELD_OUT_ARTISTS * len(names)))
    return set(rng.choice(np.array(names, dtype=object), size=count, replace=False))


def _untorn(together: NDArray[np.int64], unseen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) False for works to leave out: the smaller part of a cluster that would span the split."""
    sizes = pd.DataFrame({"together": together, "unseen": unseen}).groupby("together")["unseen"]
    mostly_unseen = sizes.transform("mean").to_numpy() > 0.5
    return np.asarray(unseen == mostly_unseen)


def _val_seen(
    artists: NDArray[np.object_],
    together: NDArray[np.int64],
    candidates: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """The works of `val_seen`: whole clusters, as long as no artist gives more than its share.

    An artist gives at least two works, the least that make a pair, and keeps at least two. An artist with fewer than
    four works gives none.
    """
    members: dict[int, list[int]] = {}
    for index in np.flatnonzero(candidates):
        members.setdefault(int(together[index]), []).append(int(index))
    works = Counter(artists[candidates])
    share = {artist: max(2, round(HELD_OUT_WORKS * n)) if n >= 4 else 0 for artist, n in works.items()}
    taken: list[int] = []
    clusters = list(members.values())
    for position in rng.permutation(len(clusters)):
        wanted = Counter(artists[clusters[position]])
        if all(share[artist] >= n for artist, n in wanted.items()):
            taken += clusters[position]
            for artist, n in wanted.items():
                share[artist] -= n
    return np.array(taken, dtype=np.int64)
