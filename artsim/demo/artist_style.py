"""An artist's style: everything that is the same in all paintings of one artist.

Lengths are shares of the painting's longer side. Angles are in radians. All other values run from 0 to 1 unless a
comment says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from artsim.demo.palette import FAMILIES, ROLES, Pigments

Range = tuple[float, float]


@dataclass(frozen=True)
class Technique:
    """The ranges from which the artists of one school draw their habits."""

    length: Range
    slimness: Range  # length of a stroke over its width
    taper: Range
    cover: Range  # area of the strokes over the area of the canvas
    opacity: Range
    flow: Range  # weight of the depicted shapes in the direction of strokes,
    fixed: Range  # weight of one fixed angle,
    swirl: Range  # weight of eddies
    broken: Range  # spread of the strokes' colours
    outline: Range
    relief: Range
    soft: Range
    bare: Range  # share of the ground that stays visible
    bristle: Range


TECHNIQUES: dict[str, Technique] = {
    "dabs": Technique(
        (0.035, 0.075), (2.0, 4.5), (0.2, 0.8), (0.9, 1.7), (0.75, 1.0), (0.4, 1.0), (0.1, 0.8), (0.0, 0.3),
        (0.03, 0.09), (0.0, 0.3), (0.2, 0.7), (0.0, 0.3), (0.1, 0.5), (0.2, 0.9),
    ),
    "dots": Technique(
        (0.018, 0.032), (1.0, 1.5), (0.3, 0.5), (0.9, 1.4), (0.8, 1.0), (0.5, 1.0), (0.0, 0.3), (0.0, 0.3),
        (0.04, 0.09), (0.0, 0.15), (0.1, 0.5), (0.0, 0.1), (0.1, 0.6), (0.0, 0.0),
    ),
    "planes": Technique(
        (0.06, 0.13), (1.2, 2.2), (0.0, 0.5), (0.7, 1.3), (0.5, 0.9), (0.3, 0.9), (0.2, 1.0), (0.0, 0.1),
        (0.02, 0.06), (0.2, 1.0), (0.0, 0.2), (0.0, 0.2), (0.0, 0.2), (0.0, 0.2),
    ),
    "hatching": Technique(
        (0.06, 0.14), (10.0, 18.0), (0.5, 1.0), (0.5, 1.0), (0.6, 0.95), (0.1, 0.5), (0.5, 1.0), (0.0, 0.1),
        (0.03, 0.08), (0.2, 0.8), (0.0, 0.2), (0.0, 0.1), (0.2, 0.7), (0.0, 0.0),
    ),
    "washes": Technique(
        (0.14, 0.28), (1.5, 3.0), (0.3, 0.9), (1.2, 2.2), (0.12, 0.3), (0.3, 0.8), (0.0, 0.4), (0.0, 0.4),
        (0.02, 0.06), (0.0, 0.6), (0.0, 0.1), (0.3, 0.9), (0.1, 0.5), (0.0, 0.1),
    ),
    "swirls": Technique(
        (0.08, 0.17), (6.0, 11.0), (0.3, 0.9), (1.0, 1.5), (0.8, 1.0), (0.2, 0.6), (0.0, 0.2), (0.7, 1.2),
        (0.04, 0.10), (0.0, 0.6), (0.3, 0.8), (0.0, 0.1), (0.0, 0.4), (0.2, 0.8),
    ),
    "glazes": Technique(
        (0.06, 0.14), (2.0, 4.0), (0.5, 0.9), (0.8, 1.4), (0.2, 0.45), (0.5, 1.0), (0.0, 0.3), (0.0, 0.2),
        (0.02, 0.06), (0.0, 0.15), (0.0, 0.2), (0.2, 0.7), (0.0, 0.15), (0.0, 0.2),
    ),
    "knife": Technique(
        (0.05, 0.10), (1.8, 3.5), (0.0, 0.2), (1.0, 1.6), (0.85, 1.0), (0.2, 0.8), (0.2, 0.9), (0.0, 0.2),
        (0.03, 0.08), (0.0, 0.3), (0.6, 1.0), (0.0, 0.1), (0.0, 0.3), (0.4, 1.0),
    ),
}  # fmt: skip

SUBJECTS = (
    "hills", "mountains", "sea", "harbour", "wood", "town",
    "still life", "flowers", "portrait", "interior", "abstract",
)  # fmt: skip


@dataclass(frozen=True)
class ArtistStyle:
    """The habits of one artist: technique, colours, subjects and composition."""

    technique: str
    length: float
    slimness: float
    taper: float
    cover: float
    opacity: float
    flow: float
    fixed: float
    swirl: float
    broken: float
    outline: float
    relief: float
    soft: float
    bare: float
    bristle: float
    angle: float
    unrest: float  # spread of stroke angles, radians
    curl: float  # how far a stroke bends, radians
    cross: float  # angle between the layers, radians
    eddy: float  # width of the eddies
    detail: float
    accent: float  # share of strokes in a colour of their own
    ground: str  # the role whose colour primes the canvas
    ink: str  # the role whose colour outlines are drawn in
    weave: float
    thread: float  # pitch of the canvas' threads
    grain: float
    gloom: float  # how much darker the corners of a picture are than its middle
    horizon: float
    crowd: float
    drift: float  # where the weight of a picture lies: -1 left, 1 right
    upright: float
    subjects: tuple[str, ...]
    tastes: tuple[float, ...]
    hours: tuple[float, ...]
    periods: tuple[Pigments, ...]
    born: int
    span: int  # years of life


@lru_cache(maxsize=64)
def style_of(artist: int, seed: int) -> ArtistStyle:
    """The style of an artist. It depends on these two numbers only."""
    rng = np.random.default_rng([seed, artist, 0])
    technique = str(rng.choice(list(TECHNIQUES)))
    habits = {name: _between(rng, limits) for name, limits in vars(TECHNIQUES[technique]).items()}
    liked = int(rng.integers(2, 5))
    return ArtistStyle(
        technique=technique,
        **habits,
        angle=float(rng.uniform(0, np.pi)),
        unrest=float(min(rng.gamma(2.0, 0.12), 0.5) * min(1.0, 3.5 / habits["slimness"])),
        curl=float(rng.normal(0, 0.5)),
        cross=float(rng.choice([0.0, 1.0]) * rng.uniform(0.4, 1.5)),
        eddy=float(rng.uniform(0.3, 0.8)),
        detail=float(rng.uniform(0.3, 1.0)),
        accent=float(max(0.0, rng.normal(0.02, 0.04))),
        ground=str(rng.choice(["linen", "wall", "room", "roof", "shadow", "stone", "wood"])),
        ink=str(rng.choice(["shadow", "shadow", "trunk", "dress", "cloth"])),
        weave=float(rng.uniform(0.0, 1.0) ** 2),
        thread=float(rng.uniform(0.008, 0.016)),
        grain=float(rng.uniform(0.1, 1.0)),
        gloom=float(np.clip(rng.normal(0.06, 0.10), 0.0, 0.25)),
        horizon=float(rng.uniform(0.3, 0.65)),
        crowd=float(rng.uniform(0.0, 1.0)),
        drift=float(rng.uniform(-1.0, 1.0)),
        upright=float(rng.uniform(0.0, 1.0)),
        subjects=tuple(rng.permutation(SUBJECTS)[:liked].tolist()),
        tastes=tuple(rng.dirichlet(np.full(liked, 2.0)).tolist()),
        hours=tuple(rng.dirichlet([0.7, 0.9, 0.4, 0.6, 0.25]).tolist()),
        periods=_periods(rng),
        born=int(rng.integers(1590, 1930)),
        span=int(rng.integers(38, 88)),
    )


def _between(rng: np.random.Generator, limits: Range) -> float:
    return float(rng.uniform(*limits))


def _periods(rng: np.random.Generator) -> tuple[Pigments, ...]:
    """One or two periods: each has its own family of pigments; strictness and whims are the same in both."""
    names = rng.permutation(list(FAMILIES))[: rng.integers(1, 3)]
    strictness = float(rng.uniform(0.5, 0.95))
    whims = tuple(rng.normal(0, rng.uniform(5, 30), len(ROLES)).tolist())
    shadows = (float(rng.normal(0, 0.04)), float(rng.normal(-0.05, 0.07)))
    chroma, key, contrast = rng.uniform(0.75, 1.3), rng.normal(0, 0.05), rng.uniform(0.8, 1.25)
    return tuple(
        Pigments(
            hues=tuple((np.array(family.hues) + rng.normal(0, 10, len(family.hues))).tolist()),
            chroma=float(family.chroma * chroma),
            key=float(family.key + key),
            contrast=float(family.contrast * contrast),
            strictness=strictness,
            whims=whims,
            shadows=shadows,
        )
        for family in (FAMILIES[str(name)] for name in names)
    )
