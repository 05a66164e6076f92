"""The portrait."""

from __future__ import annotations

import math

from artsim.demo.sketch import Sketch
from artsim.demo.tabletop import backdrop


def portrait(s: Sketch) -> None:
    """Head and shoulders, sometimes with a hat, against a wall, a curtain or a landscape."""
    backdrop(s)
    x, size = s.w * s.between(0.4, 0.6), s.between(0.14, 0.21) * min(1.0, s.w + 0.25)
    y, turn = s.h * s.between(0.32, 0.42), s.between(-0.35, 0.35)
    shoulder, role = y + 2.1 * size, ("dress", "cloth", "shadow", "linen", "foliage")[int(s.between(0, 5))]
    wide = size * s.between(1.7, 2.3)
    s.ball(x + turn * 0.03, y - 0.05 * size, size * 1.02, size * s.between(1.2, 1.7), "hair", 0.0, 0.12, 0.04)
    s.shape(
        [(x - wide, s.h + 0.02), (x - wide * 0.92, shoulder), (x - 0.5 * size, shoulder - 0.45 * size),
         (x + 0.5 * size, shoulder - 0.45 * size), (x + wide * 0.92, shoulder), (x + wide, s.h + 0.02)],
        role, 0.0, math.pi / 2 - 0.2,
    )  # fmt: skip
    dark = x - s.side * wide
    s.shape(
        [(dark, s.h), (dark + s.side * 0.1, shoulder), (x - s.side * 0.2 * size, s.h)],
        role,
        -0.1,
        1.9,
        outline=False,
    )
    s.shape(
        [(x - 0.38 * size, y + 0.6 * size), (x + 0.38 * size, y + 0.6 * size),
         (x + 0.5 * size, shoulder - 0.4 * size), (x, shoulder + 0.25 * size),
         (x - 0.5 * size, shoulder - 0.4 * size)],
        "skin", -0.14, math.pi / 2,
    )  # fmt: skip
    if s.chance(0.5):
        for way in (-1, 1):
            tip = (x + way * 0.15 * size, shoulder + 0.35 * size)
            s.shape([(x + way * 0.55 * size, shoulder - 0.5 * size), tip, (x, shoulder)], "linen", 0.0, 1.0)
    _face(s, x, y, size, turn)
    if s.chance(0.4):
        _hat(s, x, y, size)


def _face(s: Sketch, x: float, y: float, size: float, turn: float) -> None:
    """A head that looks `turn` (-1 left, 1 right)."""
    s.ball(x, y, 0.74 * size, size, "skin", -0.02, 0.16)
    axis, ink = x + turn * 0.5 * size, -0.12
    for way in (-1, 1):
        eye = axis + way * 0.3 * size
        s.shape(
            s.ring(eye, y - 0.1 * size, 0.11 * size, 0.06 * size).tolist(),
            "hair",
            -0.02,
            0.0,
            outline=False,
            touch=True,
        )
        s.line(
            [(eye - 0.15 * size, y - 0.27 * size), (eye + 0.15 * size, y - 0.29 * size)],
            "hair",
            0.05,
            0.06 * size,
            touch=True,
        )
    nose = [
        (axis, y - 0.1 * size),
        (axis - s.side * 0.14 * size, y + 0.28 * size),
        (axis + 0.06 * size, y + 0.3 * size),
    ]
    s.shape(nose, "skin", ink, math.pi / 2, outline=False, touch=True)
    s.shape(
        s.ring(axis, y + 0.52 * size, 0.2 * size, 0.06 * size).tolist(),
        "berry",
        0.0,
        0.0,
        outline=False,
        touch=True,
    )


def _hat(s: Sketch, x: float, y: float, size: float) -> None:
    role, brim = ("shadow", "cloth", "field", "dress")[int(s.between(0, 4))], s.between(0.9, 1.5)
    s.ball(x, y - 0.85 * size, 0.75 * size, s.between(0.4, 0.7) * size, role, 0.0, 0.16)
    s.shape(s.ring(x, y - 0.62 * size, brim * size, 0.2 * size).tolist(), role, -0.04, 0.05)
