"""Attributions: whether the cell of an artist names one artist, several, none, or one with a reservation.

    named       Rembrandt; Toulouse-Lautrec, Henri de; José Ortega y Gasset
    unknown     Unknown; n/a; unbekannter Künstler; an empty cell
    qualified   workshop of Rembrandt; Rubens, attributed to; Rembrandt (?); nach Dürer; Dutch School
    several     Rubens and Snyders; Rubens; Brueghel

The words are in `attribution_words.py`. They count where an attribution has them: before the name, after it behind a
comma or in brackets, or between two names. Letter case and accents do not matter, except that a name begins with a
capital. A cell in capitals or small letters only is read as if each name had its capital.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from artsim.collection.attribution_words import (
    AFTER,
    ALTERNATIVES,
    ANYWHERE,
    ARTICLES,
    BEFORE_A_NAME,
    CENTURIES,
    CONJUNCTIONS,
    DOUBT,
    GROUPS,
    HELPERS,
    NATIONS,
    NO_ARTIST,
    NOUNS,
    ONE_ARTIST,
    PERIODS,
    PREPOSITIONS,
    ROLES,
    SAYINGS,
    SHORT_CONJUNCTIONS,
    UNKNOWN,
)

Kind = Literal["named", "unknown", "qualified", "several"]

MAX_SIGNS = 500  # of a cell that are looked at; a name is far shorter, and time grows with the square


def _any(words: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(words)})"


_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u2032`\u00b4", "'"))
_WORD = re.compile(r"[^\W_]+")
_SEGMENT_END = re.compile(r"[,;:()\[\]|/\n]|\s[-–—]\s")
_NAME_END = re.compile(r"\s*(?:[;|/\n]|\s[&+]\s|(?<=[^\W\d_]{2})&(?=[^\W\d_]{2}))\s*")

_ANYWHERE = re.compile(rf"(?<!\w){_any(ANYWHERE)}(?!\w)", re.IGNORECASE)
_DOUBTED = re.compile(rf"{_any(DOUBT)}\s+\w", re.IGNORECASE)
_BEFORE_A_NAME = re.compile(
    rf"(?:{_any(DOUBT)}\s+|the\s+|an?\s+)*{_any(BEFORE_A_NAME)}(?<=[\w.'])[\s:]*(?=\w)", re.IGNORECASE
)
_AFTER = re.compile(rf"(?:{_any(AFTER)})\s+(?=\w)", re.IGNORECASE)
_AFTER_BETWEEN = re.compile(rf"\s{_any(AFTER)}\s+(?=\w)")
_RESERVATION = re.compile(
    rf"(?:{_any(DOUBT)}|(?:{_any(DOUBT)}\s+)?{_any((*NOUNS, *AFTER))}(?P<prepositions>(?:\s+{_any(PREPOSITIONS)})*))",
    re.IGNORECASE,
)
_HELPERS = re.compile(
    rf"(?:\W|^){_any((*CONJUNCTIONS, *SHORT_CONJUNCTIONS, '&', r'[+]'))}\s+(?:his\s+|her\s+|son\s+|seine[r]?\s+)?"
    rf"{_any(HELPERS)}(?!\w)",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(
    r"(?:'s\s+(?:workshop|studio|circle|school|followers?|pupils?|atelier)"
    r"|[\w\s-](?:werkstatt|umkreis|nachfolger?)|[\w-]schule)$",
    re.IGNORECASE,
)
_SMALL_NOUN = re.compile(r"\w\s(?:workshop|studio|school|circle|follower|pupil)$")
_BETWEEN = re.compile(rf"\s({_any((*CONJUNCTIONS, *SHORT_CONJUNCTIONS, *ALTERNATIVES))})\s+(?=\w)")
_FUNCTION_WORDS = frozenset({*CONJUNCTIONS, *ALTERNATIVES, *AFTER, *PREPOSITIONS, "y"})


@lru_cache(maxsize=2**16)
def kind_of(artist: str) -> Kind:
    """What the cell of an artist names."""
    text = _cased(_plain(artist[:MAX_SIGNS]))
    words = [word.casefold() for word in _WORD.findall(text)]
    if _is_unknown(text, words):
        return "unknown"
    if _is_reserved_after_the_name(text) or _is_of_a_school(words):
        return "qualified"
    if words[-1] in GROUPS or " ".join(words) in ONE_ARTIST:
        return "named"
    if _is_reserved(text, words):
        return "qualified"
    return _kind_of_several(text)


def _plain(text: str) -> str:
    """The text without accents, with one kind of apostrophe and single spaces; line ends stay."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES))
    bare = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return "\n".join(filter(None, (" ".join(line.split()) for line in _spaced(bare).splitlines())))


def _spaced(text: str) -> str:
    """The text with spaces for the signs that stand for them in names of folders: Ann_Bee, workshop-of-ann-bee."""
    if any(sign.isspace() for sign in text):
        return text
    return text.replace("_", " ") if "_" in text or not text.islower() else text.replace("-", " ")


def _cased(text: str) -> str:
    """The text with capitals at names, if it has none or nothing else."""
    if not (text.isupper() or text.islower()):
        return text
    titled = re.sub(r"[^\W\d_]+", lambda word: word[0].capitalize(), text)
    return re.sub(r"(?<=\s)\w+(?=\s)", lambda word: _small(word[0]), titled)


def _small(word: str) -> str:
    return word.lower() if word.lower() in _FUNCTION_WORDS else word


def _is_unknown(text: str, words: list[str]) -> bool:
    if not words or " ".join(words) in NO_ARTIST:
        return True
    if words[0] in ARTICLES and words[1:2] and words[1] in UNKNOWN:
        return True
    others = {*ROLES, *NATIONS, *PERIODS}
    if words[-1] in UNKNOWN and all(word in others for word in words[:-1]):
        return True
    if words[0] not in UNKNOWN or " ".join(words) in ONE_ARTIST:
        return False
    first = _WORD.search(text)
    assert first is not None  # noqa: S101 - there are words
    rest = text[first.end() :]
    is_name = rest[:1] == " " and rest[1:2].isupper() and not any(word in others for word in words[1:])
    return not is_name


def _is_of_a_school(words: list[str]) -> bool:
    """Whether all words say a nation with a role or a century: Dutch School; Sienese, 14th century."""
    said = [word for word in words if word not in PERIODS and not word[0].isdigit()]
    is_said = all(word in ROLES or word in NATIONS for word in said)
    is_more = any(word in ROLES or word in CENTURIES for word in words)
    return is_said and is_more and any(word in NATIONS for word in said)


def _is_reserved_after_the_name(text: str) -> bool:
    segments = [segment.strip() for segment in _SEGMENT_END.split(text)]
    if any(segment.startswith("?") or segment.endswith("?") for segment in segments):
        return True
    found = [_RESERVATION.fullmatch(segment) for segment in segments]
    is_first = found[0] is not None and bool(found[0]["prepositions"])  # "Attributed to: Rembrandt", not "Circle, Ann"
    is_later = any(found[1:])
    return is_first or is_later or bool(_HELPERS.search(text) or _POSSESSIVE.search(text) or _SMALL_NOUN.search(text))


def _is_reserved(text: str, words: list[str]) -> bool:
    if _ANYWHERE.search(text) or _BEFORE_A_NAME.match(text) or _DOUBTED.match(text):
        return True
    after = _AFTER.match(text)
    if after is not None and words[1] not in SAYINGS and (text[after.end()].isupper() or text[0].islower()):
        return True
    return any(text[found.end()].isupper() for found in _AFTER_BETWEEN.finditer(text))


def _kind_of_several(text: str) -> Kind:
    for found in _BETWEEN.finditer(text):
        left = _SEGMENT_END.split(text[: found.start()])[-1]
        right = _SEGMENT_END.split(text[found.end() :])[0]
        if not right[0].isupper():
            continue
        if found[1] in ALTERNATIVES:
            return "qualified"
        if found[1] not in SHORT_CONJUNCTIONS or _are_two_names(found[1], left.split(), right.split()):
            return "several"
    parts = [part for part in _NAME_END.split(text) if _is_name(part)]
    return "several" if len(parts) > 1 else "named"


def _are_two_names(conjunction: str, left: list[str], right: list[str]) -> bool:
    """Whether `y` or `e` stands between two artists. A second family name is one word: Ortega y Gasset."""
    return len(right) > 1 and (len(left) > 1 or conjunction == "e")


def _is_name(part: str) -> bool:
    """Whether a part of a cell may be a name, not dates, a nation or a role."""
    words = [word.casefold() for word in _WORD.findall(part)]
    is_said = all(word in ROLES or word in NATIONS or word in PERIODS for word in words)
    return sum(map(len, words)) > 1 and not is_said and not any(sign.isdigit() for sign in part)
