"""Outdoor subjects: each function draws one on a sketch, different every time."""

from __future__ import annotations

import math
from itertools import pairwise

from artsim.demo.scenery import boat, fir, glitter, house, sky, tree, walker
from artsim.demo.sketch import Point, Sketch


def hills(s: Sketch) -> None:
    """Rolling land under a wide sky, with fields, trees and perhaps a road."""
    horizon = sky(s)
    s.ground(s.ridge(horizon, 0.10), "far", 0.02, 0.1)
    s.ground(s.ridge(horizon + 0.05 * s.h, 0.09), "land", 0.04, -0.15)
    for _ in range(s.some(2, 4)):
        _plot(s, horizon)
    s.ground(s.ridge(s.h * s.between(0.72, 0.85), 0.10), "land", -0.08, 0.2)
    if s.chance(0.5):
        _road(s, horizon + 0.08 * s.h)
    for _ in range(s.some(1, 5)):
        depth = s.between(0.1, 1.0)
        tree(s, _aside(s), horizon + depth * (s.h - horizon) * 0.85, 0.07 + 0.20 * depth)


def mountains(s: Sketch) -> None:
    """Peaks with snow, one behind the other, over a lake or a valley."""
    horizon = max(sky(s), 0.5 * s.h)
    for row in range(s.some(2, 3)):
        for _ in range(s.some(1, 3)):
            _peak(s, s.between(0, s.w), horizon, s.between(0.16, 0.40) * (1 - 0.2 * row), 0.08 - 0.09 * row)
    if s.chance(0.6):
        s.blend(horizon, s.h, ("water", "water"), (0.12, -0.12))
        glitter(s, horizon, s.some(6, 14))
        s.ground(s.ridge(s.h * 0.9, 0.08), "land", -0.14, 0.1)
    else:
        s.ground(s.ridge(horizon, 0.05), "field", 0.0, 0.0)
        s.ground(s.ridge(horizon + 0.12, 0.08), "land", -0.06, 0.2)
    for _ in range(s.some(0, 4)):
        fir(s, s.between(0, s.w), s.h * s.between(0.82, 0.98), s.between(0.15, 0.4))


def sea(s: Sketch) -> None:
    """Open water, waves, a sail or rocks."""
    horizon = sky(s)
    s.blend(horizon, s.h, ("water", "water"), (s.between(0.0, 0.15), s.between(-0.18, -0.02)))
    glitter(s, horizon, s.some(10, 28))
    if s.chance(0.55):
        _cliff(s, horizon)
    for _ in range(s.some(0, 3)):
        depth = s.between(0.05, 0.7)
        boat(s, s.between(0.12, s.w - 0.12), horizon + depth * (s.h - horizon), 0.08 + 0.2 * depth)
    if s.chance(0.4):
        s.ground(s.ridge(s.h * s.between(0.82, 0.93), 0.10), "field", 0.02, 0.15)


def harbour(s: Sketch) -> None:
    """Houses behind a quay and boats in front of it."""
    horizon = sky(s)
    quay = horizon + 0.08 * s.h
    x = -0.03
    while x < s.w:
        width = s.between(0.07, 0.15)
        if s.chance(0.85):
            house(s, x, quay, width, s.between(0.10, 0.24))
        x += width
    s.blend(quay, s.h, ("water", "water"), (0.06, -0.12))
    glitter(s, quay, s.some(10, 22))
    s.box(-0.01, quay - 0.012, s.w + 0.02, 0.03, "stone", -0.15, flow=0.0)
    for _ in range(s.some(1, 5)):
        depth = s.between(0.15, 0.85)
        boat(s, s.between(0.05, s.w - 0.05), quay + depth * (s.h - quay), 0.12 + 0.22 * depth)


def wood(s: Sketch) -> None:
    """Trunks in the foreground, with leaves above and light between them."""
    floor = s.h * s.between(0.55, 0.75)
    s.blend(0, floor, ("cloud", "foliage"), (-0.02, 0.14), math.pi / 2)
    for _ in range(s.some(5, 9)):
        x, y, r = s.between(0, s.w), s.between(0, 0.5 * s.h), s.between(0.06, 0.16)
        s.ball(x, y, r * 1.2, r, "foliage", s.between(-0.05, 0.15), 0.14, 0.25, outline=False)
    s.ground(s.ridge(floor, 0.06), "land", -0.02, 0.05)
    if s.chance(0.5):
        _road(s, floor)
    for number in range(s.some(4, 9)):
        _trunk(s, s.between(-0.02, s.w), floor + (number + 1) * 0.03, s.between(0.015, 0.05))
    for _ in range(s.some(3, 7)):
        x, r = s.between(0, s.w), s.between(0.05, 0.14)
        s.ball(x, s.between(-0.02, 0.25) * s.h, r * 1.5, r, "foliage", s.between(-0.12, 0.05), 0.2, 0.3)


def town(s: Sketch) -> None:
    """A street or a square between houses, with people in it."""
    horizon = max(sky(s), 0.45 * s.h)
    for _ in range(s.some(3, 7)):
        house(s, s.between(-0.05, s.w), horizon, s.between(0.08, 0.16), s.between(0.06, 0.28), 0.06)
    if s.chance(0.5):
        _tower(s, s.between(0.2, 0.8) * s.w, horizon)
    s.ground([(-0.02, horizon), (s.w + 0.02, horizon)], "stone", 0.02, 0.0)
    street = s.w * s.between(0.3, 0.7)
    for side in (-1, 1):
        _row(s, street, horizon, side)
    for _ in range(s.some(1, 7)):
        depth = s.between(0.05, 0.8)
        walker(
            s,
            street + s.between(-0.3, 0.3) * (0.2 + depth),
            horizon + depth * (s.h - horizon),
            0.05 + 0.13 * depth,
        )


def _aside(s: Sketch) -> float:
    """A random x, mostly on the side that the artist prefers."""
    return s.w * min(max(0.5 + 0.3 * s.style.drift + 0.28 * float(s.rng.normal()), 0.04), 0.96)


def _plot(s: Sketch, horizon: float) -> None:
    """A field seen from the side, in perspective."""
    x, y = s.between(-0.1, s.w), horizon + s.between(0.10, 0.45) * (s.h - horizon)
    w, h, slant = s.between(0.2, 0.5), s.between(0.03, 0.10), s.between(-0.15, 0.15)
    role = ("field", "land", "flower", "foliage")[int(s.between(0, 3.4))]
    s.shape(
        [(x, y), (x + w, y + slant * 0.2), (x + w + slant, y + h), (x + slant, y + h)],
        role,
        s.between(-0.06, 0.1),
        slant,
    )


def _road(s: Sketch, top: float) -> None:
    """A road that comes towards the viewer."""
    end, start, bend = s.between(0.3, 0.7) * s.w, s.between(0.1, 0.9) * s.w, s.between(-0.15, 0.15)
    steps = [0.0, 0.25, 0.5, 0.75, 1.0]
    middle = [(end + (start - end) * t + bend * math.sin(math.pi * t), top + (s.h + 0.02 - top) * t) for t in steps]
    left = [(x - 0.006 - 0.10 * t * t, y) for (x, y), t in zip(middle, steps, strict=True)]
    right = [(x + 0.006 + 0.10 * t * t, y) for (x, y), t in zip(middle, steps, strict=True)]
    s.shape([*left, *reversed(right)], "wall", -0.06, 1.3)


def _peak(s: Sketch, x: float, y: float, height: float, shade: float) -> None:
    """A mountain with a lit and a dark flank and, if it is high, snow."""
    left, right, kink = s.between(0.8, 1.5) * height, s.between(0.8, 1.5) * height, s.between(-0.06, 0.06)
    top = (x, y - height)
    s.shape([(x - left, y + 0.02), top, (x + right, y + 0.02)], "far", shade, 0.9)
    edge = (x + kink, y - 0.5 * height)
    foot = x - left if s.side > 0 else x + right
    s.shape([(foot, y + 0.02), top, edge, (x - kink, y + 0.02)], "far", shade - 0.13, 2.2, outline=False)
    if height > 0.2 and s.chance(0.8):
        cap = [
            (x - 0.22 * left, y - 0.76 * height),
            top,
            (x + 0.22 * right, y - 0.76 * height),
            (x, y - 0.68 * height),
        ]
        s.shape(cap, "cloud", 0.04, 0.9, outline=False)


def _cliff(s: Sketch, horizon: float) -> None:
    """Rock at one side of the sea."""
    base, reach, high = horizon + 0.06, s.between(0.15, 0.5) * s.w, s.between(0.08, 0.3)
    left = s.style.drift + float(s.rng.normal()) < 0
    points = [
        (0.0, base - high),
        (0.5, base - 0.8 * high),
        (0.75, base - 0.45 * high),
        (1.0, base),
        (0.0, base + 0.05),
    ]
    side = [(-0.02 + reach * t if left else s.w + 0.02 - reach * t, y) for t, y in points]
    s.shape(side, "stone", -0.08, 1.2)
    s.shape([side[0], side[1], side[2], (side[0][0], base - 0.5 * high)], "land", 0.0, 0.2, outline=False)


def _trunk(s: Sketch, x: float, y: float, half: float) -> None:
    """A trunk from the ground to beyond the top edge."""
    lean = s.between(-0.08, 0.08)
    s.shape(
        [(x - half * 1.4, y), (x - half + lean, -0.05), (x + half * 0.6 + lean, -0.05), (x + half, y)],
        "trunk",
        0.0,
        math.pi / 2 - lean,
    )
    lit = x + s.side * half * 0.5
    s.line([(lit, y - 0.02), (lit + lean, 0)], "trunk", 0.18, half * 0.5)
    s.shape([(x - half, y), (x + half, y), (x - s.side * 0.3, y + 0.08)], "shadow", 0.15, 0.2, outline=False)


def _tower(s: Sketch, x: float, y: float) -> None:
    """A tower with a spire."""
    w, h = s.between(0.05, 0.09), s.between(0.28, 0.42)
    s.box(x, y - h, w, h, "stone", 0.0, flow=math.pi / 2)
    s.shape(
        [(x - 0.01, y - h), (x + w / 2, y - h - s.between(0.08, 0.2)), (x + w + 0.01, y - h)],
        "roof",
        -0.08,
        1.4,
    )


def _row(s: Sketch, street: float, horizon: float, side: int) -> None:
    """House fronts that run to the vanishing point along one side of the street."""
    edge = -0.02 if side < 0 else s.w + 0.02
    high, shade = s.between(0.35, 0.75), -0.10 if side == s.side else 0.04
    at = [0.0, 0.35, 0.6, 0.78]
    for near, far in pairwise(at):
        x0, x1 = edge + (street - edge) * near, edge + (street - edge) * far
        top0, top1 = (horizon - high * (1 - t) for t in (near, far))
        low0, low1 = (horizon + (s.h - horizon) * 0.75 * (1 - t) for t in (near, far))
        role, rise = (
            ("wall", "room", "roof", "stone")[int(s.between(0, 4))],
            s.between(-0.05, 0.05) * (1 - near),
        )
        s.shape([(x0, top0 + rise), (x1, top1 + rise), (x1, low1), (x0, low0)], role, shade, math.pi / 2)
        _windows(s, ((x0, top0 + rise, low0), (x1, top1 + rise, low1)))


def _windows(s: Sketch, ends: tuple[tuple[float, float, float], tuple[float, float, float]]) -> None:
    """Windows in a front that recedes; `ends` are x, top and bottom of its two upright edges."""
    (x0, top0, low0), (x1, top1, low1) = ends

    def at(u: float, v: float) -> Point:
        top, low = top0 + (top1 - top0) * u, low0 + (low1 - low0) * u
        return x0 + (x1 - x0) * u, top + (low - top) * v

    lit = "lamp" if s.night else "shadow"
    for v in (0.16, 0.42):
        for u in (0.2, 0.6):
            if s.chance(0.7):
                pane = [at(u, v), at(u + 0.2, v), at(u + 0.2, v + 0.14), at(u, v + 0.14)]
                s.shape(pane, lit, 0.08, math.pi / 2, outline=False)
