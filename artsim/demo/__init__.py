"""The embedded collection: painters made by program, each with a palette, a stroke and a way to compose.

Any number of artists and works, each a function of its numbers and the seed alone: `hand` says who the artist
is, `work` what they set out to do, `sketch` where things are, `strokes` how the paint goes on, `surface` what
it dried to; `folder` writes the result as Painter by Numbers would.
"""

from artsim.demo.folder import GENERATOR, IMAGES, write_demo
from artsim.demo.names import artist_name
from artsim.demo.painting import paint

__all__ = ["GENERATOR", "IMAGES", "artist_name", "paint", "write_demo"]
