"""Embed collections: list their images, embed the new ones, write the embedding store."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artsim import images
from artsim.collection.artists import Qualified
from artsim.collection.columns import Columns, check_use
from artsim.collection.inputs import NamedImage, list_images
from artsim.collection.works import Reading
from artsim.locking import only_one
from artsim.machine import use_threads
from artsim.messages import Progress, Say, line_each, no_progress, say_nothing
from artsim.model_names import load
from artsim.overwrites import check_overwrites
from artsim.scoring.device import Device
from artsim.scoring.embed_images import EmbeddedImages, embed_named, open_store, store_path
from artsim.scoring.embedding_store import EmbeddingStore, telling_what_is_kept, write_store
from artsim.scoring.scorer import Scorer
from artsim.tables.output import check_place


@dataclass(frozen=True)
class EmbedOptions:
    """The options of `artsim embed`, as its help describes them."""

    model: str
    inputs: Sequence[str]
    output: str
    data_dir: str | None = None
    device: Device = "auto"
    batch_size: int | None = None
    max_pixels: int = images.MAX_PIXELS
    threads: int | None = None
    columns: Columns | None = None
    qualified: Qualified = "drop"


@dataclass(frozen=True)
class EmbedSummary:
    """One run of `artsim embed`.

    Attributes:
        new: images that went through the tower.
        reused: images with a stored embedding, or with the content of another image.
        dropped: names in the old store that the inputs do not list.
        bad_images: a sentence for each, which begins with the image's name.
    """

    provider: str
    images: int
    new: int
    reused: int
    dropped: int
    bad_images: Sequence[str]
    images_per_second: float
    wall_seconds: float

    def lines(self) -> list[tuple[str, str]]:
        """Names and values for the terminal, a line each."""
        return [
            ("provider", self.provider),
            ("images", f"{self.images:,} ({self.images_per_second:,.1f} images/s)"),
            ("embedded", f"{self.new:,} new, {self.reused:,} reused"),
            *([("left out", f"{self.dropped:,} stored before and not listed now")] if self.dropped else []),
            *self._bad_lines(),
            ("wall time", f"{self.wall_seconds:,.1f} s"),
        ]

    def _bad_lines(self) -> list[tuple[str, str]]:
        if not self.bad_images:
            return [("bad images", "none")]
        return [("bad images", f"{len(self.bad_images):,}"), *(("", line) for line in line_each(self.bad_images))]


def embed_collections(options: EmbedOptions, progress: Progress = no_progress, say: Say = say_nothing) -> EmbedSummary:
    """Write the embeddings of exactly the listed images; embeddings that the output has already are reused.

    A run that ends early leaves the old rows and its new rows, so the next run resumes there.

    Raises:
        UsageError: the output does not end in .parquet, or is an input; or columns are named, and no table is.
        InputError: see `list_images` and `read_store`.
        OutputError: another run is writing the output, or it can't be written.
        ModelError, DeviceError: see `load`.
    """
    started = time.perf_counter()
    use_threads(options.threads)
    path = store_path(options.output)
    check_overwrites({"--model": options.model, "FOLDER_OR_FILE": options.inputs}, {"--output": options.output})
    check_place(options.output)
    check_use(options.columns, options.inputs)
    # A name that can't be stored is a bad image.
    reading = Reading(say, options.columns or Columns(), options.qualified, needs_text=False)
    listed = list_images(options.inputs, None if options.data_dir is None else Path(options.data_dir), reading)
    with only_one(path, say), telling_what_is_kept(path):
        scorer = load(options.model, options.device, batch_size=options.batch_size, max_pixels=options.max_pixels)
        stored = open_store(path, scorer)
        opened = time.perf_counter()
        paths = {image.name: image.path for image in listed}
        faults = {image.name: image.fault for image in listed if image.fault}
        embedded = embed_named(scorer, paths, stored, path, progress, faults=faults)
        seconds = time.perf_counter() - opened
        write_store(path, _store_of(scorer, listed, embedded))
    good = len(listed) - len(embedded.reasons)
    return EmbedSummary(
        provider=scorer.provider + (f" ({scorer.tower.note})" if scorer.tower.note else ""),
        images=len(listed),
        new=embedded.embedded,
        reused=good - embedded.embedded,
        dropped=0 if stored is None else len(set(stored.names).difference(image.name for image in listed)),
        bad_images=embedded.reasons,
        images_per_second=len(listed) / seconds,
        wall_seconds=time.perf_counter() - started,
    )


def _store_of(scorer: Scorer, listed: Sequence[NamedImage], embedded: EmbeddedImages) -> EmbeddingStore:
    good = np.flatnonzero(embedded.status == 0).tolist()
    rows = [listed[position] for position in good]
    return EmbeddingStore(
        scorer.model_sha256,
        scorer.card,
        [image.name for image in rows],
        [embedded.sha256s[position] for position in good],
        [image.artist for image in rows],
        embedded.vectors[good],
        [image.attribution for image in rows],
    )
