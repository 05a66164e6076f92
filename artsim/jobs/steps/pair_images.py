"""The images of a pairs file: check that they are there, embed those that have no stored embedding."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from artsim.errors import InputError
from artsim.locking import only_one
from artsim.messages import Progress, Say
from artsim.scoring.embed_images import EmbeddedImages, embed_named, open_store
from artsim.scoring.embedding_store import EmbeddingStore, telling_what_is_kept
from artsim.scoring.scorer import Scorer
from artsim.tables.image_index import ImageIndex, check_found


@dataclass(frozen=True)
class PairImages:
    """The images of the pairs of `source` in `folder`.

    `store` is the user's embedding store, and `unfinished` that of an interrupted run; None: there is none.
    """

    source: str
    folder: Path
    index: ImageIndex
    store: Path | None
    unfinished: Path | None

    def check(self) -> None:
        """Check, before a tower is opened, that an image is there, unless embeddings may be stored.

        Raises:
            InputError: see `check_found`.
        """
        stores = (path for path in (self.store, self.unfinished) if path is not None)
        if not any(os.path.lexists(path) for path in stores):
            self._check_found(None)

    def embed(self, scorer: Scorer, progress: Progress, say: Say, *, thumbnails: bool = False) -> EmbeddedImages:
        """Embed the images, and store what is new: in the user's store, or in that of an interrupted run.

        Raises:
            InputError: see `check_found` and `open_store`.
        """
        path = self.store
        if path is None:
            return self._embed(scorer, self._left_over(scorer), self.unfinished, progress, thumbnails=thumbnails)
        # A read-only store is fine if it has all images.
        lock = only_one(path, say) if os.access(path.parent, os.W_OK) else nullcontext()
        with lock, telling_what_is_kept(path):
            return self._embed(scorer, open_store(path, scorer), path, progress, thumbnails=thumbnails)

    def _embed(
        self,
        scorer: Scorer,
        stored: EmbeddingStore | None,
        update_at: Path | None,
        progress: Progress,
        *,
        thumbnails: bool,
    ) -> EmbeddedImages:
        self._check_found(stored)
        lookup, images = self.index.lookup, self.index.images
        paths, faults = lookup.paths(images), lookup.faults(images)
        return embed_named(scorer, paths, stored, update_at, progress, faults=faults, thumbnails=thumbnails)

    def _check_found(self, stored: EmbeddingStore | None) -> None:
        names = () if stored is None else stored.names
        check_found(self.source, self.folder, self.index.lookup, self.index.images, names)

    def _left_over(self, scorer: Scorer) -> EmbeddingStore | None:
        """The embeddings of an interrupted run, if they are of the same model."""
        try:
            return None if self.unfinished is None else open_store(self.unfinished, scorer)
        except InputError:
            return None
