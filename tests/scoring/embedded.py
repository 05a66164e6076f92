"""The images of a folder, embedded by the names of their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from artsim.image_names import ImageNames
from artsim.messages import Progress
from artsim.scoring.embed_images import EmbeddedImages, embed_named
from artsim.scoring.embedding_store import EmbeddingStore
from artsim.scoring.scorer import Scorer


def embed_files(
    scorer: Scorer,
    names: Sequence[str],
    folder: Path,
    store: EmbeddingStore | None = None,
    update_at: Path | None = None,
    progress: Progress | None = None,
) -> EmbeddedImages:
    lookup = ImageNames(folder)
    return embed_named(scorer, lookup.paths(names), store, update_at, progress, faults=lookup.faults(names))
