"""Find and merge several spellings of one artist.

Two spellings are one name if they are equal after these steps: Unicode's NFKC (which unifies composed characters,
width and spaces), case folding, one sign for all dashes and one for all apostrophes, no invisible characters, single
spaces, and no spaces at the ends. Names that differ in accents, initials or word order are different names.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable

import pandas as pd

from artsim.messages import counted, first_few

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
_APOSTROPHES = "\u2018\u2019\u02bc\u2032`\u00b4"
_ONE_SIGN = str.maketrans({**dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_APOSTROPHES, "'")})


def find_spellings(artists: pd.Series[str]) -> list[dict[Hashable, int]]:
    """Find the names with several spellings, in order of appearance.

    Returns:
        For each name its spellings and their numbers of works, most works first, then in order of appearance.
    """
    names: dict[str, dict[Hashable, int]] = {}
    for spelling, works in artists.value_counts(sort=False).items():  # in order of appearance
        names.setdefault(_key(str(spelling)), {})[spelling] = works
    several = [spellings for spellings in names.values() if len(spellings) > 1]
    return [dict(sorted(spellings.items(), key=lambda item: -item[1])) for spellings in several]


def merge_spellings(table: pd.DataFrame, found: list[dict[Hashable, int]]) -> pd.DataFrame:
    """The works with the most frequent spelling of each name that `find_spellings` found."""
    chosen = {spelling: next(iter(spellings)) for spellings in found for spelling in spellings}
    artists = [chosen.get(artist, artist) for artist in table["artist"]]
    return table.assign(artist=pd.Series(artists, index=table.index, dtype=table["artist"].dtype))


def describe_spellings(found: list[dict[Hashable, int]]) -> str:
    """The number of names with several spellings, and the first few of them with their numbers of works."""
    names = [
        " / ".join(f"{_quoted(str(spelling))} ({works})" for spelling, works in spellings.items())
        for spellings in found
    ]
    return f"{counted(len(found), 'artist')} with several spellings: {first_few(names, '; ')}"


def _key(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name.translate(_ONE_SIGN)).casefold()
    visible = "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", visible).split())


def _quoted(spelling: str) -> str:
    """The spelling in quotes. Characters that look like others (spaces, combining accents, dashes) are escaped."""
    return "'" + "".join(sign if _is_plain(sign) else ascii(sign)[1:-1] for sign in spelling) + "'"


def _is_plain(sign: str) -> bool:
    return sign == "-" or (sign.isprintable() and unicodedata.category(sign) not in ("Mn", "Pd"))
