"""Messages to the user: the types of callbacks, counts with their noun, the first few of many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

FEW = 3  # items that a message names, of many
MOST_LINES = 10  # of bad images
MOST_NAMES = 12  # of columns or the like
MOST_SIGNS = 60  # of a text from a file

# Receives one line for the user.
Say = Callable[[str], None]
# Receives the stage, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


def say_nothing(_: str) -> None:
    """Tell the user nothing: the default of functions that have something to say."""


def no_progress(stage: str, done: int, total: int) -> None:
    """Report nothing: the default of functions that report progress."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """1 artist, 2 artists, 1,000 artists; `plural` is for nouns without an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def shortened(text: str, most: int = MOST_SIGNS) -> str:
    """A text of at most so many characters, cut at its end."""
    return text if len(text) <= most else f"{text[:most]}…"


def quoted(text: object) -> str:
    """A value from a file in quotes, shortened."""
    return shortened(repr(text))


def listed(names: Sequence[str]) -> str:
    """Names such as those of columns, each shortened, and the number of those that are left out."""
    more = len(names) - MOST_NAMES
    shown = ", ".join(shortened(name) for name in names[:MOST_NAMES])
    return shown + (f" and {more:,} more" if more > 0 else "")


def none_found(source: str, names: Sequence[str], searched: str, fault: str | None = None) -> str:
    """What to say if no image of a table is found; `fault` is a sentence about the first one."""
    what = f"its file {quoted(names[0])} is not" if len(names) == 1 else f"none of its {len(names):,} files is"
    example = "" if len(names) == 1 else f" The first is {quoted(names[0])}."
    return (
        f"{source}: {what} in {searched}.{f' {fault}.' if fault else example} Name the images' folder with --data-dir."
    )


def first_few(items: Sequence[str], separator: str = ", ", of: int | None = None) -> str:
    """The first three items and the number of the others; `of` is the number of all where `items` lacks some."""
    more = (len(items) if of is None else of) - FEW
    return separator.join(items[:FEW]) + (f" … and {more:,} more" if more > 0 else "")


def line_each(reasons: Sequence[str]) -> list[str]:
    """A line for each of the first ten bad images, and one with the number of the others."""
    more = len(reasons) - MOST_LINES
    return [*reasons[:MOST_LINES], *([f"… and {more:,} more"] if more > 0 else [])]
