"""Score a file of pairs: which images, their embeddings, then distances and scores, row by row."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artsim import __version__, images
from artsim.errors import BadImagesError, InputError
from artsim.jobs.allowance import Allowance
from artsim.jobs.embedding import STATUS_WORDS, Gallery, Progress, embed_files
from artsim.scoring.device import Device
from artsim.scoring.output import check_output, check_place, open_output, open_table
from artsim.scoring.pairs_file import Block, PairsFile, folder_of, open_pairs
from artsim.scoring.sample import LabelledPairs
from artsim.scoring.scorer import Scorer, load
from artsim.scoring.scores import Criterion
from artsim.scoring.summary import BAD_IMAGES_NAMED, Summary
from artsim.scoring.table import ScoredBlock, TableWriter


@dataclass(frozen=True)
class ScoreOptions:
    """What `artsim-score` was told; its flags say what each is."""

    model: str
    pairs: str
    output: str = "-"
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
    check_output(options.output)
    if options.summary is not None:
        check_place(options.summary)
    with open_pairs(options.pairs) as pairs:
        folder = folder_of(options.pairs) if options.data_dir is None else Path(options.data_dir)
        listing = list_images(pairs, folder)
        scorer = load(options.model, options.device, batch_size=options.batch_size, max_pixels=options.max_pixels)
        criterion = Criterion.of(scorer.card, options.threshold, options.prior)
        opened = time.perf_counter()
        gallery = embed_files(scorer, listing.paths, Path(), progress=progress)
        embedded = time.perf_counter()
        with open_table(options.output, pairs.header) as table:
            tally = score_rows(pairs, listing, gallery, criterion, table, progress)
    times = _Times(started, embedded - opened, time.perf_counter() - embedded)
    summary = _summary(options.model, scorer, criterion, gallery, tally, times)
    if options.summary is not None:
        with open_output(options.summary) as file:
            file.write(summary.to_json().encode())
    return summary


def check_bad_images(summary: Summary, allowance: Allowance) -> None:
    """Hold a finished run to what was allowed.

    Raises:
        BadImagesError: more images were bad.
    """
    bad = len(summary.bad_images)
    if not allowance.admits(bad, summary.images):
        first = "; ".join(summary.bad_images[:BAD_IMAGES_NAMED])
        raise BadImagesError(
            f"{bad:,} of {summary.images:,} images are bad, more than --max-bad-images allows: {first}"
            f"{'; and others' if bad > BAD_IMAGES_NAMED else ''}. Everything was written; their pairs have no scores."
        )


@dataclass(frozen=True)
class Listing:
    """The different images of a pairs file: each name's row among the paths, and how many pairs there are."""

    row_of: dict[str, int]
    paths: list[str]
    rows: int


def list_images(pairs: PairsFile, folder: Path) -> Listing:
    """Read a pairs file for the images it names; names of one path share a row, an empty name is its path."""
    row_of: dict[str, int] = {}
    paths: dict[str, int] = {}
    rows = 0
    for block in pairs.blocks():
        rows += len(block.rows)
        for name in dict.fromkeys([*block.image1, *block.image2]):
            if name not in row_of:
                row_of[name] = paths.setdefault(str(folder / name) if name else "", len(paths))
    return Listing(row_of, list(paths), rows)


@dataclass
class Tally:
    """What was counted while rows were written; `labelled` has the pairs with both a label and scores."""

    labelled: LabelledPairs
    rows: int = 0
    unscored: int = 0


def score_rows(
    pairs: PairsFile,
    listing: Listing,
    gallery: Gallery,
    criterion: Criterion,
    table: TableWriter,
    progress: Progress | None,
) -> Tally:
    """Read the pairs again and write each row with its scores.

    Raises:
        InputError: the file is not what it was when its images were listed.
    """
    tally = Tally(LabelledPairs(listing.rows if pairs.labelled else 0))
    for block in pairs.blocks():
        tally.rows += len(block.rows)
        if tally.rows > listing.rows or not listing.row_of.keys() >= {*block.image1, *block.image2}:
            raise _changed(pairs)
        first, second = (
            np.array([listing.row_of[name] for name in names], dtype=np.int64) for names in (block.image1, block.image2)
        )
        scored = _scored(block, first, second, gallery, criterion)
        table.write(scored)
        tally.unscored += int(np.count_nonzero(~scored.good))
        if block.same is not None:
            good = scored.good
            tally.labelled.add(scored.distance[good], block.same[good], first[good], second[good])
        if progress is not None:
            progress("pairs", tally.rows, listing.rows)
    if tally.rows < listing.rows:
        raise _changed(pairs)
    return tally


def _changed(pairs: PairsFile) -> InputError:
    return InputError(f"{pairs.name}: changed while it was read.")


def _scored(
    block: Block, first: NDArray[np.int64], second: NDArray[np.int64], gallery: Gallery, criterion: Criterion
) -> ScoredBlock:
    status1, status2 = gallery.status[first], gallery.status[second]
    good = (status1 == 0) & (status2 == 0)
    status = [_STATUS[one, two] for one, two in zip(status1.tolist(), status2.tolist(), strict=True)]
    return ScoredBlock(block.rows, good, *criterion.scores(gallery.vectors, first, second), status)


def _status(one: int, two: int) -> str:
    words = (("image1", STATUS_WORDS[one]), ("image2", STATUS_WORDS[two]))
    return "; ".join(f"{image}: {word}" for image, word in words if word != "ok") or "ok"


_STATUS = {(one, two): _status(one, two) for one, two in product(range(len(STATUS_WORDS)), repeat=2)}


@dataclass(frozen=True)
class _Times:
    """In seconds: when all began, and how long two stages took."""

    started: float
    embedding: float
    scoring: float


def _summary(
    model: str, scorer: Scorer, criterion: Criterion, gallery: Gallery, tally: Tally, times: _Times
) -> Summary:
    figures, interval = _figures(tally.labelled, criterion)
    return Summary(
        artsim_version=__version__,
        model=model,
        recipe=scorer.card.recipe,
        run_id=scorer.card.run_id,
        provider=scorer.provider,
        provider_note=scorer.tower.note,
        images=len(gallery.status),
        images_per_second=len(gallery.status) / times.embedding,
        pairs=tally.rows,
        pairs_per_second=tally.rows / times.scoring,
        unscored_pairs=tally.unscored,
        bad_images=gallery.reasons,
        threshold=criterion.threshold,
        prior=criterion.prior,
        labelled_pairs=len(tally.labelled.same),
        figures=figures,
        auc_interval=interval,
        wall_seconds=time.perf_counter() - times.started,
    )


def _figures(labelled: LabelledPairs, criterion: Criterion) -> tuple[dict[str, float], tuple[float, float] | None]:
    """The figures and the AUC's interval; none where the pairs don't have both labels.

    The probabilities, which are judged at the prior they were written for, are made again of the distances.
    """
    if len(np.unique(labelled.same)) < 2:
        return {}, None
    # scikit-learn takes a second to import, which pairs without labels need not wait for.
    from artsim.evaluation.figures import figures
    from artsim.evaluation.intervals import auc_interval
    from artsim.evaluation.reliability import reliability

    low, high = auc_interval(*labelled.sample())
    found = {
        **figures(labelled.distance, labelled.same, criterion.threshold),
        **reliability(criterion.probability(labelled.distance), labelled.same, criterion.prior),
    }
    return found, None if math.isnan(low) else (low, high)
