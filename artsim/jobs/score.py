"""Score a pairs file: read its images, embed them, score and write the pairs, summarize."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass

import numpy as np

from artsim import images
from artsim._version import __version__
from artsim.bad_images import BadImageLimit
from artsim.collection.columns import Columns
from artsim.errors import UsageError
from artsim.evaluation.labelled_pairs import LabelledPairs
from artsim.evaluation.summary import ImageStage, PairStage, Summary, summarize, write_summary
from artsim.jobs.steps.best_rows import BestRows, SortName, best_rows, check_sortable
from artsim.jobs.steps.cohort import read_cohort, tower_of
from artsim.jobs.steps.pair_images import PairImages
from artsim.jobs.steps.pair_works import texts_of_works
from artsim.machine import core_count, use_threads
from artsim.messages import Progress, Say, no_progress, say_nothing
from artsim.model_names import load
from artsim.overwrites import Named, check_overwrites
from artsim.prefetch import prefetch_map
from artsim.scoring.adaptation import adapter_of, photograph_rule
from artsim.scoring.cohort import Cohort
from artsim.scoring.cohort_use import NONE, SELF, cohort_of_run
from artsim.scoring.contract import Card
from artsim.scoring.device import Device
from artsim.scoring.embed_images import EmbeddedImages, store_path
from artsim.scoring.score_blocks import BlockScorer, ScoredBlock
from artsim.scoring.scorer import Scorer
from artsim.scoring.scores import Criterion
from artsim.scoring.work_columns import WorkTexts
from artsim.tables.bounds import BLOCK_BYTES
from artsim.tables.formats import Bytes, Format, make_format
from artsim.tables.image_index import ImageIndex, index_images
from artsim.tables.output import FormatName, check_place, format_of
from artsim.tables.pairs_file import (
    EVIDENCE_COLUMN,
    SAME_WORK_COLUMN,
    UNFAMILIAR_COLUMN,
    WORK_COLUMNS,
    Block,
    PairsFile,
    image_folder,
    open_pairs,
)
from artsim.tables.resume import RowSink, open_sink

MAX_PREFETCH = 8  # blocks, each of some tens of megabytes while it is scored


@dataclass(frozen=True)
class ScoreOptions:
    """The options of `artsim-score`, as its help describes them."""

    model: str
    pairs: str
    output: str = "-"
    format: FormatName | None = None
    embeddings: str | None = None
    data_dir: str | None = None
    device: Device = "auto"
    threshold: float | None = None
    prior: float | None = None
    batch_size: int | None = None
    max_pixels: int = images.MAX_PIXELS
    threads: int | None = None
    summary: str | None = None
    cohort: str | None = None
    evidence: bool = False
    unfamiliar: bool = False
    columns: Columns | None = None
    same_work: bool = False
    report: str | None = None
    works: str | None = None
    top: int | None = None
    sort: SortName | None = None

    @property
    def optional_columns(self) -> tuple[str, ...]:
        """The columns after the status that the user asks for."""
        asked = {EVIDENCE_COLUMN: self.evidence, UNFAMILIAR_COLUMN: self.unfamiliar, SAME_WORK_COLUMN: self.same_work}
        return tuple(name for name, is_asked in asked.items() if is_asked) + (WORK_COLUMNS if self.works else ())

    @property
    def is_sorted(self) -> bool:
        """Whether the order of the rows is that of the scores."""
        return self.top is not None or self.sort is not None

    def check_files(self) -> None:
        """Check, before anything is opened, that every output has a file of its own.

        Raises:
            UsageError: an output is an input, another output, a picture or a tower.
        """
        # The cohort may be the store: that gets rows, and keeps its own.
        cohort = None if self.cohort in (SELF, NONE) else self.cohort
        read: dict[str, Named] = {"PAIRS.CSV": self.pairs, "--model": self.model, "--works": self.works}
        outputs: dict[str, Named] = {"--output": self.output, "--summary": self.summary, "--report": self.report}
        check_overwrites(read, {"--embeddings": self.embeddings})
        check_overwrites({**read, "--embeddings": self.embeddings, "--cohort": cohort}, outputs)

    def check_card(self, card: Card) -> None:
        """Check, before the images are read, that a tower can do what the options ask for.

        Raises:
            UsageError: the threshold or the prior is wrong.
            ModelError: unfamiliar photographs are asked for, and the tower cannot tell them.
        """
        Criterion.of(card, self.threshold, self.prior)
        if self.unfamiliar:
            photograph_rule(card, self.model)


def score_pairs(
    options: ScoreOptions,
    progress: Progress = no_progress,
    say: Say = say_nothing,
    *,
    block_bytes: int = BLOCK_BYTES,
    keep: Callable[[Scorer, ImageIndex, EmbeddedImages], None] | None = None,
) -> Summary:
    """Score every row of a pairs file and write all rows, also those with bad images.

    Args:
        options: of the command.
        progress: receives the stages `images` and `pairs`.
        say: receives notes about how the pairs and the cohort are read.
        block_bytes: of the pairs file, read and scored at once.
        keep: receives the embeddings, as the tower gave them, before a cohort changes them.

    Raises:
        ArtsimError: all but BadImagesError, see `check_bad_images`. No incomplete output is left.
    """
    started = time.perf_counter()
    use_threads(options.threads)
    _check_outputs(options)
    optional = options.optional_columns
    with open_pairs(options.pairs, block_bytes, optional) as pairs, open_sink(options.output, say) as sink:
        row_format = make_format(options.output, options.format, pairs.schema, optional)
        found = _find_images(options, pairs, sink, say)
        index = found.index
        works = None if options.works is None else texts_of_works(options.works, options.columns, index.images, say)
        scorer = load(options.model, options.device, batch_size=options.batch_size, max_pixels=options.max_pixels)
        options.check_card(scorer.card)
        tower = tower_of(scorer)
        named = read_cohort(options.cohort, tower, lambda: scorer, say, progress, options.columns)
        embedded, image_stage = _embed(found, scorer, progress, say, thumbnails=options.same_work)
        if keep is not None:
            keep(scorer, index, embedded)
        use = cohort_of_run(
            named, tower, embedded.sha256s, embedded.vectors.__getitem__, "the pairs", chosen=options.cohort == SELF
        )
        embedded = embedded.adapted(adapter_of(scorer.card, use.cohort))
        criterion = Criterion.of(scorer.card, options.threshold, options.prior, adapted=use.cohort is not None)
        fingerprint = output_fingerprint(options, pairs, criterion, embedded, use.cohort, works)
        finished_blocks = sink.begin(row_format, fingerprint)
        score_block = BlockScorer(pairs, index, embedded, criterion, optional, works)
        best = best_rows(options.sort, options.top, criterion) if options.is_sorted else None
        pair_stage = _write_scores(score_block, sink, row_format, finished_blocks, progress, best)
    summary = summarize(options.model, scorer.card, criterion, use, image_stage, pair_stage, started)
    write_summary(summary, options.summary)
    return summary


def check_bad_images(summary: Summary, bad_image_limit: BadImageLimit, *, are_shown: bool = False) -> None:
    """Check the number of bad images of a finished run; `are_shown`: the user has read the summary.

    Raises:
        BadImagesError: it is above the limit.
    """
    outcome = "All rows were written; pairs of bad images have no scores."
    bad_image_limit.check(summary.bad_images, summary.images, outcome, are_shown=are_shown)


def _check_outputs(options: ScoreOptions) -> None:
    """Check, before anything is opened, the names, the places and the format of all outputs."""
    _check_format(options)
    options.check_files()
    if options.summary is not None:
        check_place(options.summary)
    if options.embeddings is not None:
        store_path(options.embeddings)


def _check_format(options: ScoreOptions) -> None:
    """Check the format of the output, and that it can have the columns."""
    if format_of(options.output, options.format)[0] != "kaggle":
        return
    names = ("evidence", "unfamiliar", "same_work", "works", "top", "sort")
    asked = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name)]
    if asked:
        raise UsageError(
            f"--format kaggle has the columns index and sameArtist of every pair. Leave out {' and '.join(asked)}."
        )


def _find_images(options: ScoreOptions, pairs: PairsFile, sink: RowSink, say: Say) -> PairImages:
    """Read the names of all images, and check what can be checked before a tower is opened."""
    folder = image_folder(options.pairs, options.data_dir)
    index = index_images(pairs, folder)
    if pairs.note:
        say(pairs.note)
    store = None if options.embeddings is None else store_path(options.embeddings)
    found = PairImages(pairs.name, folder, index, store, sink.embeddings)
    found.check()
    if options.is_sorted:
        check_sortable(pairs.name, index.rows, options.top)
    return found


def _embed(
    found: PairImages, scorer: Scorer, progress: Progress, say: Say, *, thumbnails: bool
) -> tuple[EmbeddedImages, ImageStage]:
    """Embed the images, tell the unfamiliar ones, and measure the time."""
    started = time.perf_counter()
    embedded = found.embed(scorer, progress, say, thumbnails=thumbnails).compared(scorer.card.photographs)
    seconds = time.perf_counter() - started
    unfamiliar = None if embedded.unfamiliar is None else int(np.count_nonzero(embedded.unfamiliar))
    counts = len(embedded.status), embedded.reasons, seconds, unfamiliar
    return embedded, ImageStage(scorer.provider, scorer.tower.note, *counts, found.index.lookup.note)


def output_fingerprint(
    options: ScoreOptions,
    pairs: PairsFile,
    criterion: Criterion,
    embedded: EmbeddedImages,
    cohort: Cohort | None = None,
    works: WorkTexts | None = None,
) -> str:
    """A digest of everything that decides the rows. If it changes, unfinished outputs start again."""
    settings = [__version__, pairs.identity(), format_of(options.output, options.format), astuple(criterion)]
    settings += options.optional_columns
    if options.is_sorted:
        settings += (f"top {options.top}, sort {options.sort}",)
    digest = hashlib.sha256(json.dumps(settings).encode())
    digest.update(embedded.vectors.tobytes())
    digest.update(embedded.status.tobytes())
    if embedded.factor is not None:
        digest.update(embedded.factor.tobytes())
    if options.unfamiliar and embedded.unfamiliar is not None:
        digest.update(embedded.unfamiliar.tobytes())
    if works is not None:
        digest.update(json.dumps([works.artists, works.styles]).encode())
    if cohort is not None:
        digest.update(cohort.sha256.encode())
    return digest.hexdigest()


def _write_scores(
    score_block: BlockScorer,
    sink: RowSink,
    row_format: Format,
    finished_blocks: int,
    progress: Progress,
    best: BestRows | None = None,
) -> PairStage:
    """Read the pairs again, score them, and write the blocks that are not finished yet, or at the end the best rows.

    Raises:
        InputError: the pairs file has changed since its images were read.
    """
    started = time.perf_counter()
    pairs, total = score_block.pairs, score_block.index.rows
    stage = PairStage(LabelledPairs(score_block.index.labelled))

    def score_and_encode(numbered: tuple[int, Block]) -> tuple[ScoredBlock, Bytes | None]:
        number, block = numbered
        scored = score_block(block)  # finished blocks too, for the metrics
        is_written = best is None and number >= finished_blocks
        return scored, row_format.encode(scored.table()) if is_written else None

    depth = min(core_count() + 1, MAX_PREFETCH)
    for scored, data in prefetch_map(score_and_encode, enumerate(pairs.blocks()), depth):
        stage.add(scored)
        if stage.pairs > total:
            raise pairs.changed()
        if best is not None:
            best.add(scored)
        elif data is None:
            stage.resumed = stage.pairs
        else:
            sink.append(data)
        progress("pairs", stage.pairs, total)
    if stage.pairs < total:
        raise pairs.changed()
    if best is not None and (table := best.table()) is not None:
        stage.written = table.num_rows
        if not finished_blocks:
            sink.append(row_format.encode(table))
    sink.finish()
    stage.seconds = time.perf_counter() - started
    return stage
