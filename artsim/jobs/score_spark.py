"""Score a file of pairs on a cluster: images embedded and pairs scored by Spark's workers.

This process reads the pairs, numbers their rows and their images, and takes the figures; what it shares with the
workers lies in a hidden folder beside the output, which every machine has to see, like the images.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from pyarrow import dataset

from artsim._version import __version__
from artsim.errors import ArtsimError, OutputError, UsageError
from artsim.evaluation.labelled_pairs import LabelledPairs
from artsim.evaluation.summary import Summary
from artsim.files import writing
from artsim.jobs.score import ScoreOptions, Tally, labelled_metrics
from artsim.locking import only_one
from artsim.messages import Progress
from artsim.scoring.contract import Card
from artsim.scoring.scores import Criterion
from artsim.scoring.session import read_card
from artsim.scoring.spark.session import check_java, spark_session, watched
from artsim.scoring.spark.stages import WorkersTower, embedded_images, rows_of_a_batch, scored_pairs, to_write
from artsim.scoring.spark.staging import StagedPairs, stage_pairs
from artsim.tables.output import check_place, open_output
from artsim.tables.pairs_file import folder_of, open_pairs


def score_on_spark(options: ScoreOptions, master: str | None = None, progress: Progress | None = None) -> Summary:
    """Score every row of a pairs file; all of it is written, whatever images were bad.

    Args:
        options: of the command, but for those that are for one machine.
        master: the cluster; None: Spark's own setting.
        progress: told of the stages `images` and `pairs`.

    Raises:
        ArtsimError: any but BadImagesError; then there is no output.
    """
    started = time.perf_counter()
    for flag, value in {"--format": options.format, "--embeddings": options.embeddings}.items():
        if value is not None:
            raise UsageError(f"{flag} is for --engine local.")
    output = Path(options.output)
    check_folder(output)
    if options.summary is not None:
        check_place(options.summary)
    check_java()
    card = read_card(Path(options.model))
    criterion = Criterion.of(card, options.threshold, options.prior)
    with only_one(output), _shared(output) as shared:
        with open_pairs(options.pairs) as pairs:
            folder = folder_of(options.pairs) if options.data_dir is None else Path(options.data_dir)
            staged = stage_pairs(pairs, folder, shared)
        run = _on_workers(options, master, staged, criterion, progress)
        tally = _tally(staged, shared)
        _publish(shared / "scores", output)
    summary = _summary(options.model, card, criterion, staged, run, tally, started)
    if options.summary is not None:
        with open_output(options.summary) as file:
            file.write(summary.to_json().encode(errors="backslashreplace"))
    return summary


def check_folder(output: Path) -> None:
    """See that a folder of scores can be made there.

    Raises:
        UsageError: it is no name for one.
        OutputError: there is something, or there is no folder to make it in.
    """
    if output.suffix.lower() != ".parquet":
        raise UsageError(f"{output}: --engine spark writes a folder of parquet files: name it, with -o X.parquet.")
    if output.exists() or output.is_symlink():
        raise OutputError(f"{output}: is there already; --engine spark makes a new folder. Name another.")
    check_place(str(output))


@dataclass(frozen=True)
class _Run:
    """What the workers did: the providers they used, why images were bad, how many seconds both stages took."""

    cluster: str
    providers: list[str]
    reasons: list[str]
    embedding: float
    scoring: float


def _on_workers(
    options: ScoreOptions, master: str | None, staged: StagedPairs, criterion: Criterion, progress: Progress | None
) -> _Run:
    """Embed and score; what comes of it lies beside the staged pairs."""
    embeddings, scores, model = (staged.pairs.with_name(name) for name in ("embeddings", "scores", "tower.onnx"))
    with writing(model.parent):
        shutil.copyfile(options.model, model)
    tower = WorkersTower(model.name, options.device, options.batch_size, options.max_pixels)
    with spark_session("artsim score", master) as session:
        # A file rather than a broadcast: onnxruntime opens a path, and a machine needs one copy, not one a worker.
        session.sparkContext.addFile(str(model))
        opened = time.perf_counter()
        with watched(session, "images", staged.image_count, progress):
            # Written down rather than cached: an executor that is lost takes no embeddings with it.
            frame = embedded_images(session, staged.images, staged.image_count, tower)
            frame.write.parquet(to_write(embeddings))
        embedded = time.perf_counter()
        providers, reasons, width = _read_embeddings(embeddings)
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(rows_of_a_batch(width)))
        with watched(session, "pairs", staged.rows, progress):
            frame = scored_pairs(session, staged.pairs, embeddings, staged.columns, criterion)
            frame.write.parquet(to_write(scores))
        scored = time.perf_counter()
        cluster = str(session.sparkContext.master)
    return _Run(cluster, providers, reasons, embedded - opened, scored - embedded)


def _read_embeddings(folder: Path) -> tuple[list[str], list[str], int]:
    """The providers that were used, the reasons of bad images in their order, and D (1 where there is no image)."""
    rows = dataset.dataset(folder, format="parquet")
    bad = rows.to_table(["image", "reason"], filter=dataset.field("status") != "ok").sort_by("image")
    providers = sorted(set(rows.to_table(["provider"])["provider"].to_pylist()))
    first = rows.head(1, columns=["vector"])["vector"].to_pylist()
    return providers, bad["reason"].to_pylist(), len(first[0]) // 4 if first else 1


def _tally(staged: StagedPairs, shared: Path) -> Tally:
    """Count the rows that were written, and take the distances of labelled pairs in the order of the pairs file.

    Raises:
        ArtsimError: a row is not there, or twice.
    """
    distance = np.full(staged.rows, np.nan, dtype=np.float32)
    seen = np.zeros(staged.rows, dtype=np.bool_)
    tally = Tally(LabelledPairs(staged.rows if staged.labelled else 0))
    for batch in dataset.dataset(shared / "scores", format="parquet").to_batches(columns=["row", "distance"]):
        row = np.asarray(batch["row"])
        tally.rows += len(row)
        tally.unscored += batch["distance"].null_count
        distance[row] = batch["distance"].to_numpy(zero_copy_only=False)
        seen[row] = True
    if tally.rows != staged.rows or not seen.all():
        raise ArtsimError(f"{tally.rows:,} rows came back for {staged.rows:,} pairs; nothing was written.")
    if staged.labelled:
        pairs = dataset.dataset(staged.pairs, format="parquet")
        for batch in pairs.to_batches(columns=["row", "first", "second", "same"]):
            found = distance[np.asarray(batch["row"])]
            good = ~np.isnan(found)
            first, second = (np.asarray(batch[name]).astype(np.int64)[good] for name in ("first", "second"))
            tally.labelled.add(found[good], np.asarray(batch["same"]).astype(np.uint8)[good], first, second)
    return tally


@contextmanager
def _shared(output: Path) -> Iterator[Path]:
    """A hidden folder beside the output, for as long as the run takes."""
    folder = output.absolute().with_name(f".{uuid4().hex}.part")
    with writing(output):
        folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _publish(folder: Path, output: Path) -> None:
    with writing(output):
        folder.rename(output)


def _summary(
    model: str, card: Card, criterion: Criterion, staged: StagedPairs, run: _Run, tally: Tally, started: float
) -> Summary:
    found, interval = labelled_metrics(tally.labelled, criterion)
    return Summary(
        artsim_version=__version__,
        model=model,
        recipe=card.recipe,
        run_id=card.run_id,
        provider=", ".join(run.providers) or "none",
        provider_note=f"Spark at {run.cluster}",
        images=staged.image_count,
        images_per_second=staged.image_count / run.embedding,
        pairs=tally.rows,
        pairs_taken_over=0,
        pairs_per_second=tally.rows / run.scoring,
        unscored_pairs=tally.unscored,
        bad_images=run.reasons,
        threshold=criterion.threshold,
        prior=criterion.prior,
        labelled_pairs=len(tally.labelled.same),
        figures=found,
        auc_interval=interval,
        wall_seconds=time.perf_counter() - started,
    )
