"""Split works into training and validation works before they are paired.

A share of the artists is held out with all their works (`val_unseen`). A share of the works of the other artists is
held out, too (`val_seen`). Works of one cluster (near duplicates, or one `group`) are always on one side.
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


def split(catalogue: Catalogue, clusters: NDArray[np.int64], seed: int) -> tuple[Selection, list[str]]:
    """Assign every work to a part.

    Args:
        catalogue: the chosen works.
        clusters: (N,) the cluster of each work. Works of one cluster are on one side.
        seed: the seed of the choice of held-out artists and works.

    Returns:
        The selection, and notes for the user: metrics that are not available, works that are left out.

    Raises:
        InputError: there are fewer than 2 artists, no validation pairs, or no training pairs.
    """
    artists = catalogue.table["artist"].to_numpy()
    names = list(dict.fromkeys(artists))
    if len(names) < MIN_ARTISTS:
        raise InputError(
            f"{catalogue.source}: all usable works are by {counted(len(names), 'artist')}. Training needs at least "
            f"{MIN_ARTISTS}. Raise --num-of-artists, or name a larger collection."
        )
    rng = np.random.default_rng(seed)
    notes = []
    held_out = _hold_out(names, rng)
    if not held_out:
        notes.append(
            f"No metrics for unseen artists: the collection has {len(names)} artists, and holding artists out needs "
            f"{MIN_ARTISTS_TO_HOLD_OUT}. Raise --num-of-artists."
        )
    unseen = np.isin(artists, list(held_out))
    on_one_side = _on_one_side(clusters, unseen)
    if not on_one_side.all():
        notes.append(
            f"{counted(int((~on_one_side).sum()), 'work')} left out, because near duplicates or works of one group "
            "would be on both sides of the split."
        )
    parts = np.where(unseen, VAL_UNSEEN, TRAIN).astype(object)
    parts[_val_seen(artists, clusters, on_one_side & ~unseen, rng)] = VAL_SEEN
    table = catalogue.table.drop(columns="split", errors="ignore")
    table.insert(2, "split", parts)
    selection = Selection(table[on_one_side].reset_index(drop=True), catalogue.folder, catalogue.source)
    check_selection(selection)
    if held_out and not _has_both_kinds(_works(selection, VAL_UNSEEN)):
        notes.append(
            "No metrics for unseen artists: the held-out artists give no same-artist pair or no different-artist pair. "
            "Try another --seed."
        )
    return selection, notes


def check_selection(selection: Selection) -> None:
    """Check that a tower can be trained and validated on a selection.

    Raises:
        InputError: there are no training pairs, or no validation pairs.
    """
    works = {part: _works(selection, part) for part in (TRAIN, VAL_SEEN, VAL_UNSEEN)}
    if len(works[TRAIN]) < MIN_ARTISTS:
        raise InputError(
            f"{selection.source}: the training works are by {counted(len(works[TRAIN]), 'artist')}. Training needs at "
            f"least {MIN_ARTISTS}. Raise --num-of-artists or --num-of-images-per-artist."
        )
    if max(works[TRAIN].values()) < 2:
        raise InputError(
            f"{selection.source}: no artist has two training works, so there is no same-artist pair to train on. Raise "
            "--num-of-images-per-artist."
        )
    if not any(_has_both_kinds(works[part]) for part in (VAL_SEEN, VAL_UNSEEN)):
        raise InputError(
            f"{selection.source}: there are no validation pairs. The held-out works must be by two artists, and one of "
            "them must have two works. Raise --num-of-images-per-artist or --num-of-artists to 4 or more."
        )


def _has_both_kinds(works: Counter[str]) -> bool:
    """Whether same-artist and different-artist pairs exist, given the number of works of each artist."""
    return len(works) >= 2 and max(works.values()) >= 2


def _works(selection: Selection, part: str) -> Counter[str]:
    """The number of works of each artist in a part."""
    return Counter(selection.part(part)["artist"])


def _hold_out(names: list[str], rng: np.random.Generator) -> set[str]:
    if len(names) < MIN_ARTISTS_TO_HOLD_OUT:
        return set()
    count = max(2, round(HELD_OUT_ARTISTS * len(names)))
    return set(rng.choice(np.array(names, dtype=object), size=count, replace=False))


def _on_one_side(clusters: NDArray[np.int64], unseen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) False for the works to leave out: the smaller part of each cluster that is on both sides of the split."""
    sizes = pd.DataFrame({"cluster": clusters, "unseen": unseen}).groupby("cluster")["unseen"]
    mostly_unseen = sizes.transform("mean").to_numpy() > 0.5
    return np.asarray(unseen == mostly_unseen)


def _val_seen(
    artists: NDArray[np.object_],
    clusters: NDArray[np.int64],
    candidates: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Choose the validation works of the training artists: whole clusters, at most a share of each artist's works.

    An artist gives at least two works, which make a pair, and keeps at least two. An artist with fewer than four gives
    none.
    """
    members: dict[int, list[int]] = {}
    for index in np.flatnonzero(candidates):
        members.setdefault(int(clusters[index]), []).append(int(index))
    works = Counter(artists[candidates])
    share = {artist: max(2, round(HELD_OUT_WORKS * n)) if n >= 4 else 0 for artist, n in works.items()}
    taken: list[int] = []
    groups = list(members.values())
    for position in rng.permutation(len(groups)):
        wanted = Counter(artists[groups[position]])
        if all(share[artist] >= n for artist, n in wanted.items()):
            taken += groups[position]
            for artist, n in wanted.items():
                share[artist] -= n
    return np.array(taken, dtype=np.int64)
