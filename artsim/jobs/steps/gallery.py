"""The embedded works of a collection: the gallery of a search, or a cohort."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artsim.collection.artists import settle_names
from artsim.collection.folders import check_own_files, find_folder
from artsim.collection.work_tables import has_columns
from artsim.collection.works import Reading, read_works
from artsim.errors import InputError
from artsim.image_names import ImageNames
from artsim.messages import first_few
from artsim.scoring.embed_images import STORE_SUFFIX, embed_named, open_store
from artsim.scoring.same_work import Thumbnail
from artsim.scoring.scorer import Scorer


@dataclass(frozen=True)
class Gallery:
    """The embedded works of a collection, and the reasons of its bad images."""

    names: list[str]
    sha256s: list[str]
    artists: list[str | None]
    vectors: NDArray[np.float32]  # (N, D)
    bad: list[str]
    names_note: str = ""  # a line about names that were found under another spelling
    thumbnails: Mapping[str, Thumbnail] = field(default_factory=dict)  # by SHA-256; none from an embedding store
    folder: Path | None = None  # of the files; None for an embedding store

    @property
    def total(self) -> int:
        """The number of works, bad images included."""
        return len(self.names) + len(self.bad)


def read_gallery(
    source: Path,
    data_dir: Path | None,
    scorer: Scorer,
    reading: Reading,
    progress: Callable[[int, int], None],
    *,
    thumbnails: bool = False,
    most: int | None = None,
) -> Gallery:
    """Read a collection from its embedding store, or embed it.

    Args:
        source: a folder, a table with the column filename, or an embedding store.
        data_dir: the folder of a table's files; None: see `find_folder`.
        reading: how folders and tables are read.
        scorer: embeds the images.
        progress: receives how many are embedded, and how many there are.
        thumbnails: make thumbnails too, which an embedding store does not have.
        most: the number of works that can be used; None: any.

    Raises:
        InputError: it is missing, none of its works can be used, it has too many, or the store is of another model.
    """
    if source.suffix.lower() == STORE_SUFFIX and not has_columns(source, reading.columns):
        stored = _stored(source, scorer, reading)
        _check_number(source, len(stored.names), most)
        return stored
    works = read_works(str(source), reading)
    _check_number(source, len(works.names), most)
    folder = works.folder or find_folder(source, data_dir, works.names)
    lookup = ImageNames(folder)
    paths, faults = lookup.paths(works.names), lookup.faults(works.names)
    check_own_files(works.names, lookup, str(source))
    embedded = embed_named(scorer, paths, progress=lambda _, *at: progress(*at), faults=faults, thumbnails=thumbnails)
    good = np.flatnonzero(embedded.status == 0)
    gallery = Gallery(
        [works.names[row] for row in good],
        [embedded.sha256s[row] for row in good],
        [works.artists[row] for row in good],
        embedded.vectors[good],
        embedded.reasons,
        lookup.note,
        embedded.thumbnails,
        folder,
    )
    if not gallery.names:
        raise InputError(f"{source}: none of its {gallery.total:,} images can be used: {first_few(gallery.bad, '; ')}.")
    return gallery


def _check_number(source: Path, works: int, most: int | None) -> None:
    if most is not None and works > most:
        raise InputError(
            f"{source}: has {works:,} works, and at most {most:,} can be compared with each other. Name a part of "
            "them: a subfolder, or a table with fewer rows."
        )


def _stored(source: Path, scorer: Scorer, reading: Reading) -> Gallery:
    store = open_store(source, scorer)
    if store is None or not store.names:
        raise InputError(f"{source}: {'no such file' if store is None else 'no embeddings in it'}.")
    artists, notes = settle_names(store.cells, reading.qualified, str(source))
    for note in notes if reading.needs_artists else []:
        reading.say(note)
    return Gallery(store.names, store.sha256s, artists, store.vectors, [])
