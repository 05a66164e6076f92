"""The embedded collection: made-up painters, each with a palette, a brush stroke and a composition of their own.

A painting depends on the numbers of its artist and its work and on the seed, and on nothing else. The stages:

    artist_style   the artist's constant habits
    work           subject, light, format and year of one work
    sketch         where things are, in which colour
    strokes        the paint
    surface        canvas, relief and light
    folder         files in the layout of Painter by Numbers
"""

from artsim.demo.folder import GENERATOR, IMAGES, write_demo
from artsim.demo.names import artist_name
from artsim.demo.painting import paint

__all__ = ["GENERATOR", "IMAGES", "artist_name", "paint", "write_demo"]
