"""`artsim pair`: score two images, and say what to make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np

from artsim import images
from artsim.collection.columns import Columns
from artsim.errors import InputError, UsageError
from artsim.jobs.steps.cohort import read_cohort, tower_of
from artsim.machine import use_threads
from artsim.messages import Progress, Say, no_progress, quoted, say_nothing
from artsim.model_names import load
from artsim.scoring.adaptation import adapter_of
from artsim.scoring.cohort_use import NONE, SELF, CohortUse
from artsim.scoring.device import Device
from artsim.scoring.embed_images import EmbeddedImages, embed_named
from artsim.scoring.same_work import is_same_work
from artsim.scoring.scorer import Scorer
from artsim.scoring.scores import Criterion

# The least base-10 logarithm of a likelihood ratio for each of the words of the ENFSI guideline (docs/scoring.md).
SUPPORT = (
    (0.3, "weakly"), (1.0, "moderately"), (2.0, "moderately strongly"), (3.0, "strongly"), (4.0, "very strongly"),
    (6.0, "extremely strongly"),
)  # fmt: skip
OPINION = "A score is a statistical opinion about style. It is not evidence of authorship."


@dataclass(frozen=True)
class PairOptions:
    """The options of `artsim pair`, as its help describes them."""

    image1: str
    image2: str
    model: str
    device: Device = "auto"
    batch_size: int | None = None
    threads: int | None = None
    prior: float | None = None
    cohort: str = NONE
    columns: Columns | None = None
    max_pixels: int = images.MAX_PIXELS


@dataclass(frozen=True)
class PairAnswer:
    """The score of two images, and what else is known of them. `unfamiliar` has the names of unfamiliar images."""

    options: PairOptions
    distance: float
    threshold: float
    probability: float
    prior: float
    log10_lr: float
    unfamiliar: tuple[str, ...]
    is_same_work: bool
    cohort_note: str

    def lines(self) -> list[str]:
        """The answer as text, the conclusion first."""
        return [self.conclusion(), *(f"  {name:<11}  {text}" for name, text in self.rows()), OPINION]

    def rows(self) -> list[tuple[str, str]]:
        """What the conclusion rests on, and notes: a name and a text each."""
        side = "below" if self.distance < self.threshold else "not below"
        return [
            ("probability", f"{self.probability:.2f}, if {self.prior:.0%} of such pairs are by one artist"),
            ("distance", f"{self.distance:.3f}, {side} the threshold {self.threshold:.3f}"),
            ("cohort", self.cohort_note),
            *(("note", note) for note in self._notes()),
        ]

    def conclusion(self) -> str:
        """What to make of the score, in a sentence or two."""
        if self.is_same_work:
            return "Both images show the same painting. Their score says nothing about the artist."
        words = [word for least, word in SUPPORT if abs(self.log10_lr) >= least]
        if not words:
            return "The paintings speak neither for one artist nor for two."
        return f"The paintings speak {words[-1]} for {'one artist' if self.log10_lr > 0 else 'two artists'}."

    def _notes(self) -> list[str]:
        if not self.unfamiliar:
            return []
        names = " and ".join(quoted(name) for name in self.unfamiliar)
        are, them = ("is", "it") if len(self.unfamiliar) == 1 else ("are", "them")
        note = f"{names} {are} different from the training photographs. Trust the score less"
        return [f"{note}." if self.options.cohort != NONE else f"{note}, or name works like {them} by --cohort."]


def score_pair(options: PairOptions, progress: Progress = no_progress, say: Say = say_nothing) -> PairAnswer:
    """Score two images.

    Raises:
        InputError: an image cannot be used.
        ModelError, DeviceError, UsageError: see `load`, `Criterion` and `read_cohort`.
    """
    if options.cohort == SELF:
        raise UsageError("--cohort self: two images are no cohort. Name a folder of works photographed like them.")
    use_threads(options.threads)
    scorer = load(options.model, options.device, batch_size=options.batch_size, max_pixels=options.max_pixels)
    Criterion.of(scorer.card, prior=options.prior)  # raises before images are read
    named = read_cohort(options.cohort, tower_of(scorer), lambda: scorer, say, progress, options.columns)
    names = dict.fromkeys([options.image1, options.image2])
    return answer_pair(options, scorer, named, {name: Path(name) for name in names})


def answer_pair(options: PairOptions, scorer: Scorer, named: CohortUse | None, paths: Mapping[str, Path]) -> PairAnswer:
    """Score two images with an opened tower. Several threads may use one.

    Args:
        options: of the command.
        scorer: the opened tower.
        named: the cohort; None: no one adapts distances.
        paths: the files of `image1` and `image2`.

    Raises:
        InputError: an image cannot be used.
        ModelError, DeviceError, UsageError: see `Tower` and `Criterion`.
    """
    names = list(paths)
    embedded = embed_named(scorer, paths, thumbnails=True)
    if embedded.reasons:
        raise InputError(f"{'; '.join(embedded.reasons)}. Name two images that artsim can read.")
    embedded = embedded.compared(scorer.card.photographs)
    cohort = None if named is None else named.cohort
    adapted = embedded.adapted(adapter_of(scorer.card, cohort))
    criterion = Criterion.of(scorer.card, prior=options.prior, adapted=cohort is not None)
    rows = [np.array([names.index(name)]) for name in (options.image1, options.image2)]
    score = criterion.scores(adapted.vectors, rows[0], rows[1], adapted.factor)
    return PairAnswer(
        options,
        score.distance.item(),
        criterion.threshold,
        score.probability.item(),
        criterion.prior,
        criterion.log10_lr(score.distance).item(),
        () if embedded.unfamiliar is None else tuple(compress(names, embedded.unfamiliar)),
        _show_one_painting(embedded),
        "none: the score depends on these two images only" if named is None or cohort is None else named.note,
    )


def _show_one_painting(embedded: EmbeddedImages) -> bool:
    first, *others = [embedded.thumbnails[sha256] for sha256 in embedded.sha256s]
    return not others or len(set(embedded.sha256s)) == 1 or is_same_work(first, others[0])
