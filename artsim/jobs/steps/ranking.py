"""A gallery ready for queries: the nearest works and artists of each, with their names and probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from artsim.collection.works import numbered
from artsim.jobs.steps.gallery import Gallery
from artsim.messages import first_few
from artsim.scoring.adaptation import Adapter
from artsim.scoring.embed_images import EmbeddedImages
from artsim.scoring.same_work import is_same_work
from artsim.scoring.scores import Criterion
from artsim.scoring.search import SearchIndex, SearchResult, artist_shares


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

    `share` assumes that the query is by an artist of the gallery: the shares of all artists sum to 1. `distance` is
    the mean over the artist's nearest works; `works` is the number of all their works.
    """

    rank: int
    distance: np.float32
    share: np.float32
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


def remarks(result: QueryResult) -> list[str]:
    """Remarks about a query: its copies in the gallery, whether it is an outlier, and whether it is unfamiliar."""
    found = []
    if result.itself:
        ranked = any(work.image in result.itself for work in result.works)
        found.append(f"is in the gallery{'' if ranked else ' and left out'}: {first_few(result.itself)}")
    copies = [work.image for work in result.works if work.copy]
    if copies:
        found.append(f"photographs of the same painting, which say nothing about its artist: {first_few(copies)}")
    if result.unlike:
        found.append("unlike: farther from its nearest work than 99 % of the gallery's works are from theirs")
    if result.unfamiliar:
        found.append("unfamiliar: different from the training photographs")
    return found


class Ranking:
    """A gallery with its search index. Several threads may use it."""

    def __init__(self, criterion: Criterion, gallery: Gallery, adapter: Adapter | None) -> None:
        """Prepare the search; `adapter` adapts the embeddings of the gallery and of the queries, None: no one does."""
        self._criterion = criterion
        self._gallery = gallery
        self._adapter = adapter
        labels = numbered(gallery.artists)
        vectors, factor = self._adapted(gallery.vectors)
        self._index = SearchIndex(vectors, labels, criterion.distance, factor)
        self._rows_of: dict[str, list[int]] = {}
        for row, sha256 in enumerate(gallery.sha256s):
            self._rows_of.setdefault(sha256, []).append(row)
        _, first, works = np.unique(labels[labels >= 0], return_index=True, return_counts=True)
        known = [artist for artist in gallery.artists if artist is not None]
        self._artists = [(known[row], count) for row, count in zip(first.tolist(), works.tolist(), strict=True)]

    def results(
        self, names: Sequence[str], queries: EmbeddedImages, k: int, *, with_itself: bool = False
    ) -> Iterator[QueryResult]:
        """The result of each readable query, in order.

        Args:
            names: of the queries.
            queries: their embeddings, compared with the training photographs and not adapted.
            k: the number of works, and of artists, to list.
            with_itself: also rank works with the same content as the query.
        """
        good = np.flatnonzero(queries.status == 0)
        asked, factor = self._adapted(queries.vectors[good])
        itself = [self._rows_of.get(queries.sha256s[position], []) for position in good]
        found = self._index.search(asked, k, [[]] * len(good) if with_itself else itself, factor)
        for position, same, result in zip(good.tolist(), itself, found, strict=True):
            copies = self._copies(queries, position, result.works.tolist())
            works = [replace(work, copy=copy) for work, copy in zip(self._works(result), copies, strict=True)]
            unfamiliar = None if queries.unfamiliar is None else bool(queries.unfamiliar[position])
            names_of_itself = [self._gallery.names[row] for row in same]
            artists = self._ranked_artists(result, k)
            yield QueryResult(names[position], works, artists, names_of_itself, result.unlike, unfamiliar)

    def _adapted(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        return (vectors, None) if self._adapter is None else self._adapter.adapt(vectors)

    def _copies(self, queries: EmbeddedImages, position: int, works: list[int]) -> list[bool | None]:
        """Whether each of these works is a photograph of the query's painting; None: its picture is not there."""
        query = queries.thumbnails.get(queries.sha256s[position])
        found = [self._gallery.thumbnails.get(self._gallery.sha256s[work]) for work in works]
        return [None if query is None or each is None else is_same_work(query, each) for each in found]

    def _works(self, found: SearchResult) -> list[NearWork]:
        works = zip(found.works.tolist(), found.distance, self._criterion.probability(found.distance), strict=True)
        return [
            NearWork(rank, distance, probability, self._gallery.artists[row], self._gallery.names[row])
            for rank, (row, distance, probability) in enumerate(works, start=1)
        ]

    def _ranked_artists(self, found: SearchResult, k: int) -> list[NearArtist]:
        shares = artist_shares(found.artist_distance, self._criterion.calibration)
        artists = zip(found.artists.tolist(), found.artist_distance, shares, strict=True)
        return [
            NearArtist(rank, distance, share, *self._artists[label])
            for rank, (label, distance, share) in enumerate(islice(artists, k), start=1)
        ]
