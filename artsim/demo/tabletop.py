"""A wall, a table and things on it, for the subjects of `indoors` and `people`."""

from __future__ import annotations

import math

from artsim.demo.sketch import Sketch


def table(s: Sketch) -> float:
    """A wall and a table top. Returns the height of the far edge of the table."""
    edge = s.h * min(max(s.style.horizon + s.between(0.02, 0.2), 0.5), 0.72)
    backdrop(s)
    role = ("wood", "linen", "cloth", "dress")[int(s.between(0, 4))]
    tilt = s.between(-0.04, 0.04)
    s.ground([(-0.02, edge - tilt), (s.w + 0.02, edge + tilt)], role, 0.0, tilt)
    if s.chance(0.5):
        x, w = s.between(0, 0.6) * s.w, s.between(0.2, 0.4)
        s.shape(
            [(x, edge + 0.06), (x + w, edge + 0.04), (x + w * 1.1, s.h * 0.95), (x + 0.4 * w, s.h + 0.02)],
            "linen",
            -0.02,
            0.7,
        )
        s.shape(
            [(x + 0.3 * w, edge + 0.06), (x + 0.5 * w, s.h), (x + 0.6 * w, s.h)],
            "linen",
            -0.16,
            1.2,
            outline=False,
        )
    return edge


def backdrop(s: Sketch) -> None:
    """The background: a plain wall, a curtain, a view or a corner."""
    s.blend(0, s.h, ("room", "room"), (s.between(-0.2, 0.1), s.between(-0.2, 0.05)), s.style.angle)
    kind = s.between(0, 1)
    if kind < 0.3:
        x, role = (0 if s.chance(0.5) else s.w * 0.65), ("cloth", "dress", "foliage")[int(s.between(0, 3))]
        for fold in range(4):
            s.box(
                x + fold * 0.09 * s.w,
                -0.02,
                0.1 * s.w,
                s.h + 0.04,
                role,
                -0.12 + 0.07 * (fold % 2),
                flow=math.pi / 2,
            )
    elif kind < 0.5:
        s.blend(0, 0.45 * s.h, ("sky", "cloud"), (-0.05, -0.08))
        s.ground(s.ridge(0.42 * s.h, 0.08), "far", -0.02, 0.1)
        s.ground(s.ridge(0.55 * s.h, 0.06), "land", -0.08, 0.1)
    elif kind < 0.65:
        half = s.w * (0.5 + 0.3 * s.style.drift)
        s.box(half, -0.02, s.w, s.h + 0.04, "room", -0.12, flow=math.pi / 2)


def shadow(s: Sketch, x: float, y: float, size: float) -> None:
    """The shadow of a thing on a table."""
    s.shape(s.ring(x - s.side * size * 0.8, y, size, 0.28 * size).tolist(), "shadow", 0.12, 0.0, outline=False)


def fruit(s: Sketch, x: float, y: float, r: float) -> None:
    """A round fruit with its stalk."""
    y = min(y, s.h - 0.5 * r)
    shadow(s, x, y + 0.8 * r, r)
    role = ("fruit", "berry", "foliage", "lamp")[int(s.between(0, 3.3))]
    s.ball(x, y, r, r * s.between(0.85, 1.2), role, s.between(-0.05, 0.08), 0.3)
    s.line([(x, y - 0.8 * r), (x + 0.2 * r, y - 1.3 * r)], "trunk", -0.05, 0.008, touch=True)


def bottle(s: Sketch, x: float, y: float, high: float) -> None:
    """A bottle with a light on it."""
    half, role = high * s.between(0.12, 0.18), ("glass", "trunk", "foliage")[int(s.between(0, 3))]
    shadow(s, x, y, 1.3 * half)
    neck = 0.35 * half
    s.shape(
        [(x - half, y), (x - half, y - 0.58 * high), (x - neck, y - 0.72 * high), (x - neck, y - high),
         (x + neck, y - high), (x + neck, y - 0.72 * high), (x + half, y - 0.58 * high), (x + half, y)],
        role, -0.06, math.pi / 2,
    )  # fmt: skip
    lit = x + s.side * 0.5 * half
    s.line([(lit, y - 0.1 * high), (lit, y - 0.55 * high)], role, 0.28, 0.3 * half)


def jug(s: Sketch, x: float, y: float, high: float) -> None:
    """A jug with a handle."""
    role, half = ("linen", "roof", "dress", "stone")[int(s.between(0, 4))], high * s.between(0.25, 0.36)
    shadow(s, x, y, half)
    handle = s.ring(x - s.side * half, y - 0.55 * high, 0.45 * half, 0.25 * high).tolist()
    s.line([*handle, handle[0]], role, -0.1, 0.018)
    s.ball(x, y - 0.36 * high, half, 0.4 * high, role, 0.0, 0.26)
    s.box(x - 0.5 * half, y - high, half, 0.36 * high, role, -0.02, flow=math.pi / 2)


def bowl(s: Sketch, x: float, y: float, r: float) -> None:
    """A bowl full of fruit."""
    shadow(s, x, y + 0.3 * r, 1.1 * r)
    role = ("linen", "dress", "glass", "wood")[int(s.between(0, 4))]
    for _ in range(s.some(3, 6)):
        fruit = ("fruit", "berry", "foliage")[int(s.between(0, 3))]
        s.ball(x + s.between(-0.7, 0.7) * r, y - s.between(0.25, 0.6) * r, 0.33 * r, 0.33 * r, fruit, 0.02, 0.28)
    s.shape(
        [(x - r, y - 0.2 * r), (x + r, y - 0.2 * r), (x + 0.5 * r, y + 0.4 * r), (x - 0.5 * r, y + 0.4 * r)],
        role,
        -0.05,
        0.0,
    )


def bloom(s: Sketch, x: float, y: float, r: float, role: str) -> None:
    """A flower seen from above."""
    s.ball(x, y, r, r * s.between(0.8, 1.1), role, s.between(-0.08, 0.1), 0.2, 0.2)
    s.shape(s.ring(x, y, 0.3 * r, 0.3 * r).tolist(), "roof", s.between(-0.1, 0.2), outline=False, touch=True)
