"""What a sweep tries: a range or some values for each flag of a recipe. Imports neither TensorFlow nor Optuna.

The flags declare their own ranges, beside their types and help texts (cli/recipe_options.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from artsim.training.recipes import Recipe

# What a flag acts on. A sweep leaves out flags of a part that its recipe does not have.
Part = Literal["embedding", "readout", "blend", "views", "steps", "head", "tuning", "network"]


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole numbers if both are. `log`: as many per factor of ten."""

    low: float
    high: float
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choices:
    """Some values."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return ",".join(map(str, self.values))

    def __contains__(self, value: object) -> bool:
        return value in self.values


Values: TypeAlias = Range | Choices
Space: TypeAlias = Mapping[str, Values]  # by the name of the recipe's field


@dataclass(frozen=True)
class Search:
    """How a flag takes part in a sweep.

    Attributes:
        part: of the tower or its training that the flag acts on.
        values: that a sweep tries; None: only those that the user names.
        log: whether a range that the user names is searched by its logarithm.
    """

    part: Part
    values: Values | None = None
    log: bool = False


def parts_of(recipe: Recipe) -> set[Part]:
    """The parts that a recipe has, so that flags of theirs have an effect."""
    has = {
        "embedding": recipe.tower != "classic",
        "readout": recipe.readout_share > 0,
        "views": recipe.is_pretrained,
        "blend": 0 < recipe.readout_share < 1,
        "steps": recipe.has_epochs,
        "head": recipe.has_epochs and recipe.tower != "classic",
        "tuning": recipe.tune_epochs > 0,
        "network": True,
    }
    return {part for part, is_there in has.items() if is_there}  # type: ignore[misc]


def space_of(recipe: Recipe, declared: Mapping[str, Search], fixed: set[str], named: Space) -> dict[str, Values]:
    """The search space of a sweep.

    Args:
        recipe: with the fields that the user fixes.
        declared: what the flags declare, by field.
        fixed: fields that the user has given a value.
        named: what the user names, in place of or beside what is declared.
    """
    parts = parts_of(recipe)
    usual = {
        name: search.values
        for name, search in declared.items()
        if search.values is not None and search.part in parts and name not in fixed
    }
    return {**usual, **named}
