"""Find the nearest works: embed the queries, embed the gallery or read its store, rank works and artists."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from artsim import images
from artsim.bad_images import BadImageLimit
from artsim.collection.artists import Qualified
from artsim.collection.columns import Columns, check_use
from artsim.collection.folders import list_folder
from artsim.collection.works import Reading
from artsim.errors import InputError
from artsim.evaluation.validated import validation_note
from artsim.jobs.steps.cohort import read_cohort, tower_of
from artsim.jobs.steps.gallery import Gallery, read_gallery
from artsim.jobs.steps.ranking import QueryResult, Ranking
from artsim.machine import use_threads
from artsim.messages import Progress, Say, counted, first_few, line_each
from artsim.model_names import load
from artsim.scoring.adaptation import adapter_of
from artsim.scoring.cohort_use import SELF, CohortUse, cohort_of_run
from artsim.scoring.device import Device
from artsim.scoring.embed_images import embed_named
from artsim.scoring.scorer import Scorer
from artsim.scoring.scores import Criterion


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
    needs_query: bool = True  # that no query can be used is an error

    def reading(self, say: Say) -> Reading:
        """How the gallery is read."""
        return Reading(say, self.columns or Columns(), self.qualified)


@dataclass(frozen=True)
class Outcome:
    """The reasons of bad queries and works, a sentence each that begins with the name, and the number of all.

    `folder` has the files of the gallery; None for an embedding store. `validated` says how often the tower's
    validation queries were answered right; "" if its card does not.
    """

    bad_queries: list[str]
    queries: int
    bad_works: list[str]
    works: int
    folder: Path | None
    validated: str = ""


@dataclass(frozen=True)
class OpenedGallery:
    """A gallery ready for queries, with its cohort; `notes` describe both to the user, a line each."""

    gallery: Gallery
    ranking: Ranking
    use: CohortUse
    notes: list[str]


def find_nearest(
    options: NearestOptions,
    say: Say,
    progress: Progress,
    show: Callable[[QueryResult], None],
    tower: Scorer | None = None,
) -> Outcome:
    """Describe the gallery, then show the result of each readable query, in order.

    `tower` is that of the options, if it is open already.

    Raises:
        InputError: no query or no work can be used.
        ModelError, DeviceError, UsageError: see `load` and `Criterion`.
    """
    use_threads(options.threads)
    check_use(options.columns, [options.among, options.cohort])
    names = query_files(options.queries, say)
    scorer = tower or load(options.model, options.device, batch_size=options.batch_size, max_pixels=options.max_pixels)
    named = read_cohort(options.cohort, tower_of(scorer), lambda: scorer, say, progress, options.columns)
    paths = {name: Path(name) for name in names}
    queries = embed_named(scorer, paths, progress=lambda _, *at: progress("queries", *at), thumbnails=True)
    if len(queries.reasons) == len(names):
        if options.needs_query:
            raise InputError(f"no query can be used: {first_few(queries.reasons, '; ')}.")
        return Outcome(queries.reasons, len(names), [], 0, None)
    for line in line_each(queries.reasons):
        say(f"query left out: {line}")
    opened = open_gallery(options, scorer, named, say, progress)
    for note in opened.notes:
        say(note)
    queries = queries.compared(scorer.card.photographs)
    for result in opened.ranking.results(names, queries, options.k, with_itself=options.with_itself):
        show(result)
    gallery, validated = opened.gallery, validation_note(scorer.card.validation)
    return Outcome(queries.reasons, len(names), gallery.bad, gallery.total, gallery.folder, validated)


def open_gallery(
    options: NearestOptions, scorer: Scorer, named: CohortUse | None, say: Say, progress: Progress
) -> OpenedGallery:
    """Read the gallery, or embed it, and prepare its search. The queries of the options are not read.

    Args:
        options: of the command.
        scorer: the opened tower.
        named: the cohort that the user names; None: the gallery.
        say: receives notes about what is passed over in the gallery.
        progress: receives the stage `collection`.

    Raises:
        InputError: no work can be used.
        UsageError: see `Criterion`.
    """
    data_dir = None if options.data_dir is None else Path(options.data_dir)
    done = partial(progress, "collection")
    gallery = read_gallery(Path(options.among), data_dir, scorer, options.reading(say), done, thumbnails=True)
    own, read = options.cohort == SELF, gallery.vectors.__getitem__
    use = cohort_of_run(named, tower_of(scorer), gallery.sha256s, read, "the gallery", chosen=own)
    criterion = Criterion.of(scorer.card, prior=options.prior, adapted=use.cohort is not None)
    notes = [_described(gallery), *(f"  {line}" for line in line_each(gallery.bad))]
    if gallery.names_note:
        notes.append(f"{options.among}: {gallery.names_note}")
    notes.append(f"cohort: {use.note}")
    return OpenedGallery(gallery, Ranking(criterion, gallery, adapter_of(scorer.card, use.cohort)), use, notes)


def check_outcome(outcome: Outcome, bad_image_limit: BadImageLimit, *, are_shown: bool = False) -> None:
    """Check that all queries were answered, and the number of bad images of the gallery.

    `are_shown`: the user has read which images are bad already.

    Raises:
        InputError: a query can't be used.
        BadImagesError: the gallery has more bad images than the limit.
    """
    bad = outcome.bad_queries
    if bad:
        which = "." if are_shown else f": {first_few(bad, '; ')}."
        raise InputError(f"{len(bad):,} of {outcome.queries:,} queries can't be used{which}")
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
    return list({place_of(file): file for file in reversed(files)}.values())[::-1]


def place_of(file: str) -> str:
    """A path that is the same for `a.jpg` and `b/../a.jpg`. A link is a file of its own."""
    path = Path(file)
    return f"{os.path.realpath(path.parent)}/{path.name}"


def _described(gallery: Gallery) -> str:
    known = {artist for artist in gallery.artists if artist is not None}
    by = f" by {counted(len(known), 'artist')}" if known else ""
    without = gallery.artists.count(None)
    by += f", {without:,} without an artist" if known and without else ""
    bad = f"; {len(gallery.bad):,} of {gallery.total:,} can't be used:" if gallery.bad else ""
    return f"searched {counted(len(gallery.names), 'work')}{by}{bad}"
