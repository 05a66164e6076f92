"""Make the report of scored pairs: read the scores, choose what is drawn, embed and decode it, write the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from artsim import images
from artsim.collection.artists import Qualified
from artsim.collection.columns import Columns
from artsim.collection.works import Reading, read_works
from artsim.errors import InputError
from artsim.evaluation.report.choice import Choice, choose
from artsim.evaluation.report.contents import Report
from artsim.evaluation.report.headline import Headline, headline_of
from artsim.evaluation.report.limits import limits_of
from artsim.evaluation.report.map import map_note, map_of
from artsim.evaluation.report.page import render
from artsim.evaluation.report.paintings import Paintings
from artsim.evaluation.report.pictures import make_sheet
from artsim.evaluation.report.rule import ReadRule, read_rule
from artsim.jobs.steps.report_sources import RunFacts, Tower, origin_of, read_facts
from artsim.machine import use_threads
from artsim.messages import Progress, Say, counted, no_progress, say_nothing
from artsim.overwrites import Named, check_overwrites
from artsim.scoring.device import Device
from artsim.scoring.embed_images import EmbeddedImages, embed_named, open_store, store_path
from artsim.scoring.scorer import Scorer, load
from artsim.tables.labels import UNLABELLED
from artsim.tables.output import check_place, open_output
from artsim.tables.pairs_file import image_folder
from artsim.tables.scores_file import ScoredPairs, read_scores
from artsim.towers import BASE


@dataclass(frozen=True)
class ReportOptions:
    """The options of `artsim report`, as its help describes them. Without a model, it is the run's, else artsim's."""

    scores: str
    output: str
    data_dir: str | None = None
    works: str | None = None
    model: str | None = None
    summary: str | None = None
    embeddings: str | None = None
    device: Device = "auto"
    batch_size: int | None = None
    max_pixels: int = images.MAX_PIXELS
    threads: int | None = None
    columns: Columns | None = None
    qualified: Qualified = "drop"
    command: str = ""

    def check_files(self) -> None:
        """Check that the output has a file of its own, at a place that can be written.

        Raises:
            UsageError: the output is an input, a picture or a tower; or the embedding store has another suffix.
            OutputError: see `check_place`.
        """
        inputs: dict[str, Named] = {
            "SCORES": self.scores,
            "--works": self.works,
            "--model": self.model,
            "--summary": self.summary,
            "--embeddings": self.embeddings,
        }
        check_overwrites(inputs, {"--output": self.output})
        check_place(self.output)
        if self.embeddings is not None:
            store_path(self.embeddings)

    def reading(self, say: Say) -> Reading:
        """How the works are read."""
        return Reading(say, self.columns or Columns(), self.qualified)


def make_report(options: ReportOptions, progress: Progress = no_progress, say: Say = say_nothing) -> None:
    """Write the report of a file of scores.

    Raises:
        InputError: the scores, the works or the summary can't be used, or the scores are not by the tower named.
        ModelError, DeviceError: see `load`.
        UsageError, OutputError: see `ReportOptions.check_files`.
    """
    options.check_files()
    use_threads(options.threads)
    facts = None if options.summary is None else read_facts(Path(options.summary))
    pairs = read_scores(options.scores, image_folder(options.scores, options.data_dir))
    model = options.model or (facts.model if facts and Path(facts.model).is_file() else str(BASE))
    scorer = load(model, options.device, batch_size=options.batch_size, max_pixels=options.max_pixels)
    embed = partial(_embed, scorer, options.embeddings, progress)
    tower = Tower(model, scorer.model_sha256, scorer.card, embed)
    write_report(options, pairs, facts, tower, progress, say)


def _embed(scorer: Scorer, store: str | None, progress: Progress, paths: dict[str, Path | None]) -> EmbeddedImages:
    """Embed images; a store is only read."""
    stored = None if store is None else open_store(store_path(store), scorer)
    return embed_named(scorer, paths, stored, progress=progress)


def write_report(
    options: ReportOptions,
    pairs: ScoredPairs,
    facts: RunFacts | None,
    tower: Tower,
    progress: Progress = no_progress,
    say: Say = say_nothing,
) -> None:
    """Write the report of scores that are in memory.

    Raises:
        InputError: see `make_report`.
        OutputError: the output can't be written.
    """
    if facts is not None and facts.pairs != len(pairs):
        raise InputError(
            f"{options.summary or 'the summary'}: it is of a run on {counted(facts.pairs, 'pair')}, but "
            f"{options.scores} has {len(pairs):,}. Name the summary of the same run."
        )
    page = render(_Making(options, pairs, facts, tower, progress, say).report())
    with open_output(options.output) as file:
        file.write(page.encode(errors="backslashreplace"))


@dataclass
class _Making:
    """A report in the making; each step is made once."""

    options: ReportOptions
    read: ScoredPairs
    facts: RunFacts | None
    tower: Tower
    progress: Progress
    say: Say

    @cached_property
    def paintings(self) -> Paintings:
        """The paintings, as the table of works describes them."""
        works = self.options.works
        if works is None:
            return Paintings.of(self.read.names, None)
        paintings = Paintings.of(self.read.names, read_works(works, self.options.reading(self.say)).table)
        if paintings.listed < len(self.read.names):
            self.say(
                f"{works}: {paintings.listed:,} of {counted(len(self.read.names), 'painting')} are in it. Files must "
                "have the same names as in the scores."
            )
        return paintings

    @cached_property
    def pairs(self) -> ScoredPairs:
        """The pairs, labelled by the artists of the works if they have no labels of their own."""
        if self.labels_by_works:
            return self.read.with_labels(self.paintings.labels(self.read))
        return self.read

    @property
    def labels_by_works(self) -> bool:
        """Whether only the works have artists."""
        return bool((self.read.same == UNLABELLED).all()) and bool(self.paintings.artists)

    @cached_property
    def rule(self) -> ReadRule:
        """The rule of the scores.

        Raises:
            InputError: the tower that the user names has another one.
        """
        known = (None, None) if self.facts is None else (self.facts.threshold, self.facts.prior)
        rule = read_rule(self.pairs, self.tower.card, *known)
        if rule.fits is not False:
            return rule
        if self.options.model is not None:
            raise InputError(
                f"{self.options.scores}: its scores are not by the tower {self.options.model}: the probabilities "
                "follow another curve. Name the tower that made them by --model, or leave --model out."
            )
        self.say("The scores are not by the tower that comes with artsim. Name their tower by --model for the map.")
        return replace(read_rule(self.pairs, None, *known), fits=False)

    @property
    def is_by_tower(self) -> bool:
        """Whether the scores are by the tower. Too few scores do not tell; then a tower that is named counts."""
        is_named = self.options.model is not None or self.facts is not None
        return is_named if self.rule.fits is None else self.rule.fits

    @cached_property
    def choice(self) -> Choice:
        """What is drawn."""
        return choose(self.pairs, self.paintings, self.rule.criterion.threshold)

    @cached_property
    def embedded(self) -> EmbeddedImages | None:
        """The drawn paintings, embedded; None if their tower is not known."""
        if not self.is_by_tower:
            return None
        names, paths = self.pairs.names, self.pairs.paths
        chosen = self.choice.pictures.tolist()
        embedded = self.tower.embed({names[number]: Path(paths[number]) for number in chosen})
        return embedded.compared(self.tower.card.photographs)

    def report(self) -> Report:
        """All contents."""
        choice, embedded = self.choice, self.embedded
        labelled = np.flatnonzero(self.pairs.labelled)
        places = None if embedded is None else map_of(embedded.vectors, embedded.status == 0)
        chosen = choice.pictures.tolist()
        paths = [self.pairs.paths[number] for number in chosen]
        sheet = make_sheet(paths, partial(self.progress, "pictures"), self.options.max_pixels)
        missing = sheet.boxes.count(None)
        if missing:
            self.say(f"{missing:,} of {counted(len(paths), 'picture')} can't be read. Name their folder by --data-dir.")
        unfamiliar = None if embedded is None else embedded.unfamiliar
        return Report(
            title=f"Scores of {Path(self.options.scores).name}",
            headlines=self._headlines(),
            sets=[("all labelled pairs", labelled)] if len(np.unique(self.pairs.same[labelled])) == 2 else [],
            pairs=self.pairs,
            paintings=self.paintings,
            criterion=self.rule.criterion,
            choice=choice,
            sheet=sheet,
            map=places,
            map_note=map_note(places, len(self.pairs.names)),
            unfamiliar=unfamiliar,
            origin=self._origin(),
            limits=limits_of(
                self.pairs, self.paintings, self.rule.criterion, unfamiliar, is_prior_known=self.rule.is_prior_known
            ),
        )

    def _origin(self) -> list[tuple[str, str]]:
        tower = self.tower if self.is_by_tower else None
        command = [("Command", self.options.command)] if self.options.command else []
        return [*origin_of(self.options.scores, self.rule, tower, self.facts), ("Labels", self._labels), *command]

    def _headlines(self) -> list[Headline]:
        if not self.pairs.labelled.any():
            return []
        return [headline_of("All labelled pairs", self.pairs, self.rule.criterion)]

    @property
    def _labels(self) -> str:
        """Where the labels are from, and how many of them the works contradict."""
        if self.labels_by_works:
            return f"by the artists of {self.options.works}"
        if not self.pairs.labelled.any():
            return "none"
        by_works = self.paintings.labels(self.pairs)
        wrong = int(np.count_nonzero(self.pairs.labelled & (by_works != UNLABELLED) & (by_works != self.pairs.same)))
        contradicted = f"; the artists of {self.options.works} contradict {wrong:,} of them" if wrong else ""
        return f"the column sameArtist{contradicted}"
