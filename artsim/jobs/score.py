"""Score a file of pairs: which images, their embeddings, then distances and scores, row by row."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from contextlib import nullcontext
from dataclasses import astuple, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from artsim import images
from artsim._version import __version__
from artsim.bad_images import BadImageLimit
from artsim.errors import InputError
from artsim.evaluation.labelled_pairs import LabelledPairs
from artsim.evaluation.summary import Summary
from artsim.locking import only_one
from artsim.messages import Progress
from artsim.prefetch import core_count, prefetch_map
from artsim.scoring.device import Device
from artsim.scoring.embed_images import STATUSES, EmbeddedImages, embed_files, open_store, store_path
from artsim.scoring.embedding_store import EmbeddingStore
from artsim.scoring.scorer import Scorer, load
from artsim.scoring.scores import Criterion, Scores
from artsim.tables.arrow import of_numbers, of_texts
from artsim.tables.formats import Format, with_scores
from artsim.tables.image_index import ImageIndex, index_images
from artsim.tables.output import FormatName, check_place, format_of, make_format, open_output
from artsim.tables.pairs_file import Block, PairsFile, folder_of, open_pairs
from artsim.tables.resume import RowSink, open_sink

MOST_AHEAD = 8  # blocks, each of some tens of megabytes while it is scored


@dataclass(frozen=True)
class ScoreOptions:
    """What `artsim-score` was told; its flags say what each is."""

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
    summary: str | None = None


def score_pairs(options: ScoreOptions, progress: Progress | None = None) -> Summary:
    """Score every row of a pairs file; all of it is written, whatever images were bad.

    Raises:
        ArtsimError: any but BadImagesError, see `check_bad_images`; then no output is left half-written.
    """
    started = time.perf_counter()
    format_of(options.output, options.format)
    if options.summary is not None:
        check_place(options.summary)
    if options.embeddings is not None:
        store_path(options.embeddings)
    with open_pairs(options.pairs) as pairs, open_sink(options.output) as rows:
        row_format = make_format(options.output, options.format, pairs.schema)
        folder = folder_of(options.pairs) if options.data_dir is None else Path(options.data_dir)
        index = index_images(pairs, folder)
        scorer = load(options.model, options.device, batch_size=options.batch_size, max_pixels=options.max_pixels)
        criterion = Criterion.of(scorer.card, options.threshold, options.prior)
        opened = time.perf_counter()
        images_embedded = embed_listed(scorer, index, folder, options.embeddings, rows.embeddings, progress)
        embedded = time.perf_counter()
        done = rows.begin(row_format, _fingerprint(options, pairs, criterion, images_embedded))
        tally = score_rows(PairsToScore(pairs, index, images_embedded, criterion), rows, row_format, done, progress)
        rows.finish()
    times = _Times(started, embedded - opened, time.perf_counter() - embedded)
    summary = _summary(options.model, scorer, criterion, images_embedded, tally, times)
    if options.summary is not None:
        with open_output(options.summary) as file:
            file.write(summary.to_json().encode(errors="backslashreplace"))
    return summary


def check_bad_images(summary: Summary, bad_image_limit: BadImageLimit) -> None:
    """Hold a finished run to what was allowed.

    Raises:
        BadImagesError: more images were bad.
    """
    bad_image_limit.check(summary.bad_images, summary.images, "Everything was written; their pairs have no scores.")


def embed_listed(
    scorer: Scorer,
    index: ImageIndex,
    folder: Path,
    embeddings: str | None,
    unfinished: Path | None,
    progress: Progress | None,
) -> EmbeddedImages:
    """Embed the images of a index, but for those that are kept, in a file of the user's or of a run cut off."""
    if embeddings is None:
        kept = _left_over(unfinished, scorer)
        return embed_files(scorer, index.images, folder, kept, unfinished, progress)
    path = store_path(embeddings)
    # Where nothing can be written, everything may be there already.
    with only_one(path) if os.access(path.parent, os.W_OK) else nullcontext():
        return embed_files(scorer, index.images, folder, open_store(path, scorer), path, progress)


def _left_over(unfinished: Path | None, scorer: Scorer) -> EmbeddingStore | None:
    """What a run that was cut off has embedded, if it is of the same model."""
    try:
        return None if unfinished is None else open_store(unfinished, scorer)
    except InputError:
        return None


@dataclass(frozen=True)
class PairsToScore:
    """Pairs with all that their scores come from."""

    pairs: PairsFile
    index: ImageIndex
    embedded: EmbeddedImages
    criterion: Criterion

    def score(self, block: Block) -> ScoredBlock:
        """Look a block's images up and score it.

        Raises:
            InputError: an image that was not listed: the file is not what it was then.
        """
        first, second = self.index.find(block.image1), self.index.find(block.image2)
        if first is None or second is None:
            raise self.pairs.changed()
        status1, status2 = self.embedded.status[first], self.embedded.status[second]
        good = (status1 == 0) & (status2 == 0)
        return ScoredBlock(
            block, first, second, good, self.criterion.scores(self.embedded.vectors, first, second), status1, status2
        )


@dataclass(frozen=True)
class ScoredBlock:
    """A block with the rows of its images, (B,) each, and its scores, which count where `good` says so."""

    block: Block
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    good: NDArray[np.bool_]
    scores: Scores
    status1: NDArray[np.uint8]
    status2: NDArray[np.uint8]

    def table(self) -> Any:
        """The record batch that is written."""
        status = _STATUSES.take(of_numbers(self.status1.astype(np.int64) * len(STATUSES) + self.status2))
        table = self.block.table
        columns = [*table.columns, *(of_numbers(column, self.good) for column in self.scores), status]
        return pa.record_batch(columns, schema=with_scores(table.schema))


@dataclass
class Tally:
    """What was counted while rows were written.

    `labelled` has the pairs with both a label and scores; `taken_over` rows an earlier run, cut off, had written.
    """

    labelled: LabelledPairs
    rows: int = 0
    taken_over: int = 0
    unscored: int = 0

    def add(self, scored: ScoredBlock) -> None:
        """Count a block."""
        good = scored.good
        self.rows += len(good)
        self.unscored += int(np.count_nonzero(~good))
        if scored.block.same is not None:
            same = scored.block.same[good]
            self.labelled.add(scored.scores.distance[good], same, scored.first[good], scored.second[good])


def score_rows(
    to_score: PairsToScore, rows: RowSink, row_format: Format, done: int, progress: Progress | None
) -> Tally:
    """Read the pairs again and write each row with its scores, but for the blocks that are done.

    Raises:
        InputError: the file is not what it was when its images were listed.
    """
    pairs, index = to_score.pairs, to_score.index
    tally = Tally(LabelledPairs(index.rows if pairs.labelled else 0))

    def work(numbered: tuple[int, Block]) -> tuple[ScoredBlock, Any]:
        number, block = numbered
        scored = to_score.score(block)  # those that are done, too: for the figures
        return scored, row_format.encode(scored.table()) if number >= done else None

    for scored, data in prefetch_map(work, enumerate(pairs.blocks()), depth=min(core_count() + 1, MOST_AHEAD)):
        tally.add(scored)
        if tally.rows > index.rows:
            raise pairs.changed()
        if data is None:
            tally.taken_over = tally.rows
        else:
            rows.append(data)
        if progress is not None:
            progress("pairs", tally.rows, index.rows)
    if tally.rows < index.rows:
        raise pairs.changed()
    return tally


def _status(one: int, two: int) -> str:
    words = (("image1", STATUSES[one]), ("image2", STATUSES[two]))
    return "; ".join(f"{image}: {word}" for image, word in words if word != "ok") or "ok"


_STATUSES = of_texts([_status(one, two) for one, two in product(range(len(STATUSES)), repeat=2)])


def _fingerprint(options: ScoreOptions, pairs: PairsFile, criterion: Criterion, embedded: EmbeddedImages) -> str:
    """A digest of everything that decides the rows that are written."""
    settings = [__version__, pairs.identity(), format_of(options.output, options.format), astuple(criterion)]
    digest = hashlib.sha256(json.dumps(settings).encode())
    digest.update(embedded.vectors.tobytes())
    digest.update(embedded.status.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Times:
    """In seconds: when all began, and how long two stages took."""

    started: float
    embedding: float
    scoring: float


def _summary(
    model: str, scorer: Scorer, criterion: Criterion, embedded: EmbeddedImages, tally: Tally, times: _Times
) -> Summary:
    figures, interval = labelled_metrics(tally.labelled, criterion)
    return Summary(
        artsim_version=__version__,
        model=model,
        recipe=scorer.card.recipe,
        run_id=scorer.card.run_id,
        provider=scorer.provider,
        provider_note=scorer.tower.note,
        images=len(embedded.status),
        images_per_second=len(embedded.status) / times.embedding,
        pairs=tally.rows,
        pairs_taken_over=tally.taken_over,
        pairs_per_second=tally.rows / times.scoring,
        unscored_pairs=tally.unscored,
        bad_images=embedded.reasons,
        threshold=criterion.threshold,
        prior=criterion.prior,
        labelled_pairs=len(tally.labelled.same),
        figures=figures,
        auc_interval=interval,
        wall_seconds=time.perf_counter() - times.started,
    )


def labelled_metrics(
    labelled: LabelledPairs, criterion: Criterion
) -> tuple[dict[str, float], tuple[float, float] | None]:
    """The figures and the AUC's interval; none where the pairs don't have both labels.

    The probabilities, which are judged at the prior they were written for, are made again of the distances, in their
    place: `labelled` is of no use for them afterwards.
    """
    if len(np.unique(labelled.same)) < 2:
        return {}, None
    # scikit-learn takes a second to import, which pairs without labels need not wait for.
    from artsim.evaluation.intervals import auc_interval
    from artsim.evaluation.metrics import pair_metrics
    from artsim.evaluation.reliability import reliability
    from artsim.evaluation.value_counts import PIECE

    low, high = auc_interval(*labelled.sample())
    found = pair_metrics(labelled.distance, labelled.same, criterion.threshold)
    # In the distances' own memory, a piece at a time: they are not needed any more.
    values = labelled.distance
    for start in range(0, len(values), PIECE):
        values[start : start + PIECE] = criterion.probability(values[start : start + PIECE])
    found |= reliability(values, labelled.same, criterion.prior)
    return found, None if math.isnan(low) else (low, high)
