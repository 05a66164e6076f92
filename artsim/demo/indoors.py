"""Indoor subjects: each function draws one on a sketch, different every time."""

from __future__ import annotations

import math

from artsim.demo.sketch import Sketch
from artsim.demo.tabletop import bloom, bottle, bowl, fruit, jug, shadow, table


def still_life(s: Sketch) -> None:
    """Fruit, a bowl, a bottle or a jug on a table."""
    edge = table(s)
    for _ in range(s.some(1, 3)):
        x = s.between(0.15, s.w - 0.15)
        (bottle if s.chance(0.55) else jug)(s, x, edge + s.between(0.02, 0.08), s.between(0.22, 0.42) * s.h)
    if s.chance(0.6):
        bowl(s, s.between(0.3, 0.7) * s.w, edge + s.between(0.08, 0.16), s.between(0.12, 0.2))
    middle = s.w * (0.5 + 0.2 * s.style.drift)
    for _ in range(s.some(3, 8)):
        x = min(max(middle + 0.2 * float(s.rng.normal()), 0.06), s.w - 0.06)
        fruit(s, x, edge + s.between(0.10, 0.9 * (s.h - edge)), s.between(0.035, 0.07))
    if s.chance(0.3):
        x, y = s.between(0.2, 0.7) * s.w, s.h * 0.92
        s.shape([(x, y), (x + 0.2, y - 0.10), (x + 0.21, y - 0.085), (x + 0.02, y + 0.02)], "stone", 0.1, 2.7)


def flowers(s: Sketch) -> None:
    """A bunch in a vase."""
    edge = table(s)
    x, foot = s.w * (0.5 + 0.15 * s.style.drift), edge + s.between(0.05, 0.12)
    high = s.between(0.22, 0.34) * s.h
    role = ("glass", "linen", "dress", "roof")[int(s.between(0, 4))]
    shadow(s, x, foot, 0.14)
    s.ball(x, foot - 0.42 * high, s.between(0.07, 0.13), 0.48 * high, role, 0.0, 0.28)
    s.box(x - 0.05, foot - 1.05 * high, 0.10, 0.3 * high, role, -0.08, flow=math.pi / 2)
    rim, spread = foot - high, s.between(0.2, 0.32)
    for _ in range(s.some(6, 12)):
        dx, dy = s.between(-1, 1) * spread, s.between(-0.05, 1.1) * spread
        s.line([(x, rim), (x + dx, rim - dy)], "foliage", -0.05, 0.008)
        s.ball(x + dx, rim - 0.7 * dy, 0.06, 0.03, "foliage", s.between(-0.1, 0.1), 0.15, 0.3)
    blooms = ("flower", "lamp", "berry", "dress", "linen")
    main = int(s.between(0, 5))
    for _ in range(s.some(6, 16)):
        turn, reach = s.between(0, 2 * math.pi), math.sqrt(s.between(0, 1)) * spread
        bx, by = x + reach * math.cos(turn), rim - 0.45 * spread + 0.9 * reach * math.sin(turn)
        bloom(s, bx, by, s.between(0.03, 0.065), blooms[main if s.chance(0.65) else int(s.between(0, 5))])
    for _ in range(s.some(0, 4)):
        bloom(s, s.between(0.1, s.w - 0.1), edge + s.between(0.1, 0.2), 0.03, blooms[main])


def interior(s: Sketch) -> None:
    """A room with a window, a floor, furniture and perhaps someone in it."""
    corner, floor = s.w * s.between(0.25, 0.75), s.h * s.between(0.6, 0.75)
    s.blend(0, s.h, ("room", "room"), (0.06, -0.08), math.pi / 2)
    dark = (-0.02, corner) if s.side > 0 else (corner, s.w + 0.02)
    s.shape([(dark[0], -0.02), (dark[1], -0.02), (dark[1], floor), (dark[0], s.h)], "room", -0.1, math.pi / 2)
    slope = [(-0.02, floor + 0.15), (corner, floor), (s.w + 0.02, floor + 0.15)]
    s.ground(slope, "wood", -0.02, 0.1)
    x = s.w * (0.5 + s.side * s.between(0.15, 0.3))
    _window(s, x, s.h * s.between(0.12, 0.25), s.between(0.14, 0.24), s.between(0.25, 0.4) * s.h)
    s.shape(
        [(x, floor + 0.1), (x + 0.15, floor + 0.1), (x - s.side * 0.2, s.h), (x - s.side * 0.45, s.h)],
        "wood",
        0.16,
        0.3,
        outline=False,
    )
    for _ in range(s.some(0, 3)):
        w, h = s.between(0.07, 0.15), s.between(0.08, 0.14)
        px, py = s.between(0.05, s.w - 0.2), s.between(0.08, 0.35) * s.h
        s.box(px, py, w, h, "shadow", 0.1)
        s.box(px + 0.012, py + 0.012, w - 0.024, h - 0.024, "land", 0.0, flow=0.4)
    _furniture(s, s.between(0.2, 0.7) * s.w, floor + 0.16)
    if s.chance(0.6):
        _sitter(s, s.between(0.25, 0.75) * s.w, floor + 0.15, s.between(0.3, 0.42) * s.h)


def _window(s: Sketch, x: float, y: float, w: float, h: float) -> None:
    s.box(x - w / 2 - 0.015, y - 0.015, w + 0.03, h + 0.03, "linen", -0.2)
    s.box(x - w / 2, y, w, h, "sky" if s.night else "lamp", 0.0, flow=1.0)
    s.shape(
        [(x - w / 2, y + 0.6 * h), (x + w / 2, y + 0.7 * h), (x + w / 2, y + h), (x - w / 2, y + h)],
        "far",
        0.08,
        0.1,
        outline=False,
    )
    s.line([(x, y), (x, y + h)], "linen", -0.25, 0.012, touch=True)
    s.line([(x - w / 2, y + 0.45 * h), (x + w / 2, y + 0.45 * h)], "linen", -0.25, 0.012, touch=True)


def _furniture(s: Sketch, x: float, y: float) -> None:
    w, h, role = s.between(0.2, 0.36), s.between(0.13, 0.22), ("wood", "cloth", "linen")[int(s.between(0, 3))]
    for leg in (0.04, w - 0.06):
        s.box(x + leg, y - h, 0.02, h, "trunk", -0.04)
    s.shape([(x, y - h), (x + 0.05, y - h - 0.06), (x + w + 0.03, y - h - 0.06), (x + w, y - h)], role, 0.06, 0.0)
    s.box(x, y - h, w, 0.03, role, -0.1, flow=0.0)
    s.ball(x + w * s.between(0.3, 0.7), y - h - 0.06, 0.03, 0.04, "fruit", 0.0, 0.26)


def _sitter(s: Sketch, x: float, y: float, size: float) -> None:
    role = ("dress", "cloth", "linen", "shadow")[int(s.between(0, 4))]
    s.shape(
        [(x - 0.28 * size, y), (x - 0.16 * size, y - 0.72 * size), (x + 0.14 * size, y - 0.74 * size),
         (x + 0.22 * size, y - 0.35 * size), (x + 0.42 * size, y)],
        role, 0.0, math.pi / 2,
    )  # fmt: skip
    s.shape(
        [(x - s.side * 0.25 * size, y), (x - s.side * 0.1 * size, y - 0.7 * size), (x, y)],
        role,
        -0.12,
        1.4,
        outline=False,
    )
    s.ball(x, y - 0.86 * size, 0.10 * size, 0.13 * size, "hair", 0.0, 0.1)
    s.ball(x + s.side * 0.03 * size, y - 0.84 * size, 0.08 * size, 0.10 * size, "skin", 0.0, 0.14, outline=False)
