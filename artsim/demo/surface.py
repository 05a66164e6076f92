"""The surface of a painting: canvas, relief of the paint, blur, and the light of the photograph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from artsim.demo.artist_style import ArtistStyle

Plane = NDArray[np.float32]


def finish(painted: Image.Image, style: ArtistStyle, side: float, rng: np.random.Generator) -> Image.Image:
    """The finished painting; `side` is where the light comes from: -1 left, 1 right."""
    scale = max(painted.size)
    if style.soft > 0.15:
        painted = painted.filter(ImageFilter.BoxBlur(style.soft * 0.006 * scale))
    lit = np.array(painted, dtype=np.float32)  # (H, W, 3)
    rows, columns, _ = lit.shape
    bumps = _relief(lit[..., 1], style.relief, side) + _cloth(rows, columns, style, rng)
    lit *= _glow(rows, columns, style.gloom, side)
    lit *= np.exp(rng.normal(0, 0.04, 3) + rng.normal(0, 0.06)).astype(np.float32)
    lit += bumps[..., None]
    return Image.fromarray(np.clip(lit, 0, 255, out=lit).astype(np.uint8))


def _relief(height: Plane, strength: float, side: float) -> Plane:
    """Light and shade on ridges of paint. Differences in tone are taken as differences in height."""
    bumps = np.zeros_like(height)
    if strength > 0.15:
        step = np.diff(height, axis=0)[:, 1:] - side * np.diff(height, axis=1)[1:]
        bumps[1:, 1:] = np.clip(0.45 * strength * step, -28, 28)
    return bumps


def _glow(rows: int, columns: int, gloom: float, side: float) -> Plane:
    """The brightness of the light, (rows, columns, 1). Its maximum is a little to the side of the light."""
    y = np.linspace(-1, 1, rows, dtype=np.float32) ** 2
    x = (np.linspace(-1, 1, columns, dtype=np.float32) - np.float32(0.3 * side)) ** 2
    glow: Plane = 1 + np.float32(0.5 * gloom) - np.float32(0.7 * gloom) * np.add.outer(y, x)
    return glow[..., None]


def _cloth(rows: int, columns: int, style: ArtistStyle, rng: np.random.Generator) -> Plane:
    """Threads of the canvas and grain of the ground, in 8-bit steps around 0."""
    pitch = 2 * np.pi / max(style.thread * max(rows, columns), 2.5)
    warp = np.sin(pitch * np.arange(columns, dtype=np.float32) + rng.uniform(0, 6))
    weft = np.sin(pitch * np.arange(rows, dtype=np.float32) + rng.uniform(0, 6))
    grain = rng.integers(-128, 128, (rows, columns), dtype=np.int8)
    cloth: Plane = np.float32(7 * style.weave) * np.multiply.outer(weft, warp).astype(np.float32)
    cloth += np.float32(0.07 * style.grain) * grain
    return cloth
