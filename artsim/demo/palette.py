"""The colours of one painting: the natural colours of things, changed by the artist's pigments and the hour.

Colours are in OKLCh (lightness 0..1, chroma, hue in degrees) and are converted to 8-bit sRGB at the end. Each thing
that can be painted is a *role* with a natural colour. A family of pigments shifts its hue. The hour of day tints it.
OKLab: Björn Ottosson, https://bottosson.github.io/posts/oklab/
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RGB = tuple[int, int, int]

ROLES: dict[str, tuple[float, float, float]] = {
    "sky": (0.78, 0.080, 240),
    "cloud": (0.92, 0.020, 80),
    "far": (0.62, 0.060, 250),
    "land": (0.62, 0.090, 115),
    "field": (0.76, 0.110, 95),
    "foliage": (0.47, 0.100, 140),
    "trunk": (0.36, 0.050, 55),
    "water": (0.57, 0.080, 235),
    "wall": (0.82, 0.045, 80),
    "roof": (0.53, 0.120, 38),
    "skin": (0.76, 0.070, 55),
    "hair": (0.33, 0.050, 50),
    "cloth": (0.45, 0.120, 22),
    "linen": (0.88, 0.020, 90),
    "dress": (0.48, 0.100, 275),
    "wood": (0.48, 0.070, 60),
    "room": (0.56, 0.050, 75),
    "fruit": (0.70, 0.160, 62),
    "berry": (0.55, 0.170, 25),
    "flower": (0.70, 0.160, 5),
    "glass": (0.46, 0.070, 175),
    "stone": (0.64, 0.025, 80),
    "lamp": (0.95, 0.080, 90),
    "shadow": (0.24, 0.040, 280),
}
_NATURAL = np.array(list(ROLES.values()))
_INDEX = {role: row for row, role in enumerate(ROLES)}
_STEPS = 41  # tones of a role, from _DEEPEST below its lightness to as much above
_DEEPEST = 0.40
_KEYS = (-0.22, 0.08)  # limits: a picture is black below them, and too bright above
_LIGHTEST = 0.94


@dataclass(frozen=True)
class Family:
    """A family of pigments: its hues, and the strength, lightness and contrast of its colours."""

    hues: tuple[float, ...]
    chroma: float
    key: float
    contrast: float


FAMILIES: dict[str, Family] = {
    "earths": Family((35, 60, 85, 110), 0.80, -0.05, 1.00),
    "umbers": Family((40, 60, 80, 260), 0.65, -0.13, 1.15),
    "pastels": Family((10, 90, 180, 240, 320), 0.75, 0.08, 0.75),
    "primaries": Family((25, 90, 145, 250, 330), 1.55, 0.00, 1.10),
    "north": Family((200, 230, 260, 90), 0.65, -0.03, 0.90),
    "meadow": Family((100, 130, 150, 230), 1.05, 0.02, 1.00),
    "roses": Family((0, 20, 50, 300), 0.95, 0.02, 0.90),
    "cobalt": Family((240, 260, 55, 40), 1.20, -0.03, 1.10),
    "dusk": Family((290, 310, 270, 60), 1.00, -0.07, 1.00),
    "greys": Family((80, 250), 0.30, 0.00, 1.05),
}


@dataclass(frozen=True)
class Hour:
    """The effect of the time of day on colours: lightness, chroma, contrast, and a tint on OKLab's a and b."""

    key: float
    chroma: float
    contrast: float
    tint: tuple[float, float]


HOURS: dict[str, Hour] = {
    "morning": Hour(0.04, 0.90, 0.85, (0.010, 0.012)),
    "noon": Hour(0.02, 1.10, 1.10, (0.000, 0.010)),
    "rain": Hour(-0.04, 0.60, 0.85, (-0.004, -0.012)),
    "evening": Hour(-0.07, 1.10, 1.00, (0.022, 0.022)),
    "night": Hour(-0.19, 0.85, 0.85, (0.000, -0.035)),
}


@dataclass(frozen=True)
class Pigments:
    """The pigments of one period of an artist.

    strictness: 0..1, how far hues are moved towards the hues of the family.
    whims: the shift of each role's hue, in degrees.
    shadows: the OKLab tint of shadows. Lights get the opposite tint.
    """

    hues: tuple[float, ...]
    chroma: float
    key: float
    contrast: float
    strictness: float
    whims: tuple[float, ...]
    shadows: tuple[float, float]


class Palette:
    """The tones of every role in one painting."""

    def __init__(self, pigments: Pigments, hour: Hour) -> None:
        lightness, chroma, hue = _mix(pigments, hour)
        steps = np.linspace(-_DEEPEST, _DEEPEST, _STEPS)
        angle = np.radians(hue)[:, None]
        a = chroma[:, None] * np.cos(angle) + hour.tint[0] - steps * pigments.shadows[0]
        b = chroma[:, None] * np.sin(angle) + hour.tint[1] - steps * pigments.shadows[1]
        tones = srgb(np.stack([lightness[:, None] + steps, a, b], axis=-1))  # (roles, steps, 3)
        self._tones: list[list[RGB]] = [[(r, g, b) for r, g, b in row] for row in tones.tolist()]

    def tone(self, role: str, shade: float = 0.0) -> RGB:
        """The role's colour, `shade` lighter (or, below 0, darker) in OKLab lightness."""
        step = round((shade / _DEEPEST + 1) / 2 * (_STEPS - 1))
        return self._tones[_INDEX[role]][min(max(step, 0), _STEPS - 1)]


def _mix(pigments: Pigments, hour: Hour) -> tuple[Floats, Floats, Floats]:
    """Lightness, chroma and hue of every role."""
    lightness, chroma, hue = _NATURAL.T
    hue = hue + np.array(pigments.whims)
    turns = (np.array(pigments.hues)[None, :] - hue[:, None] + 180) % 360 - 180  # (roles, hues)
    nearest = np.take_along_axis(turns, np.abs(turns).argmin(axis=1)[:, None], axis=1)[:, 0]
    contrast = max(pigments.contrast * hour.contrast, 0.75)
    key = min(max(pigments.key + hour.key, _KEYS[0]), _KEYS[1])
    lightness = 0.6 + (lightness - 0.6) * contrast + key
    lightness = np.minimum(lightness, _LIGHTEST)
    return lightness, chroma * pigments.chroma * hour.chroma, hue + pigments.strictness * nearest


def srgb(lab: Floats) -> NDArray[np.uint8]:
    """OKLab (..., 3) as 8-bit sRGB. Colours outside sRGB are clipped."""
    lightness, a, b = np.moveaxis(lab, -1, 0)
    lightness = np.clip(lightness, 0.08, 0.98)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = np.stack(
        [
            4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
        ],
        axis=-1,
    )
    linear = np.clip(linear, 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), dtype=np.uint8)
