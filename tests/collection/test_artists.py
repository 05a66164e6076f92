"""The artists of works: who is kept, and what the note says."""

from __future__ import annotations

import pandas as pd
import pytest

from artsim.collection.artists import Qualified, settle_artists, settle_names

CELLS = ["Ann", "Unknown", "Unknown", "n/a", "workshop of Ann", "Ann and Bob", "", "  "]


def settle(cells: list[str], qualified: Qualified) -> tuple[pd.DataFrame, list[str]]:
    return settle_artists(pd.DataFrame({"artist": cells}, dtype=str), qualified, "works.csv")


@pytest.mark.parametrize(
    ("qualified", "kept", "end"),
    [
        ("drop", ["", ""], "These works have no artist. --qualified keep makes each qualified attribution an artist"),
        ("keep", ["workshop of Ann", "Ann and Bob"], "With --qualified keep, each qualified attribution is an artist"),
    ],
)
def test_what_becomes_of_each_kind(qualified: Qualified, kept: list[str], end: str) -> None:
    table, notes = settle(CELLS, qualified)
    assert list(table["artist"]) == ["Ann", "", "", "", *kept, "", ""]
    assert list(table["attribution"]) == ["", "Unknown", "Unknown", "n/a", "workshop of Ann", "Ann and Bob", "", ""]
    (note,) = notes
    assert note.startswith(
        "works.csv: 3 works by an unknown artist: 'Unknown' (2), 'n/a' (1); 1 work with a qualified attribution: "
        "'workshop of Ann' (1); 1 work by several artists: 'Ann and Bob' (1). "
    )
    assert end in note


def test_a_table_of_named_artists_is_unchanged() -> None:
    table, notes = settle(["Ann ", "Bob", ""], "drop")
    assert table.to_dict("list") == {"artist": ["Ann ", "Bob", ""]}
    assert notes == []


def test_a_column_attribution_of_the_users_own_is_kept() -> None:
    table = pd.DataFrame({"artist": ["Unknown"], "attribution": ["mine"]}, dtype=str)
    assert list(settle_artists(table, "drop", "x")[0]["attribution"]) == ["mine"]


def test_stored_artists_are_settled_alike() -> None:
    artists, notes = settle_names(["Ann", None, "Unknown"], "drop", "store.parquet")
    assert artists == ["Ann", None, None]
    assert len(notes) == 1
