"""Brush strokes: their places, their directions and their paint.

A layer of N strokes is computed at once as N ribbons, polygons of 2 * _JOINTS points in canvas pixels; Pillow
then draws them one by one. Colours come from the sketch under each stroke's middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from artsim.demo.artist_style import ArtistStyle
from artsim.demo.palette import Floats
from artsim.demo.sketch import NO_FLOW, Sketch

_JOINTS = 4
_MOST = 1300  # strokes of one layer
_MOST_DETAILS = 360


@dataclass(frozen=True)
class Layer:
    """Strokes that are painted together: sizes are shares of the longer side, angles are in radians."""

    middles: Floats  # (N, 2), x and y as in a sketch
    length: float
    width: float
    turn: float  # away from the field
    opacity: float
    broken: float


class Field:
    """The direction and the colour of a stroke at every place of a work."""

    def __init__(self, sketch: Sketch, rng: np.random.Generator) -> None:
        style = sketch.style
        laid = np.asarray(sketch.flow)
        self._rows, self._columns = laid.shape
        self._picture = np.asarray(sketch.image)  # (H, W, 3)
        grey = sketch.image.convert("L").resize(sketch.flow.size, Image.Resampling.BOX)
        down, right = np.gradient(np.asarray(grey, dtype=np.float64)) if min(laid.shape) > 1 else (0 * laid, 0 * laid)
        slope = (right + 1j * down) ** 2
        self.edges: Floats = np.abs(slope)
        turns = np.where(laid == NO_FLOW, 0, np.exp(2j * np.pi * laid / 254))
        follow = 0.8 * turns - slope / (self.edges + 60)
        swirl = np.exp(2j * _eddies(laid.shape, style.eddy, rng))
        self._turns = style.flow * follow + style.fixed * np.exp(2j * style.angle) + style.swirl * swirl

    def at(self, points: Floats, scale: float) -> Floats:
        """Angles (N,) in radians at points (N, 2) of a canvas whose longer side is `scale`."""
        side = max(self._rows, self._columns) / scale
        column = np.clip((points[:, 0] * side).astype(np.intp), 0, self._columns - 1)
        row = np.clip((points[:, 1] * side).astype(np.intp), 0, self._rows - 1)
        angles: Floats = np.angle(self._turns[row, column]) / 2
        return angles

    def tones(self, places: Floats) -> Floats:
        """The sketch's colours (N, 3) at places (N, 2), in its coordinates."""
        rows, columns, _ = self._picture.shape
        size = max(rows, columns)
        column = np.clip((places[:, 0] * size).astype(np.intp), 0, columns - 1)
        row = np.clip((places[:, 1] * size).astype(np.intp), 0, rows - 1)
        tones: Floats = self._picture[row, column].astype(np.float64)
        return tones


def layers(sketch: Sketch, field: Field, rng: np.random.Generator) -> list[Layer]:
    """The layers in painting order: the body of the picture in one layer or two crossing ones, then details."""
    style = sketch.style
    length, width = style.length, style.length / style.slimness
    area = sketch.w * sketch.h
    count = min(int(style.cover * area / (length * width)) + 8, _MOST)
    halves = 2 if style.cross else 1
    body = [
        Layer(
            _scatter(sketch, count // halves, rng),
            length,
            width,
            half * style.cross,
            style.opacity,
            style.broken,
        )
        for half in range(halves)
    ]
    fine = max(0.45 * width, 0.005)
    details = _on_edges(sketch, field, int(style.detail * _MOST_DETAILS), rng)
    longest = min(0.6 * length, 6 * fine)
    return [*body, Layer(details, longest, fine, 0.0, min(1.0, style.opacity + 0.15), 0.5 * style.broken)]


def lay(canvas: Image.Image, sketch: Sketch, field: Field, layer: Layer, rng: np.random.Generator) -> None:
    """Paint one layer onto the canvas, in place."""
    style, scale = sketch.style, float(max(canvas.size))
    spine, angles = _spines(layer, field, style, scale, rng)
    width = layer.width * scale * np.exp(rng.normal(0, 0.25, len(spine)))
    outlines = _ribbons(spine, angles, width, style.taper).reshape(len(spine), -1).tolist()
    inks = _inks(sketch, field, layer, rng)
    alpha = round(255 * layer.opacity)
    draw = ImageDraw.Draw(canvas, "RGBA" if alpha < 250 else "RGB")
    polygon = draw.polygon
    for outline, (red, green, blue) in zip(outlines, inks.tolist(), strict=True):
        polygon(outline, fill=(red, green, blue, alpha))
    if style.bristle > 0.3:
        _bristles(draw, spine, angles, width, inks, style.bristle, rng)


def trace(canvas: Image.Image, sketch: Sketch) -> None:
    """Paint the small things and, if the artist draws outlines, the outlines."""
    draw = ImageDraw.Draw(canvas, "RGBA")
    alpha = round(255 * (0.3 + 0.7 * sketch.style.detail))
    for points, (red, green, blue), width in sketch.touches:
        ink = (red, green, blue, alpha)
        draw.line(points, fill=ink, width=width, joint="curve") if width else draw.polygon(points, fill=ink)
    if sketch.ink:
        habit = 0.3 + 0.7 * sketch.style.outline
        tone = sketch.palette.tone(sketch.style.ink, -0.1)
        canvas.paste(tone, mask=sketch.ink.point(lambda line: line * habit))


def _scatter(sketch: Sketch, count: int, rng: np.random.Generator) -> Floats:
    """Places (about count, 2) that cover the picture evenly, in random order."""
    across = max(1, round((count * sketch.w / sketch.h) ** 0.5))
    down = max(1, round(count / across))
    grid = np.stack(np.meshgrid(np.arange(across), np.arange(down)), axis=-1).reshape(-1, 2)
    places = (grid + rng.uniform(-0.2, 1.2, grid.shape)) * (sketch.w / across, sketch.h / down)
    return rng.permutation(places)


def _on_edges(sketch: Sketch, field: Field, count: int, rng: np.random.Generator) -> Floats:
    """Places (count, 2), denser where edges are sharper."""
    weight = np.cumsum(field.edges.ravel() ** 0.4 + 0.2)
    cells = np.searchsorted(weight, rng.uniform(0, weight[-1], count))
    rows, columns = np.divmod(np.minimum(cells, weight.size - 1), field.edges.shape[1])
    places = np.stack([columns, rows], axis=1) + rng.uniform(0, 1, (count, 2))
    places *= (sketch.w / field.edges.shape[1], sketch.h / field.edges.shape[0])
    return places


def _spines(
    layer: Layer, field: Field, style: ArtistStyle, scale: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """The middle lines (N, _JOINTS, 2) of strokes and their angles (N, _JOINTS)."""
    count = len(layer.middles)
    points = layer.middles * scale
    off = layer.turn + rng.normal(0, style.unrest, count)
    angle = field.at(points, scale) + off
    step = layer.length * scale * np.exp(rng.normal(0, 0.25, count)) / (_JOINTS - 1)
    bend = style.curl * rng.normal(1.0, 0.4, count) / (_JOINTS - 1)
    point = points - 1.5 * step[:, None] * _unit(angle)
    spine, angles = [], []
    for _ in range(_JOINTS):
        spine.append(point)
        angles.append(angle)
        point = point + step[:, None] * _unit(angle)
        ahead = field.at(point, scale) + off
        angle = angle + 0.5 * (np.mod(ahead - angle + np.pi / 2, np.pi) - np.pi / 2) + bend
    return np.stack(spine, axis=1), np.stack(angles, axis=1)


def _ribbons(spine: Floats, angles: Floats, width: Floats, taper: float) -> Floats:
    """Outlines (N, 2 * _JOINTS, 2): widest in the middle, thinner by `taper` at the ends."""
    profile = 1 - taper * np.abs(np.linspace(-1, 1, _JOINTS)) ** 2
    side = 0.5 * width[:, None, None] * profile[:, None] * _unit(angles + np.pi / 2)
    return np.concatenate([spine + side, (spine - side)[:, ::-1]], axis=1)


def _inks(sketch: Sketch, field: Field, layer: Layer, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Colours (N, 3): those of the sketch with the artist's variation, and a few in the artist's accent colour."""
    count = len(layer.middles)
    inks = field.tones(layer.middles)
    inks += 255 * layer.broken * (rng.normal(0, 0.7, (count, 1)) + rng.normal(0, 0.6, (count, 3)))
    own = rng.random(count) < sketch.style.accent
    accent = np.array(sketch.palette.tone(sketch.style.ink, 0.2))
    inks[own] = 0.4 * inks[own] + 0.6 * accent
    return np.asarray(np.clip(inks, 0, 255), dtype=np.uint8)


def _bristles(
    draw: ImageDraw.ImageDraw,
    spine: Floats,
    angles: Floats,
    width: Floats,
    inks: NDArray[np.uint8],
    strength: float,
    rng: np.random.Generator,
) -> None:
    """Draw the traces of bristles along every other stroke, lighter or darker than the stroke."""
    some = slice(None, None, 2)
    offset = rng.uniform(-0.35, 0.35, len(spine)) * width
    lines = spine + offset[:, None, None] * _unit(angles + np.pi / 2)
    lighter = rng.choice([-1.0, 1.0], (len(spine), 1)) * 45 * strength
    tones = np.clip(inks + lighter, 0, 255).astype(np.uint8)
    for line, (red, green, blue) in zip(
        lines.reshape(len(spine), -1)[some].tolist(), tones[some].tolist(), strict=True
    ):
        draw.line(line, fill=(red, green, blue, 200), width=1)


def _unit(angle: Floats) -> Floats:
    direction: Floats = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return direction


def _eddies(shape: tuple[int, ...], eddy: float, rng: np.random.Generator) -> Floats:
    """Smooth random angles (rows, columns) that turn around about once in the distance `eddy`."""
    side = max(shape)
    y, x = np.mgrid[: shape[0], : shape[1]] / side
    angles = np.zeros(shape)
    for _ in range(3):
        direction, phase = rng.uniform(0, 2 * np.pi, 2)
        pitch = 2 * np.pi / (eddy * rng.uniform(1.0, 2.2))
        angles += np.sin(pitch * (x * np.cos(direction) + y * np.sin(direction)) + phase)
    return angles * 1.3
