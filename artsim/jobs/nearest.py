"""Who painted this? Embed queries and a collection, unless that is kept, and rank its works and artists for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artsim import images
from artsim.bad_images import BadImageLimit
from artsim.collection.catalogue import find_folder
from artsim.collection.inputs import list_folder
from artsim.collection.works import numbered, read_works
from artsim.errors import InputError
from artsim.messages import Progress, counted, first_few
from artsim.scoring.device import Device
from artsim.scoring.embed_images import STORE_SUFFIX, EmbeddedImages, embed_files, open_store
from artsim.scoring.scorer import Scorer, load
from artsim.scoring.scores import Criterion
from artsim.scoring.search import SearchIndex, SearchResult, artist_probabilities

Say = Callable[[str], None]


@dataclass(frozen=True)
class NearestOptions:
    """What `artsim nearest` was told; its flags say what each is."""

    queries: Sequence[str]
    among: str
    model: str
    k: int = 10
    data_dir: str | None = None
    device: Device = "auto"
    prior: float | None = None
    batch_size: int | None = None
    max_pixels: int = images.MAX_PIXELS
    with_itself: bool = False


@dataclass(frozen=True)
class NearWork:
    """A work of the collection as a query sees it; `artist` is None where unknown."""

    rank: int
    distance: np.float32
    probability: np.float32
    artist: str | None
    image: str


@dataclass(frozen=True)
class NearArtist:
    """An artist as a query sees them: how likely, if it is by one of those in the collection.

    `distance` is the mean of their nearest works; `works` is how many there are in all.
    """

    rank: int
    distance: np.float32
    probability: np.float32
    artist: str
    works: int


@dataclass(frozen=True)
class QueryResult:
    """What is said of one query; `itself`: works of the collection that have its content."""

    query: str
    works: list[NearWork]
    artists: list[NearArtist]
    itself: list[str]
    unlike: bool | None


@dataclass(frozen=True)
class Gallery:
    """The works of a collection that could be embedded, and what was wrong with the others."""

    names: list[str]
    contents: list[str]
    artists: list[str | None]
    vectors: NDArray[np.float32]  # (N, D)
    bad: list[str]

    @property
    def total(self) -> int:
        """How many works the collection names."""
        return len(self.names) + len(self.bad)


@dataclass(frozen=True)
class Outcome:
    """What could not be used, a sentence each that begins with the name, and of how many."""

    unread_queries: list[str]
    queries: int
    bad_works: list[str]
    works: int


def find_nearest(options: NearestOptions, say: Say, progress: Progress, show: Callable[[QueryResult], None]) -> Outcome:
    """Show an answer to each query that can be read, in order; what was searched is said.

    Raises:
        InputError: no query, or no work, can be used.
        ModelError, DeviceError, UsageError: see `load` and `Criterion`.
    """
    names = query_files(options.queries)
    scorer = load(options.model, options.device, batch_size=options.batch_size, max_pixels=options.max_pixels)
    criterion = Criterion.of(scorer.card, prior=options.prior)
    queries = embed_files(scorer, names, Path(), progress=lambda _, *at: progress("queries", *at))
    if len(queries.reasons) == len(names):
        raise InputError(f"no query can be used: {first_few(queries.reasons, '; ')}.")
    gallery = read_gallery(options, scorer, progress)
    say(_described(gallery))
    for answer in _answers(options, criterion, names, queries, gallery):
        show(answer)
    return Outcome(queries.reasons, len(names), gallery.bad, gallery.total)


def check_outcome(outcome: Outcome, bad_image_limit: BadImageLimit) -> None:
    """Hold finished searches to what was asked for and allowed.

    Raises:
        InputError: not every query was answered.
        BadImagesError: more images of the collection were bad.
    """
    unread = outcome.unread_queries
    if unread:
        raise InputError(f"{len(unread):,} of {outcome.queries:,} queries can't be used: {first_few(unread, '; ')}.")
    bad_image_limit.check(outcome.bad_works, outcome.works, "The queries were answered without them.")


def query_files(sources: Sequence[str]) -> list[str]:
    """Different files, those of a folder in order of their names.

    Raises:
        InputError: a folder without images.
    """
    files: list[str] = []
    for source in sources:
        files += [str(image.path) for image in list_folder(Path(source))] if Path(source).is_dir() else [source]
    return list(dict.fromkeys(files))


def read_gallery(options: NearestOptions, scorer: Scorer, progress: Progress) -> Gallery:
    """The collection: from kept embeddings, or embedded now.

    Raises:
        InputError: nothing there, none of it can be used, or embeddings of another model.
    """
    if Path(options.among).suffix.lower() == STORE_SUFFIX:
        kept = open_store(Path(options.among), scorer)
        if kept is None or not kept.names:
            raise InputError(f"{options.among}: {'no such file' if kept is None else 'no embeddings in it'}.")
        return Gallery(kept.names, kept.sha256s, kept.artists, kept.vectors, [])
    works = read_works(options.among)
    folder = works.folder
    if folder is None:
        data_dir = None if options.data_dir is None else Path(options.data_dir)
        folder = find_folder(Path(options.among), data_dir, works.table["filename"])
    embedded = embed_files(scorer, works.names, folder, progress=lambda _, *at: progress("collection", *at))
    good = np.flatnonzero(embedded.status == 0)
    gallery = Gallery(
        [works.names[row] for row in good],
        [embedded.sha256s[row] for row in good],
        [works.artists[row] for row in good],
        embedded.vectors[good],
        embedded.reasons,
    )
    if not gallery.names:
        raise InputError(
            f"{options.among}: none of its {gallery.total:,} images can be used: {first_few(gallery.bad, '; ')}."
        )
    return gallery


def _answers(
    options: NearestOptions, criterion: Criterion, names: list[str], queries: EmbeddedImages, gallery: Gallery
) -> Iterator[QueryResult]:
    labels = numbered(gallery.artists)
    collection = SearchIndex(gallery.vectors, labels, criterion.distance)
    good = np.flatnonzero(queries.status == 0)
    rows_of: dict[str, list[int]] = {}
    for row, content in enumerate(gallery.contents):
        rows_of.setdefault(content, []).append(row)
    itself = [rows_of.get(queries.sha256s[position], []) for position in good]
    left_out = [[]] * len(good) if options.with_itself else itself
    found = collection.search(queries.vectors[good], options.k, left_out)
    tell = _ResultFormatter(criterion, gallery, labels, options.k)
    for position, same, answer in zip(good.tolist(), itself, found, strict=True):
        yield tell(names[position], same, answer)


class _ResultFormatter:
    """Puts what was found, rows and distances, in a user's terms."""

    def __init__(self, criterion: Criterion, gallery: Gallery, labels: NDArray[np.int64], k: int) -> None:
        self._criterion = criterion
        self._shelf = gallery
        self._k = k
        _, first, works = np.unique(labels[labels >= 0], return_index=True, return_counts=True)
        known = [artist for artist in gallery.artists if artist is not None]
        self._artists = [(known[row], count) for row, count in zip(first.tolist(), works.tolist(), strict=True)]

    def __call__(self, query: str, itself: list[int], found: SearchResult) -> QueryResult:
        works = zip(found.works.tolist(), found.distance, self._criterion.probability(found.distance), strict=True)
        probability = artist_probabilities(found.artist_distance, self._criterion.calibration)
        artists = zip(found.artists.tolist(), found.artist_distance, probability, strict=True)
        return QueryResult(
            query,
            [
                NearWork(rank, distance, probability, self._shelf.artists[row], self._shelf.names[row])
                for rank, (row, distance, probability) in enumerate(works, start=1)
            ],
            [
                NearArtist(rank, distance, probability, *self._artists[label])
                for rank, (label, distance, probability) in enumerate(islice(artists, self._k), start=1)
            ],
            [self._shelf.names[row] for row in itself],
            found.unlike,
        )


def _described(gallery: Gallery) -> str:
    known = {artist for artist in gallery.artists if artist is not None}
    by = f" by {counted(len(known), 'artist')}" if known else ""
    bad = (
        f"; {len(gallery.bad):,} of {gallery.total:,} can't be used: {first_few(gallery.bad, '; ')}"
        if gallery.bad
        else ""
    )
    return f"searched {counted(len(gallery.names), 'work')}{by}{bad}"
