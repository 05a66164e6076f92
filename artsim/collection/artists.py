"""The artists of works: which cells name an artist, what becomes of the others, and a note about them.

A work without an artist has the empty string. An unknown artist is none. Of a qualified attribution and of several
artists the user decides: `drop` (no artist) or `keep` (an artist of its own, as written).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import pandas as pd

from artsim.collection.attribution import Kind, kind_of
from artsim.collection.columns import ARTIST
from artsim.messages import counted, first_few, quoted

Qualified = Literal["drop", "keep"]
ATTRIBUTION = "attribution"  # the column of the cells that name no artist, several, or one with a reservation

_SAID: dict[Kind, str] = {
    "unknown": "by an unknown artist",
    "qualified": "with a qualified attribution",
    "several": "by several artists",
}


def settle_artists(table: pd.DataFrame, qualified: Qualified, source: str) -> tuple[pd.DataFrame, list[str]]:
    """Decide the artist of each work.

    Args:
        table: N works, perhaps with the column `artist`.
        qualified: what becomes of qualified attributions and of several artists.
        source: the name of the collection in the note.

    Returns:
        The table, where the artist is empty for none. If some cells do not name exactly one artist, the column
        `attribution` has these cells. And a list of no note or one.
    """
    if ARTIST not in table.columns:
        return table, []
    cells = table[ARTIST].str.strip()
    kinds = cells.map(kind_of)
    kept = (kinds == "named") | ((kinds != "unknown") & (qualified == "keep"))
    settled = table.assign(artist=table[ARTIST].where(kept, ""))
    doubtful = (kinds != "named") & (cells != "")
    if not doubtful.any():
        return settled, []
    if ATTRIBUTION not in table.columns:
        settled[ATTRIBUTION] = cells.where(doubtful, "")
    return settled, [_note(cells[doubtful], kinds[doubtful], qualified, source)]


def settle_names(
    artists: Sequence[str | None], qualified: Qualified, source: str
) -> tuple[list[str | None], list[str]]:
    """Decide the artists (N,) of stored embeddings, as `settle_artists` does; None for no artist."""
    table = pd.DataFrame({ARTIST: [artist or "" for artist in artists]}, dtype=str)
    settled, notes = settle_artists(table, qualified, source)
    return [artist or None for artist in settled[ARTIST]], notes


def without_artist(table: pd.DataFrame) -> int:
    """The number of works that have no artist."""
    return int((table[ARTIST] == "").sum()) if ARTIST in table.columns else len(table)


def _note(cells: pd.Series[str], kinds: pd.Series[str], qualified: Qualified, source: str) -> str:
    said = []
    for kind, words in _SAID.items():
        found = Counter(cells[kinds == kind])
        if found:
            examples = [f"{quoted(name)} ({works:,})" for name, works in found.most_common()]
            said.append(f"{counted(found.total(), 'work')} {words}: {first_few(examples)}")
    what = "These works have no artist."
    if (kinds != "unknown").any():
        if qualified == "keep":
            what = (
                "With --qualified keep, each qualified attribution is an artist of its own; an unknown artist is none."
            )
        else:
            what += " --qualified keep makes each qualified attribution an artist of its own."
    return f"{source}: {'; '.join(said)}. {what}"
