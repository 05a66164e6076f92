"""Find the nearest works: embed the queries, embed the gallery or read its store, rank works and artists."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artsim import images
from artsim.bad_images import BadImageLimit
from artsim.collection.artists import Qualified
from artsim.collection.columns import Columns, check_use
from artsim.collection.folders import list_folder
from artsim.collection.works import Reading, numbered
from artsim.errors import InputError
from artsim.jobs.steps.cohort import read_cohort, tower_of
from artsim.jobs.steps.gallery import Gallery, read_gallery
from artsim.machine import use_threads
from artsim.messages import Progress, Say, counted, first_few
from artsim.model_names import load
from artsim.scoring.adaptation import Adapter, adapter_of
from artsim.scoring.cohort_use import SELF, cohort_of_run
from artsim.scoring.device import Device
from artsim.scoring.embed_images import EmbeddedImages, embed_named
from artsim.scoring.same_work import is_same_work
from artsim.scoring.scorer import Scorer
from artsim.scoring.scores import Criterion
from artsim.scoring.search import SearchIndex, SearchResult, artist_probabilities


@dataclass(frozen=True)
class NearestOptions:
    """The options of `artsim nearest`, as its help describes them."""

    queries: Sequence[str]
    among: str
    model: str
    k: int = 10
    data_dir: str | None = None
    device: Device = "auto"
    prior: float | None = None
    batch_size: int | None = None
    max_pixels: int = images.MAX_PIXELS
    threads: int | None = None
    with_itself: bool = False
    cohort: str | None = None
    columns: Columns | None = None
    qualified: Qualified = "drop"

    def reading(self, say: Say) -> Reading:
        """How the gallery is read."""
        return Reading(say, self.columns or Columns(), self.qualified)


@dataclass(frozen=True)
class NearWork:
    """A work of the gallery, ranked for a query; `artist` is None if unknown.

    `copy`: it and the query are photographs of one painting; None if the gallery has no pictures (an embedding store).
    """

    rank: int
    distance: np.float32
    probability: np.float32
    artist: str | None
    image: str
    copy: bool | None = None


@dataclass(frozen=True)
class NearArtist:
    """An artist of the gallery, ranked for a query.

    `probability` assumes that the query is by an artist of the gallery. `distance` is the mean over the artist's
    nearest works; `works` is the number of all their works.
    """

    rank: int
    distance: np.float32
    probability: np.float32
    artist: str
    works: int


@dataclass(frozen=True)
class QueryResult:
    """The results of one query; `itself` are the works of the gallery with the query's content.

    `unfamiliar`: its photograph is unlike the tower's training photographs; None: the tower cannot tell.
    """

    query: str
    works: list[NearWork]
    artists: list[NearArtist]
    itself: list[str]
    unlike: bool | None
    unfamiliar: bool | None = None


@dataclass(frozen=True)
class Outcome:
    """The reasons of bad queries and works, a sentence each that begins with the name, and the number of all.

    `folder` has the files of the gallery; None for an embedding store.
    """

    bad_queries: list[str]
    queries: int
    bad_works: list[str]
    works: int
    folder: Path | None


def find_nearest(options: NearestOptions, say: Say, progress: Progress, show: Callable[[QueryResult], None]) -> Outcome:
    """Describe the gallery, then show the result of each readable query, in order.

    Raises:
        InputError: no query or no work can be used.
        ModelError, DeviceError, UsageError: see `load` and `Criterion`.
    """
    use_threads(options.threads)
    check_use(options.columns, [options.among, options.cohort])
    names = query_files(options.queries, say)
    scorer = load(options.model, options.device, batch_size=options.batch_size, max_pixels=options.max_pixels)
    tower = tower_of(scorer)
    named = read_cohort(options.cohort, tower, lambda: scorer, say, progress, options.columns)
    paths = {name: Path(name) for name in names}
    queries = embed_named(scorer, paths, progress=lambda _, *at: progress("queries", *at), thumbnails=True)
    if len(queries.reasons) == len(names):
        raise InputError(f"no query can be used: {first_few(queries.reasons, '; ')}.")
    gallery = _read_gallery(options, scorer, say, progress)
    say(_described(gallery))
    if gallery.names_note:
        say(f"{options.among}: {gallery.names_note}")
    use = cohort_of_run(
        named, tower, gallery.sha256s, gallery.vectors.__getitem__, "the gallery", chosen=options.cohort == SELF
    )
    say(f"cohort: {use.note}")
    criterion = Criterion.of(scorer.card, prior=options.prior, adapted=use.cohort is not None)
    queries = queries.compared(scorer.card.photographs)
    for result in _results(options, criterion, names, queries, gallery, adapter_of(scorer.card, use.cohort)):
        show(result)
    return Outcome(queries.reasons, len(names), gallery.bad, gallery.total, gallery.folder)


def check_outcome(outcome: Outcome, bad_image_limit: BadImageLimit, *, are_shown: bool = False) -> None:
    """Check that all queries were answered, and the number of bad images of the gallery.

    `are_shown`: the user has read the first of these images already.

    Raises:
        InputError: a query can't be used.
        BadImagesError: the gallery has more bad images than the limit.
    """
    bad = outcome.bad_queries
    if bad:
        raise InputError(f"{len(bad):,} of {outcome.queries:,} queries can't be used: {first_few(bad, '; ')}.")
    bad_image_limit.check(
        outcome.bad_works, outcome.works, "The queries were answered without them.", are_shown=are_shown
    )


def query_files(sources: Sequence[str], say: Say) -> list[str]:
    """The files of all queries, each once; those of a folder in the order of their names.

    Raises:
        InputError: a folder without images.
    """
    files: list[str] = []
    for source in sources:
        folder = Path(source)
        if not os.path.isdir(source):  # noqa: PTH112 - Path's raises for a folder without permission
            files.append(source)
            continue
        listing = list_folder(folder)
        for note in listing.notes(folder):
            say(note)
        files += [str(folder / name) for name in listing.names]
    return list({_place(file): file for file in reversed(files)}.values())[::-1]


def _place(file: str) -> str:
    """A path that is the same for `a.jpg` and `b/../a.jpg`. A link is a file of its own."""
    path = Path(file)
    return f"{os.path.realpath(path.parent)}/{path.name}"


def _read_gallery(options: NearestOptions, scorer: Scorer, say: Say, progress: Progress) -> Gallery:
    data_dir = None if options.data_dir is None else Path(options.data_dir)
    done = partial(progress, "collection")
    return read_gallery(Path(options.among), data_dir, scorer, options.reading(say), done, thumbnails=True)


def _results(
    options: NearestOptions,
    criterion: Criterion,
    names: list[str],
    queries: EmbeddedImages,
    gallery: Gallery,
    adapter: Adapter | None,
) -> Iterator[QueryResult]:
    labels = numbered(gallery.artists)
    good = np.flatnonzero(queries.status == 0)
    asked, asked_factor = _adapted(queries.vectors[good], adapter)
    searched, factor = _adapted(gallery.vectors, adapter)
    index = SearchIndex(searched, labels, criterion.distance, factor)
    rows_of: dict[str, list[int]] = {}
    for row, sha256 in enumerate(gallery.sha256s):
        rows_of.setdefault(sha256, []).append(row)
    itself = [rows_of.get(queries.sha256s[position], []) for position in good]
    left_out = [[]] * len(good) if options.with_itself else itself
    found = index.search(asked, options.k, left_out, asked_factor)
    format_result = _ResultFormatter(criterion, gallery, labels, options.k)
    for position, same, result in zip(good.tolist(), itself, found, strict=True):
        unfamiliar = None if queries.unfamiliar is None else bool(queries.unfamiliar[position])
        formatted = format_result(names[position], same, result)
        copies = _copies(queries, position, gallery, result.works.tolist())
        works = [replace(work, copy=is_copy) for work, is_copy in zip(formatted.works, copies, strict=True)]
        yield replace(formatted, works=works, unfamiliar=unfamiliar)


def _copies(queries: EmbeddedImages, position: int, gallery: Gallery, works: list[int]) -> list[bool | None]:
    """Whether each of these works is a photograph of the query's painting; None: its picture is not there."""
    query = queries.thumbnails.get(queries.sha256s[position])
    found = [gallery.thumbnails.get(gallery.sha256s[work]) for work in works]
    return [None if query is None or each is None else is_same_work(query, each) for each in found]


def _adapted(
    vectors: NDArray[np.float32], adapter: Adapter | None
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    return (vectors, None) if adapter is None else adapter.adapt(vectors)


class _ResultFormatter:
    """Turns rows and distances of a search into names, artists and probabilities."""

    def __init__(self, criterion: Criterion, gallery: Gallery, labels: NDArray[np.int64], k: int) -> None:
        self._criterion = criterion
        self._gallery = gallery
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
                NearWork(rank, distance, probability, self._gallery.artists[row], self._gallery.names[row])
                for rank, (row, distance, probability) in enumerate(works, start=1)
            ],
            [
                NearArtist(rank, distance, probability, *self._artists[label])
                for rank, (label, distance, probability) in enumerate(islice(artists, self._k), start=1)
            ],
            [self._gallery.names[row] for row in itself],
            found.unlike,
        )


def _described(gallery: Gallery) -> str:
    known = {artist for artist in gallery.artists if artist is not None}
    by = f" by {counted(len(known), 'artist')}" if known else ""
    without = gallery.artists.count(None)
    by += f", {without:,} without an artist" if known and without else ""
    bad = (
        f"; {len(gallery.bad):,} of {gallery.total:,} can't be used: {first_few(gallery.bad, '; ')}"
        if gallery.bad
        else ""
    )
    return f"searched {counted(len(gallery.names), 'work')}{by}{bad}"
