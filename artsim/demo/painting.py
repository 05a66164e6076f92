"""Paint one work: sketch, strokes, surface."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from artsim.demo import abstract, indoors, outdoors, people
from artsim.demo.artist_style import style_of
from artsim.demo.sketch import Sketch
from artsim.demo.strokes import Field, lay, layers, trace
from artsim.demo.surface import finish
from artsim.demo.work import plan
from artsim.errors import UsageError

_LAYOUTS: dict[str, Callable[[Sketch], None]] = {
    "hills": outdoors.hills,
    "mountains": outdoors.mountains,
    "sea": outdoors.sea,
    "harbour": outdoors.harbour,
    "wood": outdoors.wood,
    "town": outdoors.town,
    "still life": indoors.still_life,
    "flowers": indoors.flowers,
    "portrait": people.portrait,
    "interior": indoors.interior,
    "abstract": abstract.abstract,
}
_HIDDEN = 0.05  # the ground is not visible below this share
_OVERSIZE = 2  # works are painted at twice their size and reduced, which smooths the edges of strokes


def generator(artist: int, work: int, seed: int) -> np.random.Generator:
    """The random generator of one work."""
    return np.random.default_rng([seed, artist, 1, work])


def paint(artist: int, work: int, seed: int = 0, size: int = 256) -> Image.Image:
    """One painting in RGB, whose longer side is `size` pixels. The same numbers give the same painting.

    Raises:
        UsageError: a number is negative, or the size is below 1.
    """
    for name, value, least in (("artist", artist, 0), ("work", work, 0), ("seed", seed, 0), ("size", size, 1)):
        if value < least:
            raise UsageError(f"The {name} is {value}. It must be {least} or more.")
    style, rng = style_of(artist, seed), generator(artist, work, seed)
    intent = plan(style, rng)
    sketch = Sketch(intent, rng, _OVERSIZE * size)
    _LAYOUTS[intent.subject](sketch)
    canvas = _primed(sketch)
    field = Field(sketch, rng)
    for layer in layers(sketch, field, rng):
        lay(canvas, sketch, field, layer, rng)
    trace(canvas, sketch)
    return finish(canvas.reduce(_OVERSIZE), intent.style, intent.side, rng)


def _primed(sketch: Sketch) -> Image.Image:
    """The canvas with its ground and a first thin rendering of the sketch."""
    if sketch.style.bare < _HIDDEN:
        return sketch.image.copy()
    ground = Image.new("RGB", sketch.image.size, sketch.palette.tone(sketch.style.ground, 0.05))
    return Image.blend(sketch.image, ground, sketch.style.bare)
