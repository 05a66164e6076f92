"""Embedding of the images that a job names, with an embedding store to reuse and to update.

The content of a file decides. A file that has changed is embedded again. Files with the same content are embedded once.
If a listed file no longer exists, its stored embedding is used. Files are decoded in worker processes, so a file that
crashes its decoder is one bad image.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artsim import images
from artsim.decoders import DECODERS, Pass
from artsim.errors import ImageError, MissingImageError, UnreadableImageError, UsageError
from artsim.messages import Progress
from artsim.prefetch import prefetch_images
from artsim.scoring.adaptation import Adapter
from artsim.scoring.embedding_store import EmbeddingStore, check_model, read_store
from artsim.scoring.familiarity import PhotographRule
from artsim.scoring.inference import Pixels, prefetch_depth, run_batches
from artsim.scoring.same_work import Thumbnail, thumbnail
from artsim.scoring.scorer import Scorer
from artsim.scoring.status import STATUSES
from artsim.scoring.store_updates import StoreWriter
from artsim.tables.bounds import reading

STORE_SUFFIX = ".parquet"


@dataclass(frozen=True)
class EmbeddedImages:
    """The embeddings of M named images; row i of each array belongs to the i-th name.

    Where `status` is not ok, the vector is zeros and the SHA-256 is "".
    """

    vectors: NDArray[np.float32]  # (M, D)
    status: NDArray[np.uint8]  # (M,) an index into STATUSES
    reasons: list[str]  # a sentence for each image that is not ok, which begins with its name
    sha256s: list[str]  # hex, of the image files
    embedded: int  # the number of images that went through the tower
    factor: NDArray[np.float32] | None = None  # (M,) of each image's distances, once adapted
    unfamiliar: NDArray[np.bool_] | None = None  # (M,) once known; False for bad images
    thumbnails: Mapping[str, Thumbnail] = field(default_factory=dict)  # by SHA-256, if asked for and the file is there

    def adapted(self, adapter: Adapter | None) -> EmbeddedImages:
        """The same images, adapted; None: as they are. Their unfamiliarity must be known before."""
        if adapter is None:
            return self
        vectors, factor = adapter.adapt(self.vectors)
        return replace(self, vectors=vectors, factor=factor)

    def compared(self, rule: PhotographRule | None) -> EmbeddedImages:
        """The same images, compared with the training photographs; None: as they are."""
        if rule is None:
            return self
        return replace(self, unfamiliar=rule.are_unfamiliar(self.vectors) & (self.status == 0))


def store_path(path: str) -> Path:
    """Return the path of the embedding store that a user names; a symbolic link is followed, so that it stays a link.

    Raises:
        UsageError: the name does not end in .parquet.
    """
    if Path(path).suffix.lower() != STORE_SUFFIX:
        raise UsageError(f"embeddings are stored as parquet: name a file that ends in {STORE_SUFFIX}, not {path!r}.")
    return Path(os.path.realpath(path))


def open_store(path: Path, scorer: Scorer) -> EmbeddingStore | None:
    """Read an embedding store of the scorer's model; None if there is no such file.

    Raises:
        InputError: see `read_store` and `check_model`.
    """
    with reading(str(path)):
        if not path.exists():
            return None
    store = read_store(path)
    check_model(store, path, scorer.model_sha256, scorer.tower.width)
    return store


def embed_named(
    scorer: Scorer,
    paths: Mapping[str, Path | None],
    store: EmbeddingStore | None = None,
    update_at: Path | None = None,
    progress: Progress | None = None,
    *,
    faults: Mapping[str, str] | None = None,
    thumbnails: bool = False,
) -> EmbeddedImages:
    """Embed the images that are not in the store; report the bad ones.

    Args:
        scorer: of the store's model.
        paths: the file of each name; None if it is unknown.
        store: embeddings to reuse.
        update_at: where to write the updated store: all names that were embedded, and the rows of `store` with other
            names. It is also written every few seconds, so that the next run resumes after one that was killed.
        progress: receives the stage `images`.
        faults: what to say of names without a file.
        thumbnails: make thumbnails too; then files with a stored embedding are decoded as well.

    Raises:
        OutputError: `update_at` can't be written.
        DeviceError, ModelError: see `Tower`.
    """
    job = _EmbeddingPass(scorer, paths, store, progress, thumbnails=thumbnails)
    job.faults = faults or {}
    writer = None if update_at is None else StoreWriter(update_at, store or _empty_store(scorer))
    for positions, vectors in run_batches(scorer.tower, job.new_images(), scorer.batch_size):
        job.settle(positions, vectors)
        if writer is not None and writer.is_due():
            writer.write(job)
    if writer is not None:
        writer.write_rest(job)
    return job.embedded_images()


def _empty_store(scorer: Scorer) -> EmbeddingStore:
    nothing = np.empty((0, scorer.tower.width), dtype=np.float32)
    return EmbeddingStore(scorer.model_sha256, scorer.card, [], [], [], nothing)


@dataclass(frozen=True)
class _File:
    """A file's SHA-256, and its pixels unless its embedding is known or under way."""

    sha256: str
    image: Pixels | None


class _EmbeddingPass:
    """The state of one pass over the names. A position is decided once it has a SHA-256 or a failure."""

    def __init__(
        self,
        scorer: Scorer,
        paths: Mapping[str, Path | None],
        store: EmbeddingStore | None,
        progress: Progress | None,
        *,
        thumbnails: bool,
    ) -> None:
        self.faults: Mapping[str, str] = {}  # what to say of a missing file, by name
        self.names = list(paths)
        self.sha256s = [""] * len(paths)
        self.vectors = np.zeros((len(paths), scorer.tower.width), dtype=np.float32)
        self.failures: dict[int, ImageError] = {}
        self.embedded = 0
        self._scorer = scorer
        self._paths = paths
        self._progress = progress
        self._decoding = Pass()
        self._thumbnails: dict[str, Thumbnail] | None = {} if thumbnails else None
        self._stored = {} if store is None else dict(zip(store.names, store.sha256s, strict=True))
        self._known = {} if store is None else dict(zip(store.sha256s, store.vectors, strict=True))
        self._pending: dict[int, str] = {}  # by position, the SHA-256 of images on their way through the tower
        self._claimed: set[str] = set()  # every SHA-256 that is or was pending
        self._copies: dict[int, str] = {}  # further positions of pending images

    def new_images(self) -> Iterator[tuple[int, Pixels]]:
        """Read every file; yield the images that must be embedded, with their positions."""
        if self._progress is not None:
            self._progress("images", 0, len(self.names))
        depth = prefetch_depth(self._scorer.batch_size)
        files = prefetch_images(self.names, self._read, depth, stop=lambda: DECODERS.stop(self._decoding))
        for position, file in enumerate(files):
            if isinstance(file, ImageError):
                self._not_read(position, file)
            elif file.sha256 in self._known:
                self._take(position, file.sha256)
            elif file.sha256 in self._claimed:
                self._copies[position] = file.sha256
            else:
                assert file.image is not None  # noqa: S101 - `_read` leaves out only what is known or claimed
                self._pending[position] = file.sha256
                self._claimed.add(file.sha256)
                yield position, file.image
            if self._progress is not None:
                self._progress("images", position + 1, len(self.names))

    def settle(self, positions: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Record the vectors of these positions, and of other positions with the same content."""
        self.embedded += len(positions)
        self.vectors[positions] = vectors
        for position in positions.tolist():
            sha256 = self._pending.pop(position)
            self.sha256s[position] = sha256
            self._known[sha256] = self.vectors[position]
        for position, sha256 in list(self._copies.items()):
            if sha256 in self._known:
                self._take(position, self._copies.pop(position))

    def embedded_images(self) -> EmbeddedImages:
        """Return the result; every position must be decided."""
        status = np.zeros(len(self.names), dtype=np.uint8)
        for position, error in self.failures.items():
            status[position] = STATUSES.index(error.status)
        return EmbeddedImages(
            self.vectors,
            status,
            [str(error) for error in self.failures.values()],
            self.sha256s,
            self.embedded,
            thumbnails=self._thumbnails or {},
        )

    def _read(self, name: str) -> _File:
        """Hash a file and decode it if its content is new. Runs in a decode thread."""
        path = str(self._paths[name] or "")
        try:
            name.encode()
            with images.open_file(path) as file:
                state = _state(os.fstat(file.fileno()))
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 in self._known or sha256 in self._claimed:
                self._add_thumbnail(path, sha256)
                return _File(sha256, None)
            # The file is read a second time: a scan can be larger than memory, and too large to be decoded at all.
            image = self._decode(path)
            if _state(Path(path).stat()) != state:
                raise UnreadableImageError(f"{path}: changed while it was read")
        except OSError as error:
            raise UnreadableImageError(f"{path}: can't be read: {error.strerror or error}") from error
        except UnicodeEncodeError as error:
            raise UnreadableImageError(f"{path!r}: its name can't be stored, because it is not UTF-8") from error
        if self._thumbnails is not None:
            self._thumbnails[sha256] = thumbnail(image)
        return _File(sha256, image)

    def _decode(self, path: str) -> Pixels:
        size, max_pixels = self._scorer.card.image_size, self._scorer.max_pixels
        return DECODERS.load(path, size, max_pixels=max_pixels, owner=self._decoding)

    def _add_thumbnail(self, path: str, sha256: str) -> None:
        """Make the thumbnail of an image with a stored embedding. Its embedding is used also if this fails."""
        if self._thumbnails is not None and sha256 not in self._thumbnails:
            with suppress(ImageError):
                self._thumbnails[sha256] = thumbnail(self._decode(path))

    def _not_read(self, position: int, error: ImageError) -> None:
        name = self.names[position]
        sha256 = self._stored.get(name)
        is_missing = isinstance(error, MissingImageError)
        if sha256 is not None and is_missing:
            self._take(position, sha256)
        else:
            is_explained = is_missing and name in self.faults
            self.failures[position] = MissingImageError(self.faults[name]) if is_explained else error

    def _take(self, position: int, sha256: str) -> None:
        self.vectors[position] = self._known[sha256]
        self.sha256s[position] = sha256


def _state(status: os.stat_result) -> tuple[int, ...]:
    """Return what changes when a file is written to or replaced."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
