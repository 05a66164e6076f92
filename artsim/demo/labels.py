"""Title, style, genre and date of a work, for the csv of the collection."""

from __future__ import annotations

import numpy as np

from artsim.demo.artist_style import style_of
from artsim.demo.painting import generator
from artsim.demo.work import plan

_STYLES = {
    "dabs": "Flickerism",
    "dots": "Granulism",
    "planes": "Facetism",
    "hatching": "Filamentism",
    "washes": "Veil School",
    "swirls": "Eddyism",
    "glazes": "Smooth Manner",
    "knife": "Trowelism",
}
_GENRES = {
    "hills": "landscape",
    "mountains": "landscape",
    "sea": "marina",
    "harbour": "marina",
    "wood": "landscape",
    "town": "cityscape",
    "still life": "still life",
    "flowers": "flower painting",
    "portrait": "portrait",
    "interior": "interior",
    "abstract": "abstract",
}
_TITLES = {
    "hills": ("The Valley", "Fields", "The Road over the Hill", "Orchards", "Farmland", "Harvest Country"),
    "mountains": ("The Pass", "Mountain Lake", "Three Summits", "Above the Tree Line", "The High Valley"),
    "sea": ("Open Water", "The Bay", "Sails", "The Headland", "Calm Sea", "Coming Home"),
    "harbour": ("Harbour", "The Quay", "Fishing Boats", "The Old Port", "At Anchor"),
    "wood": ("Among the Trees", "The Clearing", "Path through the Wood", "Edge of the Forest", "Tall Trunks"),
    "town": ("The High Street", "Market Square", "Street with Figures", "The Old Town", "Going Home"),
    "still life": (
        "Fruit on a Table",
        "Still Life with Jug",
        "Bowl and Bottle",
        "The White Cloth",
        "Kitchen Piece",
    ),
    "flowers": ("Flowers in a Vase", "The Bouquet", "Garden Flowers", "Bunch on a Table", "Late Blooms"),
    "portrait": ("Portrait of a Friend", "The Sitter", "Self-Portrait", "Head of a Stranger", "The Model"),
    "interior": ("The Room", "By the Window", "The Studio", "Quiet Corner", "Waiting"),
    "abstract": ("Composition", "Balance", "Study in Tones", "Interval", "Counterpoint", "Forms"),
}
_PHRASES = {
    "morning": ("in the Morning", "at Daybreak", "in Early Light"),
    "noon": ("at Noon", "in Full Sun", "in Summer"),
    "rain": ("in Grey Weather", "under Rain", "in November"),
    "evening": ("in the Evening", "at Sunset", "in Late Light"),
    "night": ("by Night", "by Moonlight", "after Dark"),
}


def title_style_genre_date(artist: int, work: int, seed: int) -> tuple[str, str, str, str]:
    """The title of a work, the movement of its artist, its genre, and the year it was painted."""
    style = style_of(artist, seed)
    intent = plan(style, generator(artist, work, seed))
    rng = np.random.default_rng([seed, artist, 2, work])
    name = str(rng.choice(_TITLES[intent.subject]))
    if intent.subject == "abstract":
        title = f"{name} No. {work + 1}"
    else:
        title = f"{name} {rng.choice(_PHRASES[intent.hour])}" if rng.random() < 0.6 else name
    return title, _STYLES[style.technique], _GENRES[intent.subject], str(intent.year)
