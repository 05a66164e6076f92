"""Artists and styles of the images of pairs, by the table of works."""

from __future__ import annotations

from collections.abc import Sequence

from artsim.collection.columns import Columns
from artsim.messages import Say, counted
from artsim.scoring.work_columns import WorkTexts


def texts_of_works(source: str, columns: Columns | None, images: Sequence[str], say: Say) -> WorkTexts:
    """Look up images, by their names, in a folder or table of works.

    Raises:
        InputError: the works can't be read.
    """
    # They import pandas, which scoring pairs does not need.
    from pathlib import Path

    from artsim.collection.work_tables import has_columns
    from artsim.collection.works import Reading, read_works
    from artsim.evaluation.report.paintings import Paintings

    # The columns that the user names may be those of the cohort's table only.
    named = columns if columns is not None and has_columns(Path(source), columns) else Columns()
    paintings = Paintings.of(list(images), read_works(source, Reading(say, named)).table)
    if paintings.listed < len(images):
        say(
            f"{source}: {paintings.listed:,} of {counted(len(images), 'image')} are in it. Files must have the same "
            "names as in the pairs."
        )
    artists = [None if number < 0 else paintings.artists[number] for number in paintings.artist.tolist()]
    return WorkTexts(artists, [", ".join(styles) or None for styles in paintings.styles])
