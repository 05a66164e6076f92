"""What the page of `artsim ui` answers: the score of two pictures, and the nearest works of one.

The tower, the cohort and the gallery are opened once. The answers are those of `artsim pair` and `artsim nearest`, by
the same functions. Several threads may ask.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from artsim import images
from artsim.collection.artists import Qualified
from artsim.collection.columns import Columns, check_use
from artsim.decoders import DECODERS
from artsim.errors import InputError, UsageError
from artsim.evaluation.report.pictures import without_bars
from artsim.evaluation.validated import validation_note
from artsim.image_names import ImageNames
from artsim.jobs.nearest import NearestOptions, OpenedGallery, open_gallery
from artsim.jobs.pair import PairAnswer, PairOptions, answer_pair
from artsim.jobs.steps.cohort import read_cohort, tower_of
from artsim.jobs.steps.ranking import QueryResult
from artsim.machine import use_threads
from artsim.messages import Progress, Say
from artsim.model_names import load
from artsim.scoring.cohort_use import NONE, SELF, CohortUse, no_cohort
from artsim.scoring.contract import Card
from artsim.scoring.device import Device
from artsim.scoring.embed_images import embed_named
from artsim.scoring.scorer import Scorer
from artsim.scoring.scores import Criterion

PICTURE_SIDE = 448  # pixels of a gallery's picture: sharp also where a page's pixel is two of the screen
PICTURE_QUALITY = 82  # of WebP


@dataclass(frozen=True)
class UiOptions:
    """The options of `artsim ui` that decide its answers, as its help describes them."""

    model: str
    among: str | None = None
    k: int = 10
    data_dir: str | None = None
    columns: Columns | None = None
    qualified: Qualified = "drop"
    cohort: str | None = None
    prior: float | None = None
    device: Device = "auto"
    batch_size: int | None = None
    threads: int | None = None
    max_pixels: int = images.MAX_PIXELS

    def pair_options(self, image1: str, image2: str) -> PairOptions:
        """The options of `artsim pair` for two pictures."""
        return PairOptions(image1, image2, self.model, prior=self.prior, cohort=self.cohort or NONE)

    def nearest_options(self, among: str) -> NearestOptions:
        """The options of `artsim nearest`."""
        return NearestOptions(
            [], among, self.model, self.k, self.data_dir, prior=self.prior, max_pixels=self.max_pixels,
            cohort=self.cohort, columns=self.columns, qualified=self.qualified,
        )  # fmt: skip


@dataclass(frozen=True)
class UiGallery:
    """The gallery of the page. Its pictures have numbers; a gallery from an embedding store has no pictures."""

    opened: OpenedGallery
    paths: list[Path | None]  # of the pictures, by number
    numbers: Mapping[str, int]  # by the name of the work
    validated: str  # how often the tower's validation queries were answered right; "" if its card does not say

    @classmethod
    def of(cls, opened: OpenedGallery, card: Card) -> UiGallery:
        """Find the files of all works."""
        names, folder = opened.gallery.names, opened.gallery.folder
        found = {} if folder is None else ImageNames(folder).paths(names)
        numbers = {name: number for number, name in enumerate(found)}
        return cls(opened, list(found.values()), numbers, validation_note(card.validation))

    def path(self, number: int) -> Path | None:
        """The file of the picture with a number; None: there is none."""
        return self.paths[number] if 0 <= number < len(self.paths) else None


class Ui:
    """An opened tower with its cohort and its gallery."""

    def __init__(self, options: UiOptions, scorer: Scorer, named: CohortUse | None, gallery: UiGallery | None) -> None:
        self.options = options
        self.gallery = gallery
        self._scorer = scorer
        self._named = named

    def pair(self, paths: Mapping[str, Path]) -> PairAnswer:
        """Score two pictures, given as two names with their files.

        Raises:
            InputError: a picture cannot be used.
            ModelError, DeviceError: see `Tower`.
        """
        first, second = paths
        return answer_pair(self.options.pair_options(first, second), self._scorer, self._named, paths)

    def nearest(self, name: str, path: Path) -> QueryResult:
        """Find the works of the gallery that are nearest to one picture.

        Raises:
            InputError: the picture cannot be used, or there is no gallery.
            ModelError, DeviceError: see `Tower`.
        """
        if self.gallery is None:
            raise InputError("there is no gallery to search. Start artsim ui with --among.")
        query = embed_named(self._scorer, {name: path}, thumbnails=True)
        if query.reasons:
            raise InputError(f"{query.reasons[0]}. Name another picture.")
        query = query.compared(self._scorer.card.photographs)
        (result,) = self.gallery.opened.ranking.results([name], query, self.options.k)
        return result

    def picture(self, number: int) -> bytes | None:
        """A picture of the gallery as a small WebP; None: there is none.

        Raises:
            ImageError: the file cannot be read any more.
        """
        path = None if self.gallery is None else self.gallery.path(number)
        if path is None:
            return None
        square = DECODERS.load(path, PICTURE_SIDE, max_pixels=self.options.max_pixels)
        left, top, width, height = without_bars(square)
        file = io.BytesIO()
        picture = Image.fromarray(square).crop((left, top, left + width, top + height))
        picture.save(file, "WEBP", quality=PICTURE_QUALITY, method=2)
        return file.getvalue()


def open_ui(options: UiOptions, say: Say, progress: Progress) -> Ui:
    """Open the tower, the cohort and the gallery.

    Raises:
        UsageError: see `Criterion`; a flag needs a gallery or a cohort that is not named.
        InputError: the cohort or the gallery cannot be used.
        ModelError, DeviceError: see `load`.
    """
    if options.cohort == SELF and options.among is None:
        raise UsageError("--cohort self means the works of the gallery. Add --among, or name a folder of works.")
    check_use(options.columns, [options.among, options.cohort])
    use_threads(options.threads)
    scorer = load(options.model, options.device, batch_size=options.batch_size, max_pixels=options.max_pixels)
    Criterion.of(scorer.card, prior=options.prior)  # raises before images are read
    named = read_cohort(options.cohort, tower_of(scorer), lambda: scorer, say, progress, options.columns)
    gallery = None
    if options.among is not None:
        opened = open_gallery(options.nearest_options(options.among), scorer, named, say, progress)
        gallery = UiGallery.of(opened, scorer.card)
        for note in gallery.opened.notes:
            say(note)
    if options.cohort is None:
        named = no_cohort(scorer.card)  # of pairs, as by `artsim pair`
    elif named is None and gallery is not None:
        named = gallery.opened.use
    return Ui(options, scorer, named, gallery)
