"""One work as it was meant: its subject, hour, period, format and year, before any paint."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from artsim.demo.hand import Hand
from artsim.demo.palette import HOURS, Hour, Pigments

_TALL = frozenset({"portrait", "flowers"})
_WIDE = frozenset({"hills", "mountains", "sea", "harbour"})


@dataclass(frozen=True)
class Work:
    """What the artist set out to paint. `aspect` is width over height."""

    subject: str
    hour: str
    light: Hour
    pigments: Pigments
    aspect: float
    side: float  # where the light comes from: -1 left, 1 right
    year: int
    hand: Hand  # as it was on the day


def plan(hand: Hand, rng: np.random.Generator) -> Work:
    """Decide on a work; the first draws of a work's generator, so that a title needs no paint."""
    subject = str(rng.choice(hand.subjects, p=hand.tastes))
    hour = str(rng.choice(list(HOURS), p=hand.hours))
    period = int(rng.integers(len(hand.periods)))
    career = np.linspace(20, hand.span, len(hand.periods) + 1)
    age = float(rng.uniform(career[period], career[period + 1]))
    return Work(
        subject=subject,
        hour=hour,
        light=HOURS[hour],
        pigments=_mood(hand.periods[period], rng),
        aspect=_aspect(subject, hand.upright, rng),
        side=float(rng.choice([-1.0, 1.0])),
        year=int(hand.born + age),
        hand=_on_the_day(hand, rng),
    )


def _on_the_day(hand: Hand, rng: np.random.Generator) -> Hand:
    """The hand as it works today: a larger brush or thinner paint, another canvas, more or less haste."""
    more = np.exp(rng.normal(0, [0.15, 0.10, 0.10, 0.20, 0.25, 0.25, 0.25, 0.20])).tolist()
    return replace(
        hand,
        length=hand.length * more[0],
        slimness=hand.slimness * more[1],
        cover=hand.cover * more[2],
        unrest=hand.unrest * more[3],
        relief=min(1.0, hand.relief * more[4]),
        weave=min(1.0, hand.weave * more[5]),
        grain=min(1.2, hand.grain * more[6]),
        broken=hand.broken * more[7],
        angle=hand.angle + float(rng.normal(0, 0.2)),
        bare=min(0.9, max(0.0, hand.bare + float(rng.normal(0, 0.08)))),
    )


def _mood(pigments: Pigments, rng: np.random.Generator) -> Pigments:
    """The day's mixture: no two works are mixed quite alike."""
    turn = rng.normal(0, 5)
    return replace(
        pigments,
        hues=tuple(hue + turn for hue in pigments.hues),
        chroma=pigments.chroma * float(np.exp(rng.normal(0, 0.1))),
        key=pigments.key + float(rng.normal(0, 0.025)),
        contrast=pigments.contrast * float(np.exp(rng.normal(0, 0.08))),
    )


def _aspect(subject: str, upright: float, rng: np.random.Generator) -> float:
    """Square now and then; else upright or wide, as the subject and the artist would have it."""
    if rng.random() < 0.12:
        return 1.0
    tall = 0.9 if subject in _TALL else 0.12 if subject in _WIDE else upright
    ratio = float(rng.choice([1.2, 1.25, 1.33, 1.4, 1.5, 1.7], p=[0.2, 0.25, 0.25, 0.15, 0.1, 0.05]))
    return 1 / ratio if rng.random() < tall else ratio
