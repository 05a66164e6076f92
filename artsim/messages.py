"""Messages to the user: the types of callbacks, counts with their noun, the first few of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

FEW = 3  # items that a message names, of many

# Receives one line for the user.
Say = Callable[[str], None]
# Receives the stage, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


def no_notes(note: str) -> None:
    """Drop a note: the default of functions that have notes for the user."""


def no_progress(stage: str, done: int, total: int) -> None:
    """Report nothing: the default of functions that report progress."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """1 artist, 2 artists, 1,000 artists; `plural` is for nouns without an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def first_few(items: Sequence[str], separator: str = ", ", of: int | None = None) -> str:
    """The first three items and the number of the others; `of` is the number of all where `items` lacks some."""
    more = (len(items) if of is None else of) - FEW
    return separator.join(items[:FEW]) + (f" … and {more:,} more" if more > 0 else "")
