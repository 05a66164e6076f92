"""The embeddings of the images that a run names: taken from those kept, as far as they are there, else made.

What decides is a file's content: a file that has changed is embedded anew, two names of one content are embedded
once. Only where a name is no file does the kept row of that name stand in.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artsim import images
from artsim.errors import ImageError, MissingImageError, UnreadableImageError, UsageError
from artsim.files import file_sha256
from artsim.messages import Progress
from artsim.prefetch import prefetch_images
from artsim.scoring.embedding_store import EmbeddingStore, check_model, read_store, write_store
from artsim.scoring.inference import Image, prefetch_depth, through
from artsim.scoring.scorer import Scorer
from artsim.scoring.status import STATUSES

STORE_SUFFIX = ".parquet"
# What a killed run loses, in seconds: at least so much, but writing takes no more than a 20th of the time.
SHORTEST_INTERVAL = 3.0
WRITING_PAYS = 20


@dataclass(frozen=True)
class EmbeddedImages:
    """Embedded images, row by row as they were named.

    Vectors are zeros and contents (hex SHA-256 of the file) empty where `status`, an index into STATUSES, is not
    ok; `reasons` says why, a sentence for each that begins with its name. `embedded`: how many went through the tower.
    """

    vectors: NDArray[np.float32]  # (M, D)
    status: NDArray[np.uint8]  # (M,)
    reasons: list[str]
    contents: list[str]
    embedded: int


def store_path(path: str) -> Path:
    """Where embeddings are kept that a user names so: a link stays one.

    Raises:
        UsageError: it is not called .parquet.
    """
    if Path(path).suffix.lower() != STORE_SUFFIX:
        raise UsageError(f"embeddings are kept as parquet: name a file that ends in {STORE_SUFFIX}, not {path!r}.")
    return Path(os.path.realpath(path))


def open_store(path: Path, scorer: Scorer) -> EmbeddingStore | None:
    """EmbeddingStore embeddings to go on from; None where there is no such file.

    Raises:
        InputError: see `read_store` and `check_model`.
    """
    if not path.exists():
        return None
    kept = read_store(path)
    check_model(kept, path, file_sha256(scorer.tower.path))
    return kept


def embed_files(
    scorer: Scorer,
    names: Sequence[str],
    folder: Path,
    kept: EmbeddingStore | None = None,
    keep_at: Path | None = None,
    progress: Progress | None = None,
) -> EmbeddedImages:
    """Embed the images of a folder that are not kept; the bad ones are noted, and why.

    Args:
        scorer: of the model that `kept` is of.
        names: different names of images, as they stand below the folder.
        folder: where they are looked for.
        kept: embeddings to take from.
        keep_at: where to keep them: what was found of `names`, and the rows of `kept` that have other names. It is
            written every few seconds, too, so that a run that is killed goes on from there.
        progress: told of the stage `images`.

    Raises:
        OutputError: `keep_at` can't be written.
        DeviceError, ModelError: see `Tower`.
    """
    return embed_named(scorer, {name: folder / name if name else None for name in names}, kept, keep_at, progress)


def embed_named(
    scorer: Scorer,
    paths: Mapping[str, Path | None],
    kept: EmbeddingStore | None = None,
    keep_at: Path | None = None,
    progress: Progress | None = None,
) -> EmbeddedImages:
    """Embed images by name, wherever each lies (None: nowhere); else as `embed_files`."""
    found = _EmbeddingPass(scorer, paths, kept, progress)
    keeper = None if keep_at is None else _StoreWriter(keep_at, kept or _empty_store(scorer))
    for positions, vectors in through(scorer.tower, found.new_images(), scorer.batch_size):
        found.settle(positions, vectors)
        if keeper is not None and keeper.is_due():
            keeper.write(found)
    if keeper is not None:
        keeper.write_rest(found)
    return found.embedded_images()


def _empty_store(scorer: Scorer) -> EmbeddingStore:
    nothing = np.empty((0, scorer.tower.width), dtype=np.float32)
    return EmbeddingStore(file_sha256(scorer.tower.path), scorer.card, [], [], [], nothing)


@dataclass(frozen=True)
class _File:
    """A file's digest, and its pixels unless a vector of them is known or on the way."""

    content: str
    image: Image | None


class _EmbeddingPass:
    """What has been found so far, position by position; a position is decided once it has a content or a failure."""

    def __init__(
        self, scorer: Scorer, paths: Mapping[str, Path | None], kept: EmbeddingStore | None, progress: Progress | None
    ) -> None:
        self.names = list(paths)
        self.contents = [""] * len(paths)
        self.vectors = np.zeros((len(paths), scorer.tower.width), dtype=np.float32)
        self.failures: dict[int, ImageError] = {}
        self.embedded = 0
        self._scorer = scorer
        self._paths = paths
        self._progress = progress
        self._kept_content = {} if kept is None else dict(zip(kept.names, kept.contents, strict=True))
        self._known = {} if kept is None else dict(zip(kept.contents, kept.vectors, strict=True))
        self._coming: dict[int, str] = {}  # position to content, of what is being embedded
        self._claimed: set[str] = set()  # all contents that were or are
        self._copies: dict[int, str] = {}  # further names of what is coming

    def new_images(self) -> Iterator[tuple[int, Image]]:
        """Find every name; those that have to be embedded are given, with their position."""
        for position, file in enumerate(
            prefetch_images(self.names, self._read, prefetch_depth(self._scorer.batch_size))
        ):
            if isinstance(file, ImageError):
                self._not_read(position, file)
            elif file.content in self._known:
                self._take(position, file.content)
            elif file.content in self._claimed:
                self._copies[position] = file.content
            else:
                assert file.image is not None  # noqa: S101 - `_read` leaves out only what is known or claimed
                self._coming[position] = file.content
                self._claimed.add(file.content)
                yield position, file.image
            if self._progress is not None:
                self._progress("images", position + 1, len(self.names))

    def settle(self, positions: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Note what the tower gave: it is of these images, and of others of the same content."""
        self.embedded += len(positions)
        self.vectors[positions] = vectors
        for position in positions.tolist():
            content = self._coming.pop(position)
            self.contents[position] = content
            self._known[content] = self.vectors[position]
        for position, content in list(self._copies.items()):
            if content in self._known:
                self._take(position, self._copies.pop(position))

    def embedded_images(self) -> EmbeddedImages:
        """All of it, when every position is decided."""
        status = np.zeros(len(self.names), dtype=np.uint8)
        for position, error in self.failures.items():
            status[position] = STATUSES.index(error.status)
        return EmbeddedImages(
            self.vectors, status, [str(error) for error in self.failures.values()], self.contents, self.embedded
        )

    def _read(self, name: str) -> _File:
        """In a decode thread: a file's digest, then, where that is new, its pixels."""
        path = str(self._paths[name] or "")
        try:
            name.encode()
            with images.open_file(path) as file:
                state = _state(os.fstat(file.fileno()))
                content = hashlib.file_digest(file, "sha256").hexdigest()
            if content in self._known or content in self._claimed:
                return _File(content, None)
            # Not of the bytes that were hashed: a scan may be larger than memory, and its header forbid decoding it.
            image = self._scorer.load_image(path)
            if _state(Path(path).stat()) != state:
                raise UnreadableImageError(f"{path}: changed while it was read")
        except OSError as error:
            raise UnreadableImageError(f"{path}: can't be read: {error.strerror or error}") from error
        except UnicodeEncodeError as error:
            raise UnreadableImageError(f"{path!r}: its name is not UTF-8, under which it would be kept") from error
        return _File(content, image)

    def _not_read(self, position: int, error: ImageError) -> None:
        content = self._kept_content.get(self.names[position])
        if content is not None and isinstance(error, MissingImageError):
            self._take(position, content)
        else:
            self.failures[position] = error

    def _take(self, position: int, content: str) -> None:
        self.vectors[position] = self._known[content]
        self.contents[position] = content


def _state(status: os.stat_result) -> tuple[int, ...]:
    """What differs if a file is written to or replaced."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class _StoreWriter:
    """Writes down what is known every few seconds, beside the rows kept before."""

    def __init__(self, path: Path, before: EmbeddingStore) -> None:
        self._path = path
        self._before = before
        self._written = time.monotonic()
        self._interval = SHORTEST_INTERVAL

    def is_due(self) -> bool:
        """Whether there was no writing for long enough."""
        return time.monotonic() - self._written >= self._interval

    def write_rest(self, found: _EmbeddingPass) -> None:
        """Write what is known at the end, unless it is what was kept before."""
        before = self._before
        rows = _with(before, found)
        if not self._path.exists() or dict(zip(rows.names, rows.contents, strict=True)) != dict(
            zip(before.names, before.contents, strict=True)
        ):
            write_store(self._path, rows)

    def write(self, found: _EmbeddingPass) -> None:
        """Write the rows of what is decided, and of what others have kept."""
        started = time.monotonic()
        write_store(self._path, _with(self._before, found))
        self._written = time.monotonic()
        self._interval = max(SHORTEST_INTERVAL, WRITING_PAYS * (self._written - started))


def _with(before: EmbeddingStore, found: _EmbeddingPass) -> EmbeddingStore:
    """The rows kept before, those of the names that were found brought up to date, and after them the new ones."""
    decided = {name: position for position, name in enumerate(found.names) if found.contents[position]}
    bad = {found.names[position] for position in found.failures}
    artist = dict(zip(before.names, before.artists, strict=True))
    others = [row for row, name in enumerate(before.names) if name not in decided and name not in bad]
    positions = list(decided.values())
    return EmbeddingStore(
        before.model_sha256,
        before.card,
        [before.names[row] for row in others] + list(decided),
        [before.contents[row] for row in others] + [found.contents[position] for position in positions],
        [before.artists[row] for row in others] + [artist.get(name) for name in decided],
        np.concatenate([before.vectors[others], found.vectors[positions]]),
    )
