"""Works are split before they are paired, so that no painting is on both sides of what is measured.

A share of the artists is held out whole (`val_unseen`); of the others a share of the works (`val_seen`). Works
that belong together (near duplicates, or one `group`) never span the split.
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
    """Give every work its part.

    Args:
        catalogue: the chosen works.
        together: (N,) works with the same number stay on one side.
        seed: of who and what is held out.

    Returns:
        The selection, and what to tell the user: no figures of a kind, works left out.

    Raises:
        InputError: fewer than 2 artists, or nothing to validate on, or nothing to train on.
    """
    artists = catalogue.table["artist"].to_numpy()
    names = list(dict.fromkeys(artists))
    if len(names) < MIN_ARTISTS:
        raise InputError(
            f"{catalogue.source}: works by {counted(len(names), 'artist')}, and it takes {MIN_ARTISTS} to tell apart: "
            "raise --num-of-artists or name a larger collection."
        )
    rng = np.random.default_rng(seed)
    notes = []
    held_out = _hold_out(names, rng)
    if not held_out:
        notes.append(
            f"{len(names)} artists are too few to hold any out: no figures for unseen artists "
            f"(it takes {MIN_ARTISTS_TO_HOLD_OUT}: --num-of-artists)."
        )
    unseen = np.isin(artists, list(held_out))
    kept = _untorn(together, unseen)
    if not kept.all():
        notes.append(
            f"{counted(int((~kept).sum()), 'work')} left out: near duplicates, or of one group, on both sides of the "
            "split."
        )
    parts = np.where(unseen, VAL_UNSEEN, TRAIN).astype(object)
    parts[_val_seen(artists, together, kept & ~unseen, rng)] = VAL_SEEN
    table = catalogue.table.drop(columns="split", errors="ignore")
    table.insert(2, "split", parts)
    selection = Selection(table[kept].reset_index(drop=True), catalogue.folder, catalogue.source)
    check(selection)
    if held_out and not can_be_paired(_works(selection, VAL_UNSEEN)):
        notes.append(
            "no figures for unseen artists: no two works are by one of the artists held out and a third by another; "
            "another --seed holds out others."
        )
    return selection, notes


def check(selection: Selection) -> None:
    """Whether a selection can be trained on and judged.

    Raises:
        InputError: what is missing, and which flag to change.
    """
    works = {part: _works(selection, part) for part in (TRAIN, VAL_SEEN, VAL_UNSEEN)}
    if len(works[TRAIN]) < MIN_ARTISTS:
        raise InputError(
            f"{selection.source}: {len(works[TRAIN])} artists are left to train on, and it takes {MIN_ARTISTS}: raise "
            "--num-of-artists or --num-of-images-per-artist."
        )
    if max(works[TRAIN].values()) < 2:
        raise InputError(
            f"{selection.source}: no artist has two works to train on, so there is no same-artist pair to learn from: "
            "raise --num-of-images-per-artist."
        )
    if not any(can_be_paired(works[part]) for part in (VAL_SEEN, VAL_UNSEEN)):
        raise InputError(
            f"{selection.source}: no validation pairs can be made: that takes two artists, one of them with two works, "
            "among the works held out. Raise --num-of-images-per-artist (4 or more) or --num-of-artists (4 or more)."
        )


def can_be_paired(works: Counter[str]) -> bool:
    """Whether both kinds of pair can be made of so many works by each artist."""
    return len(works) >= 2 and max(works.values()) >= 2


def _works(selection: Selection, part: str) -> Counter[str]:
    """How many works of a part each artist has."""
    return Counter(selection.part(part)["artist"])


def _hold_out(names: list[str], rng: np.random.Generator) -> set[str]:
    if len(names) < MIN_ARTISTS_TO_HOLD_OUT:
        return set()
    count = max(2, round(HELD_OUT_ARTISTS * len(names)))
    return set(rng.choice(np.array(names, dtype=object), size=count, replace=False))


def _untorn(together: NDArray[np.int64], unseen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) False for the works to leave out: the smaller side of what would stand on both sides."""
    sizes = pd.DataFrame({"together": together, "unseen": unseen}).groupby("together")["unseen"]
    mostly_unseen = sizes.transform("mean").to_numpy() > 0.5
    return np.asarray(unseen == mostly_unseen)


def _val_seen(
    artists: NDArray[np.object_],
    together: NDArray[np.int64],
    candidates: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """The works to validate on, by training artists: whole clusters, while no artist gives more than its share.

    Two of an artist are the least that make a pair, and two must remain; of fewer than four none is taken.
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
