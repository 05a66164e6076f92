"""`artsim train`: select, train, export and evaluate, all in one MLflow run."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from PIL import Image

from artsim.collection.catalogue import check_source
from artsim.collection.prepare import prepare_selection
from artsim.collection.selection import Selection
from artsim.evaluation.photographs import cues_of, read_photographs
from artsim.evaluation.rules import fit_rules
from artsim.evaluation.shortcuts import CueAucs, shortcut_warning, validation_cue_aucs
from artsim.evaluation.validation import Validation
from artsim.export.pipeline import Exported, export_tower
from artsim.export.run_record import SELECTION_FILE, EmbeddingsRecord, ExportSource, RunRecord, write_rules
from artsim.files import replacing, writing
from artsim.jobs.register import register_after_training
from artsim.jobs.steps.checkpoint_uploads import CheckpointUploads
from artsim.jobs.steps.resume import resumed_outputs, resumed_selection
from artsim.jobs.steps.run_evidence import VIEWS_FILE
from artsim.jobs.steps.train_log import (
    LOGGED_ELSEWHERE,
    TOWER_FILE,
    Feedback,
    TrainJob,
    TrainOptions,
    describe_selection,
    log_end,
    log_start,
    log_training,
    report,
    run_name,
)
from artsim.jobs.steps.training_session import TrainingSession
from artsim.locking import only_one
from artsim.overwrites import check_overwrites
from artsim.scoring.familiarity import TrainingEmbeddings
from artsim.tracking.processes import CHECKPOINT_TAG, resume_command
from artsim.tracking.resumed import CHECKPOINTS, SUMMARIES_TAG, RecordedRun
from artsim.tracking.run import Run, tracked_run
from artsim.training.loop.hooks import FitHooks, Outputs
from artsim.training.loop.journal import FOLDER, LOCAL_FILES
from artsim.training.loop.plan import Stage

STAGE_TAG = "artsim.stage"


def train(options: TrainOptions, feedback: Feedback, recorded: RecordedRun | None = None) -> str:
    """Run the whole job in one MLflow run, and return the text to print at its end.

    Args:
        options: the settings; those of `recorded` if there is one.
        feedback: the callbacks for the user.
        recorded: the run to resume; None: a new run.

    Raises:
        ArtsimError: any kind. The run then ends as FAILED, with the reason in a tag.
    """
    started = time.monotonic()
    name = f"{options.recipe.name}-seed{options.seed}"
    if recorded is None:
        check_files(options)
    with tracked_run(name, None if recorded is None else recorded.id, feedback.say) as run:
        run.log_params(options.flags)
        job = _begin(options, run, feedback) if recorded is None else _resume(options, run, feedback, recorded)
        folder = job.outputs.checkpoint_dir
        with only_one(folder, feedback.say), _telling_what_is_kept(job):
            log_start(job)
            run.set_tags({CHECKPOINT_TAG: str(folder.absolute())})  # last, as a run with this tag can be resumed
            job.uploads()
            feedback.say(describe_selection(job.selection))
            shortcuts = find_shortcuts(job)
            with TrainingSession(options, job.selection, job.validation, feedback) as session:
                exported = fit_and_export(job, session)
            log_end(job, exported, shortcuts)
            finish(job)
    text = report(job, exported, shortcuts, time.monotonic() - started)
    if job.run.undelivered is not None:
        text += f"\n\nThe tracking store does not have all of the run. {job.run.undelivered}"
    if options.register:
        text += f"\n\n{register_after_training(job.run.id, feedback.say, feedback.progress)}"
    return text


def _begin(options: TrainOptions, run: Run, feedback: Feedback) -> TrainJob:
    """Make the selection and the folders of a new run."""
    selection = prepare_selection(options.selection, feedback.say, feedback.progress)
    if options.save_data_to_file:
        selection.write(Path(SELECTION_FILE))
    return make_job(options, run, selection, _make_outputs(options, run, selection), feedback)


def _resume(options: TrainOptions, run: Run, feedback: Feedback, recorded: RecordedRun) -> TrainJob:
    """Read the selection of a run that is resumed, and find its folders."""
    feedback.say(f"Resuming run {recorded.id}.")
    outputs = resumed_outputs(recorded, feedback.say)
    selection = resumed_selection(recorded, options.selection, feedback.say)
    return make_job(options, run, selection, outputs, feedback)


def make_job(options: TrainOptions, run: Run, selection: Selection, outputs: Outputs, feedback: Feedback) -> TrainJob:
    """The job. Its folders are logged when the run ends, without what is soon computed again."""
    run.set_tags({SUMMARIES_TAG: str(outputs.summaries_dir.absolute())})
    left_out = (*LOCAL_FILES, *LOGGED_ELSEWHERE)
    run.log_folder_at_end(outputs.checkpoint_dir, CHECKPOINTS, left_out)
    run.log_folder_at_end(outputs.summaries_dir, "summaries")
    uploads = CheckpointUploads(run, outputs.checkpoint_dir, CHECKPOINTS, left_out, feedback.say)
    validation = Validation(selection, options.recipe.distance, options.recipe.threshold, options.seed)
    return TrainJob(options, run, selection, validation, outputs, feedback, uploads)


def finish(job: TrainJob) -> None:
    """Remove what only a resumed run needs."""
    shutil.rmtree(job.outputs.checkpoint_dir / FOLDER, ignore_errors=True)
    job.run.remove_artifacts(f"{CHECKPOINTS}/{FOLDER}")
    job.run.set_tags({STAGE_TAG: "done"})


def check_files(options: TrainOptions) -> None:
    """Check that the collection is there, and that the selection overwrites nothing that is read."""
    check_source(options.selection.data_file_path)
    if options.save_data_to_file:
        read = {"--data-file-path": options.selection.data_file_path, "--weights": options.recipe.weights}
        check_overwrites(read, {"--save-data-to-file": SELECTION_FILE})


@contextmanager
def _telling_what_is_kept(job: TrainJob) -> Iterator[None]:
    """Tell after Ctrl-C where the checkpoints are, and how to resume the run."""
    try:
        yield
    except KeyboardInterrupt as error:
        folder = job.outputs.checkpoint_dir
        if any(folder.glob("*.keras")):
            export = shlex.join(["artsim", "export", str(folder)])
            error.add_note(f"The checkpoints so far are kept. To export the best one: {export}")
        else:
            error.add_note("No epoch of the tower was finished, so there is no checkpoint.")
        error.add_note(f"To resume: {resume_command(job.run.id, is_launched=job.run.is_launched)}")
        raise


def _make_outputs(options: TrainOptions, run: Run, selection: Selection) -> Outputs:
    """Name the run by its selection, and make its folders."""
    name = run_name(options, selection)
    run.rename(" ".join(name))
    folder = f"{name[0]}-{run.id[:8]}"
    outputs = Outputs(options.checkpoint_dir / folder, options.summaries_dir / folder)
    for path in (outputs.checkpoint_dir, outputs.summaries_dir):
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
    return outputs


def find_shortcuts(job: TrainJob) -> dict[str, CueAucs]:
    """The AUC of each cue of the validation photographs, before training: a warning then saves its time."""
    progress = partial(job.feedback.progress, "checking photographs")
    photographs = read_photographs(job.validation.paths, job.options.selection.max_pixels, progress)
    found = validation_cue_aucs(cues_of(photographs), job.validation)
    if warning := shortcut_warning(found):
        job.feedback.say(warning)
    return found


def fit_and_export(job: TrainJob, session: TrainingSession) -> Exported:
    """Train the tower of a job, and export it."""
    from artsim.training.loop.view_sheet import view_sheet

    run, folder = job.run, job.outputs.checkpoint_dir
    recipe = session.recipe(job.options.recipe)
    run.set_tags({"artsim.trained_in": recipe.trained_in})
    job.feedback.say(f"Training on {session.device} in {recipe.trained_in}.")
    if (sheet := view_sheet(session.works_for(recipe), recipe, job.options.seed)) is not None:
        _write_sheet(sheet, folder / VIEWS_FILE)
    monitor = session.fit(recipe, hooks_of(job))
    log_training(job, monitor)
    run.set_tags({STAGE_TAG: "export"})
    source = ExportSource.read(folder, "refit" if recipe.refit else "best")
    record = RunRecord.read(folder)
    return export_tower(source, record, job.selection.digest, job.validation, session.held_out, folder / TOWER_FILE)


def _write_sheet(sheet: Image.Image, path: Path) -> None:
    with replacing(path, "wb") as file:
        sheet.save(file, "JPEG", quality=88)


def hooks_of(job: TrainJob) -> FitHooks:
    """The callbacks of the fit. Without epochs nothing is logged in it: `log_end` logs the same metrics."""
    validation, has_epochs, folder = job.validation, job.options.recipe.has_epochs, job.outputs.checkpoint_dir
    return FitHooks(
        job.outputs,
        validate=lambda embeddings: validation.evaluate(embeddings).metrics,
        report=lambda epoch, metrics: job.run.log_metrics(metrics, epoch) if has_epochs else None,
        calibrate=lambda folds, readout_width: write_rules(
            folder, fit_rules(folds, validation.distance, job.options.seed, readout_width)
        ),
        describe=lambda embeddings, views, readout_width: EmbeddingsRecord(
            TrainingEmbeddings.of(embeddings, views), readout_width
        ).write(folder),
        say=job.feedback.say,
        progress=job.feedback.progress,
        display=job.feedback.display,
        begin=partial(_tell_stage, job),
        follow=lambda step, metrics: job.run.log_metrics(metrics, step),
        kept=lambda name, epoch: job.uploads.has_saved(name, epoch) if has_epochs else None,
        saved=job.uploads,
        features=job.features,
    )


def _tell_stage(job: TrainJob, stage: Stage) -> None:
    """Tell which stage begins, on the terminal and in the run. A training from scratch has one stage only."""
    job.run.set_tags({STAGE_TAG: stage.title})
    if job.options.recipe.is_pretrained:
        job.feedback.say(f"{stage.title} …")
