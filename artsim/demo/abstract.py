"""The abstract subject."""

from __future__ import annotations

import math

from artsim.demo.sketch import Sketch

_ROLES = ("cloth", "water", "field", "linen", "shadow", "fruit", "dress", "foliage", "wall")


def abstract(s: Sketch) -> None:
    """A patchwork, or discs and bars, in proportions that depend on the artist."""
    first = int(s.between(0, len(_ROLES)))
    s.blend(0, s.h, (_ROLES[first], "linen"), (0.1, -0.05), s.style.angle)
    if s.chance(s.style.upright**2):
        _patchwork(s, first)
    for number in range(s.some(4, 12)):
        _thing(s, _ROLES[(first + number) % len(_ROLES)], s.between(0.12, 0.42) * (1.1 - 0.06 * number))
    for _ in range(s.some(0, 5)):
        bend, x, y = s.between(-0.3, 0.3), s.between(-0.1, s.w), s.between(0, s.h)
        arc = [(x + t * 0.06, y + bend * math.sin(math.pi * t / 8)) for t in range(9)]
        s.line(arc, "shadow", 0.0, s.between(0.006, 0.02))


def _patchwork(s: Sketch, first: int) -> None:
    """Rows of upright fields, each different."""
    top = 0.0
    while top < s.h:
        high, left = s.between(0.1, 0.3) * (1.4 - 0.6 * s.style.crowd), 0.0
        while left < s.w:
            wide = s.between(0.08, 0.3)
            role = _ROLES[(first + int(s.between(0, 5))) % len(_ROLES)]
            s.box(left, top, wide, high, role, s.between(-0.12, 0.12), flow=s.style.angle)
            left += wide
        top += high


def _thing(s: Sketch, role: str, size: float) -> None:
    """A bar, a disc or a ball, mostly on the side that the artist prefers."""
    x = s.w * min(max(0.5 + 0.2 * s.style.drift + 0.25 * float(s.rng.normal()), 0.0), 1.0)
    y, shade = s.between(0.05, 0.95) * s.h, s.between(-0.12, 0.12)
    if s.chance(s.style.upright):
        tilt = s.style.angle if s.chance(0.7) else s.between(0, math.pi)
        _slab(s, x, y, size, size * s.between(0.15, 0.9), tilt, role, shade)
    elif s.chance(0.6):
        s.shape(s.ring(x, y, size * 0.5, size * 0.5, 0.3 * s.style.crowd).tolist(), role, shade, s.style.angle)
    else:
        s.ball(x, y, size * 0.5, size * 0.35, role, shade, 0.2, 0.1)


def _slab(s: Sketch, x: float, y: float, length: float, width: float, tilt: float, role: str, shade: float) -> None:
    along = (math.cos(tilt) * length / 2, math.sin(tilt) * length / 2)
    across = (-math.sin(tilt) * width / 2, math.cos(tilt) * width / 2)
    corners = [
        (x + i * along[0] + j * across[0], y + i * along[1] + j * across[1])
        for i, j in ((1, 1), (1, -1), (-1, -1), (-1, 1))
    ]
    s.shape(corners, role, shade, tilt)
