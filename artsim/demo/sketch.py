"""The underdrawing: flat and shaded shapes, each with a colour and a direction for its strokes.

Coordinates run from (0, 0) at the top left to (`w`, `h`). The longer side is 1. The results are:

    image     RGB colours
    flow      the coded direction of each shape
    ink       outlines; None if the artist draws none
    touches   small things that are painted last
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from artsim.demo.palette import RGB, Floats, Palette
from artsim.demo.work import Work

Point = tuple[float, float]

FLOW_SIDE = 64
_DRAWN = 0.25  # the least `outline` of a style that draws outlines
NO_FLOW = 255  # in `flow`; lower values are angles, 0..254 for 0..pi


class Touch(NamedTuple):
    """A small thing: a filled shape or, with a width (in pixels of `image`), a line."""

    points: list[Point]  # in pixels of `image`
    tone: RGB
    width: int


class Sketch:
    """A work as shapes, before it is painted."""

    def __init__(self, work: Work, rng: np.random.Generator, size: int) -> None:
        self.style, self.work, self.rng = work.style, work, rng
        self.w, self.h = min(1.0, work.aspect), min(1.0, 1 / work.aspect)
        self.palette = Palette(work.pigments, work.light)
        self.side, self.night = work.side, work.hour == "night"
        self.touches: list[Touch] = []
        self._scale = size
        self.image = Image.new("RGB", _pixels(self.w, self.h, size), self.palette.tone(self.style.ground))
        self.flow = Image.new("L", _pixels(self.w, self.h, FLOW_SIDE), NO_FLOW)
        self.ink = Image.new("L", self.image.size) if self.style.outline >= _DRAWN else None
        self._paint = ImageDraw.Draw(self.image)
        self._pen = ImageDraw.Draw(self.ink) if self.ink else None
        self._nib = max(1, round((0.0015 + 0.006 * self.style.outline) * size))
        self._lay = ImageDraw.Draw(self.flow)

    def between(self, low: float, high: float) -> float:
        """A random number from a range."""
        return low + (high - low) * float(self.rng.random())

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return float(self.rng.random()) < probability

    def some(self, low: int, high: int) -> int:
        """A random count from `low` to `high`; higher for artists who crowd their pictures."""
        return low + round((high - low) * (0.5 * self.style.crowd + 0.5 * float(self.rng.random())))

    def shape(
        self,
        points: Sequence[Point],
        role: str,
        shade: float = 0.0,
        flow: float | None = None,
        outline: bool = True,
        touch: bool = False,
    ) -> None:
        """A flat polygon; `flow` is the direction of its strokes in radians."""
        area, tone = _scaled(points, self._scale), self.palette.tone(role, shade)
        self._paint.polygon(area, fill=tone)
        if touch:
            self.touches.append(Touch(area, tone, 0))
        if flow is not None:
            self._lay.polygon(_scaled(points, FLOW_SIDE), fill=round(flow % np.pi / np.pi * 254))
        if self._pen and outline:
            self._pen.polygon(area, fill=0)  # hide what is behind
            self._pen.line([*area, area[0]], fill=255, width=self._nib)

    def box(
        self, x: float, y: float, w: float, h: float, role: str, shade: float = 0.0, flow: float | None = None
    ) -> None:
        """An upright rectangle from its top left corner."""
        self.shape([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], role, shade, flow)

    def line(self, points: Sequence[Point], role: str, shade: float, width: float, touch: bool = False) -> None:
        """A line; `width` is a share of the longer side."""
        course = Touch(_scaled(points, self._scale), self.palette.tone(role, shade), max(1, round(width * self._scale)))
        self._paint.line(course.points, course.tone, course.width, joint="curve")
        if touch:
            self.touches.append(course)

    def blend(self, top: float, bottom: float, roles: tuple[str, str], shades: Point, flow: float = 0.0) -> None:
        """A band over the whole width with a gradient between two colours."""
        first, last = (self.palette.tone(role, shade) for role, shade in zip(roles, shades, strict=True))
        bands = 14
        edges = np.linspace(top, bottom, bands + 1)
        for band in range(bands):
            share = band / (bands - 1)
            tone = tuple(round(a + (b - a) * share) for a, b in zip(first, last, strict=True))
            area = _scaled([(-0.01, edges[band]), (self.w + 0.01, edges[band + 1] + 0.01)], self._scale)
            self._paint.rectangle(area, fill=tone)
        self._lay.rectangle(
            _scaled([(-0.1, top), (self.w + 0.1, bottom)], FLOW_SIDE), fill=round(flow % np.pi / np.pi * 254)
        )

    def ball(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        role: str,
        shade: float = 0.0,
        depth: float = 0.22,
        lumps: float = 0.0,
        outline: bool = True,
    ) -> None:
        """A shaded ellipse, lit from the work's side; `depth` is the difference between its light and its shadow."""
        rim = self.ring(x, y, rx, ry, lumps)
        self.shape(rim.tolist(), role, shade - depth / 2, outline=outline)
        for share in (0.25, 0.5, 0.75, 1.0):
            inner = 1 - 0.75 * share
            shift = np.array([self.side * rx * 0.35 * share, -ry * 0.35 * share])
            points = (rim - (x, y)) * inner + (x, y) + shift
            self.shape(points.tolist(), role, shade + depth * (share - 0.5), outline=False)

    def ring(self, x: float, y: float, rx: float, ry: float, lumps: float = 0.0) -> Floats:
        """Points (18, 2) around an ellipse; `lumps` makes it irregular."""
        turn = np.linspace(0, 2 * np.pi, 18, endpoint=False)
        reach = np.ones(18)
        if lumps:
            phase = self.rng.uniform(0, 2 * np.pi, 3)[:, None]
            reach += lumps * np.sin(np.array([[2.0], [3.0], [5.0]]) * turn + phase).sum(axis=0) / 1.7
        return np.stack([x + rx * reach * np.cos(turn), y + ry * reach * np.sin(turn)], axis=1)

    def ridge(self, level: float, rise: float, rough: float = 0.0) -> list[Point]:
        """A line from edge to edge: slow waves of height `rise`, and `rough` on top of them."""
        x = np.linspace(-0.02, self.w + 0.02, 26)
        waves = self.rng.uniform(1.0, 9.0, 3)[:, None] * x + self.rng.uniform(0, 2 * np.pi, 3)[:, None]
        y = level - rise * (np.sin(waves) * np.array([[0.5], [0.3], [0.2]])).sum(axis=0)
        y = y - rough * self.rng.uniform(-1, 1, 26)
        return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]

    def ground(self, ridge: list[Point], role: str, shade: float = 0.0, flow: float = 0.0) -> None:
        """Everything below a ridge. Only the ridge has an outline."""
        self.shape([*ridge, (self.w + 0.02, 1.02), (-0.02, 1.02)], role, shade, flow, outline=False)
        if self._pen:
            edge = _scaled(ridge, self._scale)
            self._pen.polygon([*edge, (self._scale, self._scale), (0, self._scale)], fill=0)
            self._pen.line(edge, fill=255, width=self._nib)


def _pixels(w: float, h: float, size: int) -> tuple[int, int]:
    return max(1, round(w * size)), max(1, round(h * size))


def _scaled(points: Sequence[Point], scale: float) -> list[Point]:
    return [(x * scale, y * scale) for x, y in points]
