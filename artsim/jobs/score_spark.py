"""Score a pairs file on a Spark cluster, whose workers embed the images and score the pairs.

This process reads the pairs, numbers their rows and images, and computes the metrics. It shares files with the workers
in a hidden folder beside the output. All machines have to see that folder and the images.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np

from artsim.errors import OutputError, UsageError
from artsim.evaluation.labelled_pairs import LabelledPairs
from artsim.evaluation.summary import ImageStage, PairStage, Summary, summarize, write_summary
from artsim.files import file_sha256, writing
from artsim.jobs.score import ScoreOptions
from artsim.jobs.steps.cohort import read_cohort
from artsim.locking import only_one
from artsim.messages import Progress, Say, no_progress, say_nothing
from artsim.model_names import load, tower_file
from artsim.scoring.adaptation import adapter_of
from artsim.scoring.cohort import TowerOfCohort
from artsim.scoring.cohort_use import SELF, CohortUse, cohort_of_run
from artsim.scoring.device import Device
from artsim.scoring.scorer import Scorer
from artsim.scoring.scores import Criterion
from artsim.scoring.session import read_card
from artsim.scoring.spark.results import (
    count_unfamiliar,
    read_distances,
    read_embedded_files,
    read_embedding_results,
    scored_labels,
)
from artsim.scoring.spark.session import check_java, spark_session, watched
from artsim.scoring.spark.stages import (
    WorkersTower,
    adapted_images,
    embedded_images,
    rows_of_a_batch,
    scored_pairs,
    to_write,
)
from artsim.scoring.spark.staging import StagedPairs, stage_pairs
from artsim.tables.output import check_place
from artsim.tables.pairs_file import image_folder, open_pairs


def score_on_spark(
    options: ScoreOptions, master: str | None = None, progress: Progress = no_progress, say: Say = say_nothing
) -> Summary:
    """Score every row of a pairs file and write all rows, also those with bad images.

    Args:
        options: of the command, without those for one machine.
        master: the cluster; None: Spark's own setting.
        progress: receives the stages `images` and `pairs`.
        say: receives notes about how the pairs and the cohort are read.

    Raises:
        ArtsimError: all but BadImagesError; then there is no output.
    """
    started = time.perf_counter()
    for flag, value in {
        "--format": options.format,
        "--embeddings": options.embeddings,
        "--threads": options.threads,
    }.items():
        if value is not None:
            raise UsageError(f"{flag} is for --engine local.")
    options.check_files()
    output = Path(options.output)
    check_folder(output)
    if options.summary is not None:
        check_place(options.summary)
    check_java()
    file = tower_file(options.model)
    card = read_card(file)
    options.check_card(card)
    with only_one(output), _shared_folder(output) as shared:
        with open_pairs(options.pairs, optional=options.optional_columns) as pairs:
            staged = stage_pairs(pairs, image_folder(options.pairs, options.data_dir), shared)
            if pairs.note:
                say(pairs.note)
        tower = TowerOfCohort(card, options.model, file_sha256(file))
        named = read_cohort(options.cohort, tower, lambda: _own_scorer(options), say, progress, options.columns)
        image_stage, use, criterion, seconds = _run_on_workers(options, file, master, staged, tower, named, progress)
        pair_stage = _pair_stage(staged, shared / "scores", seconds)
        with writing(output):
            (shared / "scores").rename(output)
    summary = summarize(options.model, card, criterion, use, image_stage, pair_stage, started)
    write_summary(summary, options.summary)
    return summary


def check_folder(output: Path) -> None:
    """Check that a folder of scores can be made there.

    Raises:
        UsageError: the name is not that of a folder of parquet files.
        OutputError: it exists, or there is no folder to make it in.
    """
    if output.suffix.lower() != ".parquet":
        raise UsageError(f"{output}: --engine spark writes a folder of parquet files. Name it with -o X.parquet.")
    if output.exists() or output.is_symlink():
        raise OutputError(f"{output}: exists already, and --engine spark makes a new folder. Name another.")
    check_place(str(output))


def _run_on_workers(
    options: ScoreOptions,
    file: Path,
    master: str | None,
    staged: StagedPairs,
    owner: TowerOfCohort,
    named: CohortUse | None,
    progress: Progress,
) -> tuple[ImageStage, CohortUse, Criterion, float]:
    """Embed, adapt and score into folders beside the staged pairs.

    Returns the first stage, the cohort, the rule that gave the scores, and the seconds of the second stage.
    """
    embeddings, scores, model = (staged.pairs.with_name(name) for name in ("embeddings", "scores", "tower.onnx"))
    with writing(model.parent):
        shutil.copyfile(file, model)
    tower = WorkersTower(model.name, options.device, options.batch_size, options.max_pixels)
    with spark_session("artsim score", master) as session:
        # A file rather than a broadcast: onnxruntime opens a path, and a machine needs one copy, not one per worker.
        session.sparkContext.addFile(str(model))
        opened = time.perf_counter()
        with watched(session, "images", staged.image_count, progress):
            # Written rather than cached: a lost executor loses no embeddings.
            frame = embedded_images(session, staged.images, staged.image_count, tower)
            frame.write.parquet(to_write(embeddings))
        embedded = time.perf_counter()
        results = read_embedding_results(embeddings, staged.faults)
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(rows_of_a_batch(results.width)))
        files = read_embedded_files(embeddings)
        use = cohort_of_run(named, owner, files.sha256s, files.vectors, "the pairs", chosen=options.cohort == SELF)
        criterion = Criterion.of(owner.card, options.threshold, options.prior, adapted=use.cohort is not None)
        if (adapter := adapter_of(owner.card, use.cohort)) is not None:
            adapted = embeddings.with_name("adapted")
            frame = adapted_images(session, embeddings, adapter, owner.card.photographs)
            frame.write.parquet(to_write(adapted))
            embeddings = adapted
        unfamiliar = None if owner.card.photographs is None else count_unfamiliar(embeddings)
        with watched(session, "pairs", staged.rows, progress):
            frame = scored_pairs(session, staged.pairs, embeddings, staged.columns, criterion, options.optional_columns)
            frame.write.parquet(to_write(scores))
        scored = time.perf_counter()
        cluster = f"Spark at {session.sparkContext.master}"
    provider = ", ".join(results.providers) or "none"
    seconds, count = embedded - opened, staged.image_count
    image_stage = ImageStage(provider, cluster, count, results.reasons, seconds, unfamiliar, staged.names_note)
    return image_stage, use, criterion, scored - embedded


def _own_scorer(options: ScoreOptions) -> Scorer:
    """A scorer on this machine, for the images of a cohort; it need not have the workers' GPU."""
    device: Device = "auto" if options.device == "cuda" else options.device
    return load(options.model, device, batch_size=options.batch_size, max_pixels=options.max_pixels)


def _pair_stage(staged: StagedPairs, scores: Path, seconds: float) -> PairStage:
    """Count the pairs that the workers wrote, and collect those with a label and a score."""
    distance = read_distances(scores, staged.rows)
    labelled = LabelledPairs(staged.labelled)
    if staged.labelled:
        for block in scored_labels(staged, distance):
            labelled.add(*block)
    unscored = int(np.count_nonzero(np.isnan(distance)))
    return PairStage(labelled, staged.rows, unscored=unscored, seconds=seconds)


@contextmanager
def _shared_folder(output: Path) -> Iterator[Path]:
    """A hidden folder beside the output, which is removed at the end."""
    folder = output.absolute().with_name(f".{uuid4().hex}.part")
    with writing(output):
        folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
