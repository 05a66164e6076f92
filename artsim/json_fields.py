"""JSON objects from files that others made: each field is read by its type, and an error names the field.

    fields = parse_object('{"seed": 3, "rule": {"threshold": 0.5}}')
    fields.integer("seed", 0, 10), fields.object("rule").number("threshold", 0, 1)

A boolean is no number. NaN and infinity are no numbers. Fields that nobody asks for are ignored: a later artsim may
have written them.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

LARGEST: Final = 1e9  # of a number whose range is not known better; artsim writes none that is larger
LONGEST: Final = 4096  # characters of a text
MOST_BYTES: Final = 2**26  # of a JSON text. The largest that artsim writes has 2 MB
MOST_ENTRIES: Final = 10_000  # of an object of numbers

_REQUIRED: Final = object()
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60

Choice = TypeVar("Choice", bound=str)


class FieldError(ValueError):
    """A text that is no JSON object, or a field that is missing or wrong. The message names the field."""


def parse_object(text: str | bytes) -> Fields:
    """Parse the text of a JSON object.

    Raises:
        FieldError: it is not a JSON object, not UTF-8, too large or nested too deeply, or has a name twice.
    """
    if len(text) > MOST_BYTES:
        raise FieldError(f"it has {len(text):,} bytes, and {MOST_BYTES:,} are the most")
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except FieldError:
        raise
    except RecursionError as error:
        raise FieldError("it is nested too deeply") from error
    except ValueError as error:  # also text that is not UTF-8, and numbers of thousands of digits
        raise FieldError(f"it is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise FieldError(f"it is {_shown(value)}, not an object")
    return Fields(value)


class Fields:
    """The fields of one JSON object. A method returns the value of a field, or `default` if it is not there."""

    def __init__(self, values: Mapping[str, Any], name: str = "") -> None:
        self._values = values
        self._prefix = f"{name}." if name else ""

    def number(self, name: str, low: float = -LARGEST, high: float = LARGEST, default: Any = _REQUIRED) -> float:
        """A finite number from `low` to `high`."""
        value = self._value(name, default)
        if not _is_number(value) or not low <= value <= high:
            raise self._wrong(name, value, f"a number from {_plain(low)} to {_plain(high)}")
        return float(value)

    def number_or_none(self, name: str, low: float = -LARGEST, high: float = LARGEST) -> float | None:
        """A finite number from `low` to `high`, or None for null or no such field."""
        return None if self._values.get(name) is None else self.number(name, low, high)

    def integer(self, name: str, low: int, high: int, default: Any = _REQUIRED) -> int:
        """A whole number from `low` to `high`."""
        value = self._value(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._wrong(name, value, f"a whole number from {low:,} to {high:,}")
        return value

    def text(self, name: str, longest: int = LONGEST, default: Any = _REQUIRED) -> str:
        """A text of at most `longest` characters that UTF-8 can encode."""
        value = self._value(name, default)
        if not _is_text(value, longest):
            raise self._wrong(name, value, f"a text of at most {longest:,} characters in UTF-8")
        return str(value)

    def text_or_none(self, name: str) -> str | None:
        """A text, or None for null or no such field."""
        return None if self._values.get(name) is None else self.text(name)

    def flag(self, name: str, default: Any = _REQUIRED) -> bool:
        """True or false."""
        value = self._value(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, value, "true or false")
        return value

    def choice(self, name: str, choices: Sequence[Choice]) -> Choice:
        """One of some texts."""
        value = self._value(name, _REQUIRED)
        for choice in choices:
            if value == choice:
                return choice
        raise self._wrong(name, value, " or ".join(choices))

    def object(self, name: str) -> Fields:
        """An object."""
        value = self._value(name, _REQUIRED)
        if not isinstance(value, dict):
            raise self._wrong(name, value, "an object")
        return Fields(value, self._prefix + name)

    def object_or_none(self, name: str) -> Fields | None:
        """An object, or None for null or no such field."""
        return None if self._values.get(name) is None else self.object(name)

    def numbers(self, name: str) -> dict[str, float]:
        """An object of finite numbers; it is empty if there is no such field."""
        if name not in self._values:
            return {}
        values = self.object(name)
        if len(values._values) > MOST_ENTRIES:
            raise FieldError(f"{self._prefix}{name} has {len(values._values):,} entries; {MOST_ENTRIES:,} are the most")
        for key in values._values:
            if not _is_text(key, LONGEST):
                raise FieldError(f"{self._prefix}{name} has the name {_shown(key)}, which is too long or not UTF-8")
        return {key: values.number(key) for key in values._values}

    def _value(self, name: str, default: Any) -> Any:
        value = self._values.get(name, default)
        if value is _REQUIRED:
            raise FieldError(f"{self._prefix}{name} is missing")
        return value

    def _wrong(self, name: str, value: Any, expected: str) -> FieldError:
        return FieldError(f"{self._prefix}{name} is {_shown(value)}; it must be {expected}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs of an object, after a check that no name is there twice: readers differ in which one counts."""
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise FieldError(f"it has the name {_shown(twice)} twice")
    return values


def _plain(number: float) -> str:
    """A number without an exponent."""
    return f"{number:,.0f}" if abs(number) >= 1 else f"{number:.10f}".rstrip("0").rstrip(".")


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: Any, longest: int) -> bool:
    if not isinstance(value, str) or len(value) > longest:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _shown(value: Any) -> str:
    return _SHORT.repr(value)
