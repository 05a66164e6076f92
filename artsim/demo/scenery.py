"""Things that stand or float outdoors, for the subjects of `outdoors`."""

from __future__ import annotations

import math

from artsim.demo.sketch import Point, Sketch


def sky(s: Sketch) -> float:
    """The sky with its clouds, sun or moon. Returns the height of the horizon, near the one that the artist prefers."""
    horizon = s.h * min(max(s.style.horizon + s.between(-0.1, 0.1), 0.2), 0.75)
    s.blend(0, horizon + 0.12, ("sky", "cloud"), (s.between(-0.14, 0.0), s.between(-0.14, 0.0)))
    if s.chance(0.9 if s.night else 0.35):
        x, r = s.w * (0.5 + s.side * s.between(0.1, 0.4)), s.between(0.025, 0.06)
        y = horizon * s.between(0.2, 0.8)
        s.shape(s.ring(x, y, 2.2 * r, 2.2 * r).tolist(), "cloud", 0.0, outline=False)
        s.shape(s.ring(x, y, r, r).tolist(), "lamp", 0.12)
    for _ in range(s.some(0, 6)):
        _cloud(s, s.between(0, s.w), horizon * s.between(0.05, 0.85), s.between(0.08, 0.25))
    return horizon


def glitter(s: Sketch, top: float, count: int) -> None:
    """Light and dark bars on water, wider towards the viewer."""
    for _ in range(count):
        near = s.between(0, 1) ** 1.3
        x, y, half = s.between(0, s.w), top + near * (s.h - top), 0.02 + 0.10 * near * s.between(0.4, 1)
        points = [(x - half, y), (x, y - 0.012 * (0.3 + near)), (x + half, y), (x, y + 0.006)]
        role = "cloud" if s.chance(0.35) else "water"
        s.shape(points, role, s.between(-0.16, 0.12), 0.0, outline=False)


def boat(s: Sketch, x: float, y: float, size: float) -> None:
    """A hull with mast, sail and reflection, `size` high."""
    hull, lean = size * 0.5, s.between(-0.06, 0.06) * size
    role = ("cloth", "dress", "wood", "roof")[int(s.between(0, 4))]
    s.shape(
        [(x - hull * 0.7, y), (x + hull * 0.7, y), (x + lean, y + size * 0.6)],
        role,
        -0.15,
        0.0,
        outline=False,
    )
    if s.chance(0.75):
        turn = s.between(0.25, 0.55) * s.side
        s.shape(
            [(x, y - size), (x + turn * size, y - 0.16 * size), (x, y - 0.14 * size)],
            "linen",
            0.0,
            1.3,
            touch=True,
        )
        s.shape(
            [(x, y - 0.9 * size), (x - turn * 0.7 * size, y - 0.16 * size), (x, y - 0.14 * size)],
            "linen",
            -0.14,
            1.8,
        )
    s.line([(x, y - 1.05 * size), (x, y)], "trunk", 0.0, 0.006, touch=True)
    s.shape(
        [(x - hull, y - 0.12 * size), (x + hull, y - 0.14 * size),
         (x + 0.7 * hull, y + 0.05 * size), (x - 0.7 * hull, y + 0.05 * size)],
        role, 0.0, 0.0, touch=True,
    )  # fmt: skip


def tree(s: Sketch, x: float, y: float, size: float) -> None:
    """A tree that stands at (x, y), round or slender."""
    if s.chance(0.25):
        fir(s, x, y, size)
        return
    slender = s.between(0.25, 0.6)
    s.shape(
        [(x - 0.02, y), (x + 0.05 * size, y), (x + 0.02, y - 0.02 + size * 0.5)],
        "shadow",
        0.15,
        0.0,
        outline=False,
    )
    s.shape(
        [(x - 0.04 * size, y), (x - 0.02 * size, y - 0.5 * size),
         (x + 0.02 * size, y - 0.5 * size), (x + 0.04 * size, y)],
        "trunk", 0.0, math.pi / 2,
    )  # fmt: skip
    for _ in range(3):
        dx, dy = s.between(-0.15, 0.15) * size, s.between(0.45, 0.8) * size
        s.ball(x + dx, y - dy, slender * size * 0.55, 0.28 * size, "foliage", s.between(-0.05, 0.06), 0.24, 0.15)


def fir(s: Sketch, x: float, y: float, size: float) -> None:
    """A fir or a cypress."""
    half = size * s.between(0.10, 0.22)
    s.shape([(x - half, y), (x, y - size), (x + half, y)], "foliage", -0.08, math.pi / 2)
    lit = x + s.side * half
    s.shape(
        [(x + s.side * 0.2 * half, y - 0.05 * size), (x, y - size), (lit, y)],
        "foliage",
        0.06,
        1.2,
        outline=False,
    )


def house(s: Sketch, x: float, y: float, w: float, h: float, shade: float = 0.0) -> None:
    """A house front on the line y, with roof, windows and door."""
    role = ("wall", "wall", "room", "cloth", "stone")[int(s.between(0, 5))]
    shade += s.between(-0.10, 0.04)
    s.box(x, y - h, w, h + 0.01, role, shade, flow=math.pi / 2)
    dark = x if s.side > 0 else x + 0.65 * w
    s.shape(
        [(dark, y - h), (dark + 0.35 * w, y - h), (dark + 0.35 * w, y), (dark, y)],
        role,
        shade - 0.1,
        1.57,
        outline=False,
    )
    peak = s.between(0.25, 0.6) * w
    s.shape(
        [(x - 0.01, y - h), (x + w / 2, y - h - peak), (x + w + 0.01, y - h)],
        "roof",
        s.between(-0.1, 0.08),
        0.6,
    )
    lit = "lamp" if s.night and s.chance(0.7) else "shadow"
    for column in (0.2, 0.6):
        for level in (0.25, 0.6):
            if s.chance(0.75):
                s.shape(_square(x + column * w, y - h + level * h, 0.18 * w, 0.16 * h), lit, 0.1, outline=False)


def walker(s: Sketch, x: float, y: float, size: float) -> None:
    """A small standing figure."""
    role = ("cloth", "dress", "shadow", "linen")[int(s.between(0, 4))]
    s.shape(
        [
            (x - 0.22 * size, y),
            (x - 0.10 * size, y - 0.8 * size),
            (x + 0.10 * size, y - 0.8 * size),
            (x + 0.2 * size, y),
        ],
        role,
        0.0,
        1.57,
        touch=True,
    )
    s.shape(s.ring(x, y - 0.9 * size, 0.09 * size, 0.11 * size).tolist(), "skin", -0.02, outline=False, touch=True)
    s.shape(
        [(x, y), (x - s.side * 0.6 * size, y + 0.06), (x - s.side * 0.4 * size, y + 0.08)],
        "shadow",
        0.2,
        0.3,
        outline=False,
    )


def _square(x: float, y: float, w: float, h: float) -> list[Point]:
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


def _cloud(s: Sketch, x: float, y: float, width: float) -> None:
    """A bank of cloud, lit from the work's side."""
    for _ in range(2):
        dx, dy = s.between(-0.5, 0.5) * width, s.between(-0.15, 0.1) * width
        s.ball(
            x + dx,
            y + dy,
            0.6 * width,
            0.22 * width,
            "cloud",
            s.between(-0.1, 0.0),
            0.12,
            0.15,
            outline=False,
        )
