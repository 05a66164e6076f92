"""The columns of a table of works: which of them hold the filename, the artist and so on.

A column is found by its name. Letter case, spaces and punctuation do not matter if only one column fits. The user may
name columns otherwise: `filename=File,artist=Artist`.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from artsim.errors import InputError, UsageError
from artsim.messages import first_few, listed, quoted

FILENAME, ARTIST = "filename", "artist"
NAMES = (FILENAME, ARTIST, "title", "style", "genre", "date", "group")
NO_FILES = ("demo", "self", "none")  # what flags take in place of a collection


@dataclass(frozen=True)
class Columns:
    """The columns that the user names: the table's own name for each of `NAMES`; `text` is how the user wrote it."""

    named: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    @classmethod
    def parse(cls, text: str) -> Columns:
        """Read `filename=File,artist=Artist`. A part with a comma is in quotes, as in a csv: `"filename=File, scan"`.

        Raises:
            ValueError: a part has another form, or names a column twice.
        """
        named: dict[str, str] = {}
        for part in next(csv.reader([text]), []):
            name, _, column = part.partition("=")
            name = _key(name)
            if name not in NAMES or not column.strip():
                raise ValueError(f"{part!r} is not NAME=COLUMN, where NAME is one of {', '.join(NAMES)}")
            if name in named or column.strip() in named.values():
                raise ValueError(f"{part!r} names a column twice")
            named[name] = column.strip()
        if not named:
            raise ValueError("it names no column. An example: filename=File,artist=Artist")
        return cls(named, text)

    def __str__(self) -> str:
        return self.text

    def find(self, header: Sequence[str], required: Sequence[str], source: str) -> dict[str, int]:
        """The positions of the columns of `NAMES` that a table has.

        Raises:
            InputError: it lacks a column that is required or that the user names, or several columns fit.
        """
        found = {name: self._fitting(name, header) for name in NAMES}
        lacking = [name for name in NAMES if not found[name] and (name in required or name in self.named)]
        if lacking:
            raise InputError(self._lacking(lacking, header, source))
        for name in (FILENAME, ARTIST):
            if len(found[name]) > 1:
                several = " and ".join(quoted(header[position]) for position in found[name])
                raise InputError(f"{source}: the columns {several} may be the {name}. Name one: --columns {name}=…")
        return {name: positions[0] for name, positions in found.items() if len(positions) == 1}

    def _fitting(self, name: str, header: Sequence[str]) -> list[int]:
        wanted = self.named.get(name, name)
        stripped = [column.strip() for column in header]
        exact = [position for position, column in enumerate(stripped) if column == wanted]
        return exact or [position for position, column in enumerate(stripped) if _key(column) == _key(wanted)]

    def _lacking(self, names: Sequence[str], header: Sequence[str], source: str) -> str:
        columns = " and no column ".join(self.named.get(name, name) for name in names)
        there = listed([column for column in header if column.strip()]) or "none"
        how = ",".join(f"{name}=…" for name in names)
        near = [*filter(None, (_near(self.named.get(name, name), header) for name in names))]
        hint = f" Did you mean {' and '.join(map(quoted, near))}?" if near else ""
        return (
            f"{source}: there is no column {columns}. The columns are: {there}.{hint} Name yours with --columns {how}"
        )


def check_use(columns: Columns | None, sources: Sequence[str | None]) -> None:
    """Check that one of the sources of a command can be a table, if the user names columns.

    Raises:
        UsageError: all are folders, or names of no file.
    """
    named = [source for source in sources if source is not None]
    if columns is None or not columns.named or any(_may_be_table(source) for source in named):
        return
    raise UsageError(
        f"--columns names columns of a table, and {first_few([*map(quoted, named)]) or 'nothing'} is no table. Name a "
        "table, or leave out --columns."
    )


def position_of(column: str, header: Sequence[str]) -> int | None:
    """The position of a column that the user names; None if there is none, or several fit."""
    if column in header:
        return header.index(column)
    fitting = [position for position, name in enumerate(header) if _key(name) == _key(column)]
    return fitting[0] if len(fitting) == 1 else None


def _may_be_table(source: str) -> bool:
    return source.lower() not in NO_FILES and not os.path.isdir(source)  # noqa: PTH112 - a name may be too long


def _near(column: str, header: Sequence[str]) -> str | None:
    """The column whose name is most like the one that is wanted; None if none is."""
    by_key = {_key(name): name for name in header if name.strip()}
    return next((by_key[key] for key in get_close_matches(_key(column), by_key, n=1)), None)


def _key(name: str) -> str:
    """A column's name without letter case, spaces and punctuation."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())
