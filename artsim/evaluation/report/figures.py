"""Figures as paths of SVG: a frame with ticks, and shapes in it. The templates draw them.

A figure is WIDTH x HEIGHT units. Its plot lies inside the margins. All coordinates are rounded, so that the same data
gives the same text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 400, 300
LEFT, RIGHT, TOP, BOTTOM = 54, 16, 12, 44
POINT = 4  # radius


@dataclass(frozen=True)
class Tick:
    """A mark of an axis, at a coordinate of the figure."""

    at: float
    text: str


@dataclass(frozen=True)
class Shape:
    """A path with the class that styles it; `title` is shown for a pointer that rests on it."""

    path: str
    style: str
    title: str = ""


@dataclass(frozen=True)
class Note:
    """A text in a figure."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    style: str = "note"


@dataclass(frozen=True)
class Key:
    """An entry of the legend: the style of a shape, and what it shows."""

    style: str
    text: str


@dataclass(frozen=True)
class Figure:
    """One figure; `alt` says in words what it shows, `caption` how to read it."""

    name: str
    title: str
    alt: str
    caption: str
    x_label: str
    y_label: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    shapes: Sequence[Shape]
    notes: Sequence[Note] = ()
    keys: Sequence[Key] = ()


@dataclass(frozen=True)
class Scale:
    """From values to coordinates of a figure, linear in both directions."""

    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)

    def at_x(self, value: float) -> float:
        """The horizontal coordinate of a value."""
        share = (value - self.x[0]) / (self.x[1] - self.x[0])
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def at_y(self, value: float) -> float:
        """The vertical coordinate of a value; larger values are higher."""
        share = (value - self.y[0]) / (self.y[1] - self.y[0])
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)

    def line(self, x: Iterable[float], y: Iterable[float]) -> str:
        """The path through points."""
        points = [f"{self.at_x(one):g} {self.at_y(other):g}" for one, other in zip(x, y, strict=True)]
        return "M" + "L".join(points) if points else ""

    def area(self, edges: NDArray[np.float64], heights: NDArray[np.float64]) -> str:
        """The outline of bars side by side, (B + 1,) edges and (B,) heights, closed at the bottom."""
        x = np.repeat(edges, 2)
        y = np.concatenate([[self.y[0]], np.repeat(heights, 2), [self.y[0]]])
        return self.line(x.tolist(), y.tolist()) + "Z"

    def point(self, x: float, y: float) -> str:
        """A disc around a point."""
        half = f"a{POINT} {POINT} 0 1 0"
        return f"M{self.at_x(x) - POINT:g} {self.at_y(y):g}{half} {2 * POINT} 0{half} {-2 * POINT} 0Z"

    def upright(self, x: float) -> str:
        """A vertical line over the whole plot."""
        return f"M{self.at_x(x):g} {TOP}V{HEIGHT - BOTTOM}"

    def x_ticks(self, values: Iterable[float], texts: Iterable[str]) -> list[Tick]:
        """Marks of the horizontal axis."""
        return [Tick(self.at_x(value), text) for value, text in zip(values, texts, strict=True)]

    def y_ticks(self, values: Iterable[float], texts: Iterable[str]) -> list[Tick]:
        """Marks of the vertical axis."""
        return [Tick(self.at_y(value), text) for value, text in zip(values, texts, strict=True)]


@dataclass(frozen=True)
class Shares:
    """Both axes show shares from 0 to 100 %."""

    scale: Scale = field(default_factory=Scale)

    @property
    def ticks(self) -> tuple[list[Tick], list[Tick]]:
        """Marks at every quarter, of both axes."""
        values = (0.0, 0.25, 0.5, 0.75, 1.0)
        texts = [f"{100 * value:.0f} %" for value in values]
        return self.scale.x_ticks(values, texts), self.scale.y_ticks(values, texts)

    @property
    def diagonal(self) -> str:
        """The line from corner to corner."""
        return self.scale.line((0, 1), (0, 1))


def round_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values inside a range, at most so many."""
    if high <= low:
        return [low]
    raw = (high - low) / most
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    return [float(value) for value in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step]
