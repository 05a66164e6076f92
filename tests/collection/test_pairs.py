"""Pairs by artists that share a style are complete, different, and equally likely."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from artsim.collection.pairs import rival_pairs
from artsim.collection.styles import share_a_style, styles_of

works = st.lists(
    st.tuples(st.sampled_from("abcd"), st.lists(st.sampled_from(["Baroque", "Realism", "Pop"]), max_size=3)),
    max_size=16,
)


@given(works)
def test_every_pair_of_each_kind_occurs_once(rows: list[tuple[str, list[str]]]) -> None:
    table = pd.DataFrame({"artist": [row[0] for row in rows], "style": [",".join(row[1]) for row in rows]})
    first, second, same = rival_pairs(table["artist"].to_numpy(), styles_of(table), seed=0)
    found = {frozenset(pair): kind for *pair, kind in zip(first, second, same, strict=True)}
    expected = {}
    for one, other in combinations(range(len(rows)), 2):
        if rows[one][0] == rows[other][0]:
            expected[frozenset((one, other))] = 1
        elif set(rows[one][1]) & set(rows[other][1]):
            expected[frozenset((one, other))] = 0
    assert found == expected
    assert len(first) == len(expected)


def test_a_sample_is_even_and_repeatable() -> None:
    artists = np.array(list("aaab" + "c" * 9))
    styles = np.array([[1, 0]] * 3 + [[1, 1]] + [[0, 1]] * 9, dtype=np.bool_)
    drawn: Counter[tuple[int, int]] = Counter()
    for seed in range(400):
        first, second, same = rival_pairs(artists, styles, seed, at_most=6)
        assert np.bincount(same).tolist() == [6, 6]
        drawn.update(zip(first[same == 0].tolist(), second[same == 0].tolist(), strict=True))
    assert len(drawn) == 12  # a and b: 3; b and c: 9; a and c share nothing
    assert max(drawn.values()) < 1.3 * min(drawn.values())
    one, again = (np.stack(rival_pairs(artists, styles, 5, at_most=2)) for _ in range(2))
    np.testing.assert_array_equal(one, again)


def test_styles_are_split_at_commas_and_ignore_case_and_spaces() -> None:
    table = pd.DataFrame(
        {"style": ["Symbolism,Post-Impressionism", " post-impressionism ", "Symbolism", None, "", ","]}
    )
    styles = styles_of(table)
    shared = [[True, True, True], [True, True, False], [True, False, True]]
    np.testing.assert_array_equal(share_a_style(styles, styles)[:3, :3], shared)
    assert not styles[3:].any()


def test_without_styles_no_style_is_shared() -> None:
    for table in (pd.DataFrame({"artist": ["a", "b"]}), pd.DataFrame({"artist": ["a", "b"], "style": [None, None]})):
        assert not share_a_style(styles_of(table), styles_of(table)).any()
        assert len(rival_pairs(table["artist"].to_numpy(), styles_of(table), seed=0)[0]) == 0
