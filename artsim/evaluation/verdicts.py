"""Which list of scores is better, in one plain sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from artsim.evaluation.comparison import LEAST_ARTISTS, Agreement, SetComparison
from artsim.evaluation.intervals import Difference
from artsim.evaluation.report.numbers import LEAST_PAIRS, WIDEST
from artsim.messages import counted

Outcome = Literal["first", "other", "none", "too few", "no labels"]
DIGITS = 3


@dataclass(frozen=True)
class Verdict:
    """Which of two lists is better, and the sentence that says it."""

    outcome: Outcome
    sentence: str


def letters(count: int) -> list[str]:
    """A short name for each list: A, B, … and beyond Z numbers."""
    return [chr(ord("A") + number) if number < 26 else f"#{number + 1}" for number in range(count)]


def verdict_of(found: SetComparison, other: int, names: Sequence[str]) -> Verdict:
    """The verdict on the first list and another one, `other` from 0; `names` has those of all lists."""
    first, second = names[0], names[other + 1]
    if not found.is_useful(other):
        return Verdict("too few", f"Too few to judge {first} and {second}: {_too_few(found, other)}.")
    difference = found.differences[other]["auc"]
    if difference.low > 0:
        return Verdict("other", f"{second} is better than {first}: AUC {with_interval(difference)}.")
    if difference.high < 0:
        turned = Difference(-difference.value, -difference.high, -difference.low)
        return Verdict("first", f"{first} is better than {second}: AUC {with_interval(turned)}.")
    return Verdict(
        "none",
        f"No difference between {first} and {second} is shown: the interval holds 0. AUC of {second} less that of "
        f"{first}: {with_interval(difference)}.",
    )


def without_labels(found: Agreement, pairs: int, first: str, second: str) -> Verdict:
    """What can be said of lists whose pairs have no labels."""
    share = 100 * found.flipped / pairs
    ranks = "" if math.isnan(found.rank_correlation) else f"The rank correlation is {found.rank_correlation:.2f}. "
    return Verdict(
        "no labels",
        f"Without labels, nobody can say which of {first} and {second} is better. {ranks}They predict otherwise for "
        f"{found.flipped:,} of {counted(pairs, 'pair')} ({share:.1f} %).",
    )


def with_interval(difference: Difference) -> str:
    """A difference, such as `+0.021 (0.008 to 0.034)`."""
    return f"{signed(difference.value)} ({interval_of(difference)})"


def signed(value: float) -> str:
    """A difference with its sign; 0 has none."""
    text = f"{value:+.{DIGITS}f}"
    return text[1:] if float(text) == 0 else text


def interval_of(difference: Difference) -> str:
    """The bounds, such as `-0.003 to 0.034`."""
    if not math.isfinite(difference.low):
        return "no interval"
    low, high = (f"{bound:.{DIGITS}f}".replace("-0.000", "0.000") for bound in (difference.low, difference.high))
    return f"{low} to {high}"


def _too_few(found: SetComparison, other: int) -> str:
    """Why a set says nothing."""
    kinds = found.same, len(found.rows) - found.same
    if min(kinds) < LEAST_PAIRS:
        pairs = f"{counted(kinds[0], 'same-artist pair')} and {counted(kinds[1], 'different-artist pair')}"
        return f"there are {pairs}, and {LEAST_PAIRS} of each kind are needed"
    if found.artists is not None and found.artists < LEAST_ARTISTS:
        return f"the pairs are by {counted(found.artists, 'artist')}, and {LEAST_ARTISTS} are needed"
    difference = found.differences[other]["auc"]
    if not math.isfinite(difference.low):
        return "no resample has both kinds of pairs"
    return f"the interval of the difference, {interval_of(difference)}, is wider than {WIDEST:g}"
