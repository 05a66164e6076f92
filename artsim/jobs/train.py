"""`artsim train`: select, train, export and evaluate, all in one MLflow run."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from artsim.collection.prepare import prepare_selection
from artsim.collection.selection import TRAIN, Selection
from artsim.evaluation.photographs import cues_of, read_photographs
from artsim.evaluation.rules import fit_rules
from artsim.evaluation.shortcuts import CueAucs, shortcut_warning, validation_cue_aucs
from artsim.evaluation.validation import Validation, artist_numbers
from artsim.export.pipeline import Exported, export_tower
from artsim.export.run_record import SELECTION_FILE, EmbeddingsRecord, ExportSource, RunRecord, write_rules
from artsim.files import writing
from artsim.jobs.train_log import (
    TOWER_FILE,
    Feedback,
    TrainJob,
    TrainOptions,
    describe_selection,
    log_end,
    log_start,
    log_training,
    report,
)
from artsim.overwrites import check_overwrites
from artsim.scoring.familiarity import TrainingEmbeddings
from artsim.tracking.run import Run, tracked_run
from artsim.training.loop.hooks import FitHooks, Outputs
from artsim.training.loop.plan import Stage

STAGE_TAG = "artsim.stage"


def train(options: TrainOptions, feedback: Feedback) -> str:
    """Run the whole job in one MLflow run, and return the text to print at its end.

    Raises:
        ArtsimError: any kind. The run then ends as FAILED, with the reason in a tag.
    """
    started = time.monotonic()
    _check_files(options)
    with tracked_run(f"{options.recipe.name}-seed{options.seed}") as run:
        run.log_params(options.flags)
        selection = prepare_selection(options.selection, feedback.say, feedback.progress)
        if options.save_data_to_file:
            selection.write(Path(SELECTION_FILE))
        recipe = options.recipe
        validation = Validation(selection, recipe.distance, recipe.threshold, options.seed)
        job = TrainJob(options, run, selection, validation, _make_outputs(options, run, selection), feedback)
        with _telling_what_is_kept(job.outputs.checkpoint_dir):
            log_start(job)
            feedback.say(describe_selection(selection))
            shortcuts = _find_shortcuts(job)
            exported = _train_and_export(job)
            log_end(job, exported, shortcuts)
            run.set_tags({STAGE_TAG: "done"})
    return report(job, exported, shortcuts, time.monotonic() - started)


def _check_files(options: TrainOptions) -> None:
    """Check that the selection overwrites nothing that is read."""
    if options.save_data_to_file:
        read = {"--data-file-path": options.selection.data_file_path, "--weights": options.recipe.weights}
        check_overwrites(read, {"--save-data-to-file": SELECTION_FILE})


@contextmanager
def _telling_what_is_kept(folder: Path) -> Iterator[None]:
    """Tell where the checkpoints are after Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt as error:
        if any(folder.glob("*.keras")):
            export = shlex.join(["artsim", "export", str(folder)])
            error.add_note(f"The checkpoints so far are kept. To export the best one: {export}")
        else:
            error.add_note("No epoch was finished, so there is no checkpoint. The same command starts a new run")
        raise


def _make_outputs(options: TrainOptions, run: Run, selection: Selection) -> Outputs:
    """Name the run by its selection, and make its folders, which are logged when the run ends."""
    works = selection.table["artist"].value_counts()
    name = f"{options.recipe.name}-{len(works)}x{works.max()}-seed{options.seed}"
    run.rename(name)
    folder = f"{name}-{run.id[:8]}"
    outputs = Outputs(options.checkpoint_dir / folder, options.summaries_dir / folder)
    for path, artifact in ((outputs.checkpoint_dir, "checkpoints"), (outputs.summaries_dir, "summaries")):
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
        run.log_folder_at_end(path, artifact)
    return outputs


def _find_shortcuts(job: TrainJob) -> dict[str, CueAucs]:
    """The AUC of each cue of the validation photographs, before training: a warning then saves its time."""
    progress = partial(job.feedback.progress, "checking photographs")
    photographs = read_photographs(job.validation.paths, job.options.selection.max_pixels, progress)
    found = validation_cue_aucs(cues_of(photographs), job.validation)
    if warning := shortcut_warning(found):
        job.feedback.say(warning)
    return found


def _train_and_export(job: TrainJob) -> Exported:
    from artsim.training.runtime import start_tensorflow

    options, run, selection, feedback = job.options, job.run, job.selection, job.feedback
    validation = job.validation
    feedback.say("Starting TensorFlow …")
    start_tensorflow()
    from artsim.training.data.batches import LabelledImages, source_size
    from artsim.training.data.pixels import decoded
    from artsim.training.devices import for_this_device, use_device
    from artsim.training.loop.fit import fit, prepare

    device = use_device(options.device_id)
    recipe = for_this_device(options.recipe)
    run.set_tags({"artsim.trained_in": recipe.trained_in})
    feedback.say(f"Training on {device} in {recipe.trained_in}.")
    network = prepare(recipe, options.seed)
    works = selection.part(TRAIN)
    how = (options.selection.max_pixels, partial(feedback.progress, "decoding"), feedback.say)
    with (
        decoded(selection.paths(works), source_size(recipe), *how) as pixels,
        decoded(validation.paths, recipe.image_size, *how) as held_out,
    ):
        train_images = LabelledImages(pixels, artist_numbers(selection, works))
        held_out_images = LabelledImages(held_out, artist_numbers(selection, validation.works))
        monitor = fit(recipe, network, train_images, held_out_images, _hooks(job), options.seed)
        log_training(job, monitor)
        run.set_tags({STAGE_TAG: "export"})
        folder = job.outputs.checkpoint_dir
        source = ExportSource.read(folder, "refit" if recipe.refit else "best")
        record = RunRecord.read(folder)
        return export_tower(source, record, selection.digest, validation, held_out, folder / TOWER_FILE)


def _hooks(job: TrainJob) -> FitHooks:
    """The callbacks of the fit. Without epochs nothing is logged in it: `log_end` logs the same metrics."""
    validation, has_epochs, folder = job.validation, job.options.recipe.has_epochs, job.outputs.checkpoint_dir
    return FitHooks(
        job.outputs,
        validate=lambda embeddings: validation.evaluate(embeddings).metrics,
        report=lambda epoch, metrics: job.run.log_metrics(metrics, epoch) if has_epochs else None,
        calibrate=lambda folds, readout_width: write_rules(
            folder, fit_rules(folds, validation.distance, job.options.seed, readout_width)
        ),
        describe=lambda embeddings, readout_width: EmbeddingsRecord(
            TrainingEmbeddings.of(embeddings), readout_width
        ).write(folder),
        say=job.feedback.say,
        progress=job.feedback.progress,
        display=job.feedback.display,
        begin=partial(_begin, job),
        follow=lambda step, metrics: job.run.log_metrics(metrics, step),
    )


def _begin(job: TrainJob, stage: Stage) -> None:
    """Tell which stage begins, on the terminal and in the run. A training from scratch has one stage only."""
    job.run.set_tags({STAGE_TAG: stage.title})
    if job.options.recipe.is_pretrained:
        job.feedback.say(f"{stage.title} …")
