"""The plan of one work: its subject, hour, period, format and year."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from artsim.demo.artist_style import ArtistStyle
from artsim.demo.palette import HOURS, Hour, Pigments

_TALL = frozenset({"portrait", "flowers"})
_WIDE = frozenset({"hills", "mountains", "sea", "harbour"})


@dataclass(frozen=True)
class Work:
    """The plan of a work. `aspect` is width over height."""

    subject: str
    hour: str
    light: Hour
    pigments: Pigments
    aspect: float
    side: float  # where the light comes from: -1 left, 1 right
    year: int
    style: ArtistStyle  # with this work's variation


def plan(style: ArtistStyle, rng: np.random.Generator) -> Work:
    """Plan a work.

    These are the first draws of the work's generator, so that a title can be made without the painting.
    """
    subject = str(rng.choice(style.subjects, p=style.tastes))
    hour = str(rng.choice(list(HOURS), p=style.hours))
    period = int(rng.integers(len(style.periods)))
    career = np.linspace(20, style.span, len(style.periods) + 1)
    age = float(rng.uniform(career[period], career[period + 1]))
    return Work(
        subject=subject,
        hour=hour,
        light=HOURS[hour],
        pigments=_mood(style.periods[period], rng),
        aspect=_aspect(subject, style.upright, rng),
        side=float(rng.choice([-1.0, 1.0])),
        year=int(style.born + age),
        style=_on_the_day(style, rng),
    )


def _on_the_day(style: ArtistStyle, rng: np.random.Generator) -> ArtistStyle:
    """The artist's style with the variation of one work: brush size, thickness of paint, canvas, speed."""
    more = np.exp(rng.normal(0, [0.15, 0.10, 0.10, 0.20, 0.25, 0.25, 0.25, 0.20])).tolist()
    return replace(
        style,
        length=style.length * more[0],
        slimness=style.slimness * more[1],
        cover=style.cover * more[2],
        unrest=style.unrest * more[3],
        relief=min(1.0, style.relief * more[4]),
        weave=min(1.0, style.weave * more[5]),
        grain=min(1.2, style.grain * more[6]),
        broken=style.broken * more[7],
        angle=style.angle + float(rng.normal(0, 0.2)),
        bare=min(0.9, max(0.0, style.bare + float(rng.normal(0, 0.08)))),
    )


def _mood(pigments: Pigments, rng: np.random.Generator) -> Pigments:
    """The pigments with the variation of one work."""
    turn = rng.normal(0, 5)
    return replace(
        pigments,
        hues=tuple(hue + turn for hue in pigments.hues),
        chroma=pigments.chroma * float(np.exp(rng.normal(0, 0.1))),
        key=pigments.key + float(rng.normal(0, 0.025)),
        contrast=pigments.contrast * float(np.exp(rng.normal(0, 0.08))),
    )


def _aspect(subject: str, upright: float, rng: np.random.Generator) -> float:
    """Width over height: sometimes square, else upright or wide, depending on subject and artist."""
    if rng.random() < 0.12:
        return 1.0
    tall = 0.9 if subject in _TALL else 0.12 if subject in _WIDE else upright
    ratio = float(rng.choice([1.2, 1.25, 1.33, 1.4, 1.5, 1.7], p=[0.2, 0.25, 0.25, 0.15, 0.1, 0.05]))
    return 1 / ratio if rng.random() < tall else ratio
