from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.collection.spellings import describe_spellings, find_spellings, merge_spellings

# Each function returns another spelling of a name, or the name unchanged.
RESPELL: list[Callable[[str], str]] = [
    str.upper,
    lambda name: f" {name} ",
    lambda name: name.replace(" ", "  "),
    lambda name: name.replace(" ", "\N{NO-BREAK SPACE}"),
    lambda name: name.replace("-", "\N{NON-BREAKING HYPHEN}"),
    lambda name: name.replace("-", "\N{EN DASH}"),
    lambda name: name.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"),
    lambda name: unicodedata.normalize("NFD", name),
    lambda name: "".join(chr(ord(sign) + 0xFEE0) if "a" <= sign <= "z" else sign for sign in name),  # full width
    lambda name: name[:3] + "\N{ZERO WIDTH SPACE}" + name[3:],
]
NAMES = [
    "Vincent van Gogh",
    "Édouard Manet",
    "Jean-Baptiste Corot",
    "Georgia O'Keeffe",
    "M. K. Čiurlionis",
    "歌川 広重",
]

respelled = st.builds(lambda name, respell: respell(name), st.sampled_from(NAMES), st.sampled_from(RESPELL))
artists = st.lists(respelled | st.sampled_from(NAMES) | st.text(min_size=1), max_size=30)


def works_by(names: list[str]) -> pd.DataFrame:
    columns = {"filename": [f"{number}.jpg" for number in range(len(names))], "artist": names, "title": "x"}
    return pd.DataFrame(columns).astype(str)


@given(artists)
def test_merging_changes_only_spellings_and_leaves_none_to_merge(names: list[str]) -> None:
    table = works_by(names)
    found = find_spellings(table["artist"])
    once = merge_spellings(table, found)
    assert find_spellings(once["artist"]) == []
    pd.testing.assert_frame_equal(merge_spellings(once, find_spellings(once["artist"])), once)
    pd.testing.assert_frame_equal(once.drop(columns="artist"), table.drop(columns="artist"))
    changed = table["artist"] != once["artist"]
    pairs = [{old, new} for old, new in zip(table["artist"][changed], once["artist"][changed], strict=True)]
    assert all(any(pair <= set(spellings) for spellings in found) for pair in pairs)


@given(artists)
def test_the_most_frequent_spelling_comes_first(names: list[str]) -> None:
    works = Counter(names)  # in order of appearance, as max() keeps it
    for spellings in find_spellings(works_by(names)["artist"]):
        there = [name for name in works if name in spellings]
        assert spellings == {name: works[name] for name in there}
        assert next(iter(spellings)) == max(there, key=works.__getitem__)


@given(st.sampled_from(NAMES), st.sampled_from(RESPELL))
def test_every_kind_of_other_spelling_is_found(name: str, respell: Callable[[str], str]) -> None:
    found = find_spellings(works_by([name, respell(name), name])["artist"])
    assert found == ([] if respell(name) == name else [{name: 2, respell(name): 1}])


@given(st.lists(st.sampled_from(NAMES), max_size=20))
def test_names_with_one_spelling_are_unchanged(names: list[str]) -> None:
    table = works_by(names)
    assert find_spellings(table["artist"]) == []
    pd.testing.assert_frame_equal(merge_spellings(table, []), table)


@pytest.mark.parametrize(("one", "other"), [("Jose", "José"), ("J. Smith", "John Smith"), ("Ann Bee", "Bee Ann")])
def test_names_that_may_be_two_artists_are_not_merged(one: str, other: str) -> None:
    assert find_spellings(works_by([one, other])["artist"]) == []


def test_a_description_escapes_lookalikes_and_shows_three_names() -> None:
    names = ["Ann Bee", "Ann\N{NO-BREAK SPACE}Bee", "Zoë", "Zoe\N{COMBINING DIAERESIS}", "Cid", "CID", "Dee", "DEE"]
    text = describe_spellings(find_spellings(works_by(names)["artist"]))
    assert text.startswith("4 artists with several spellings: 'Ann Bee' (1) / 'Ann\\xa0Bee' (1); ")
    assert "'Zoë' (1) / 'Zoe\\u0308' (1)" in text
    assert text.endswith("'Cid' (1) / 'CID' (1) … and 1 more")
