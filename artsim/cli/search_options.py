"""`--search FLAG=LOW..HIGH` and `--search FLAG=A,B,C`: what a sweep tries, in the terms of the flags of a training."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import click

from artsim.cli.options import spell
from artsim.cli.recipe_options import SearchableOption
from artsim.errors import UsageError
from artsim.training.search_space import Choices, Range, Search, Values

NUMBERS = (click.IntRange, click.FloatRange)


def searchable_flags(command: click.Command) -> dict[str, SearchableOption]:
    """The flags of a command that a sweep can try values of, by name."""
    return {str(each.name): each for each in command.params if isinstance(each, SearchableOption)}


def declared(command: click.Command) -> dict[str, Search]:
    """What the flags of a command declare about sweeps, by name."""
    return {name: option.search for name, option in searchable_flags(command).items()}


def named_space(context: click.Context, texts: Iterable[str]) -> dict[str, Values]:
    """What the user names by `--search`; one text may name several flags, with spaces between them.

    Raises:
        UsageError: a text has another form, or names no flag that can be searched, or values that it cannot have.
    """
    space: dict[str, Values] = {}
    for text in (part for whole in texts for part in whole.split()):
        flag, equals, values = text.partition("=")
        name = spell(flag.removeprefix("--")).replace("-", "_")
        options = searchable_flags(context.command)
        if not equals or not values:
            raise UsageError(f"--search {text}: write FLAG=LOW..HIGH or FLAG=A,B,C, for example readout-shift=0..2.")
        if name not in options:
            known = ", ".join(each.replace("_", "-") for each in options)
            raise UsageError(f"--search {text}: --{name.replace('_', '-')} cannot be searched. Use one of {known}.")
        if name in space:
            raise UsageError(f"--search {text}: --{name.replace('_', '-')} is named twice. Name it once.")
        space[name] = _values(context, options[name], text, values)
    return space


def _values(context: click.Context, option: SearchableOption, text: str, values: str) -> Values:
    low, dots, high = values.partition("..")
    if dots:
        return _range(context, option, text, (low, high))
    found = tuple(_value(context, option, text, each) for each in values.split(","))
    if len(set(found)) < max(2, len(found)):
        problem = "names a value twice" if len(found) > 1 else f"names one value. To fix it: {option.opts[0]} {values}"
        raise UsageError(f"--search {text}: {problem}.")
    return Choices(found)


def _range(context: click.Context, option: SearchableOption, text: str, ends: tuple[str, str]) -> Range:
    if not isinstance(option.type, NUMBERS):
        raise UsageError(f"--search {text}: the flag has no numbers. Name its values: FLAG=A,B,C.")
    low, high = (_value(context, option, text, end) for end in ends)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"--search {text}: the first number must be smaller than the second, and both finite.")
    return Range(low, high, log=option.search.log and low > 0)


def _value(context: click.Context, option: SearchableOption, text: str, value: str) -> Any:
    try:
        found = option.type_cast_value(context, value)
    except click.BadParameter as error:
        raise UsageError(f"--search {text}: {re.sub(r'[.]$', '', error.message)}.") from error
    if isinstance(found, float) and not math.isfinite(found):
        raise UsageError(f"--search {text}: {value} is not a finite number.")
    return found
