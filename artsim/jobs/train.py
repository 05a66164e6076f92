"""`artsim train`: select, train, export and evaluate, all in one MLflow run."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from artsim._version import __version__
from artsim.collection.prepare import SelectionOptions, prepare_selection
from artsim.collection.selection import TRAIN, VAL_SEEN, VAL_UNSEEN, Selection, as_csv
from artsim.escaping import markdown
from artsim.evaluation.photographs import cues_of, read_photographs
from artsim.evaluation.rules import fit_rules
from artsim.evaluation.shortcuts import (
    CueAucs,
    shortcut_metrics,
    shortcut_table,
    shortcut_warning,
    validation_cue_aucs,
)
from artsim.evaluation.validation import Validation, artist_numbers
from artsim.export.pipeline import Exported, export_tower
from artsim.export.report import SPLIT_NAMES, WITH_TWIN, auc_text, describe
from artsim.export.run_record import SELECTION_FILE, EmbeddingsRecord, ExportSource, RunRecord, write_rules
from artsim.files import replacing, writing
from artsim.messages import Progress, Say
from artsim.overwrites import check_overwrites
from artsim.scoring.familiarity import TrainingEmbeddings
from artsim.tracking.run import Run, tracked_run
from artsim.tracking.store import ui_command
from artsim.training.loop.hooks import FitHooks, Outputs, TrainingDisplay
from artsim.training.monitor import Monitor
from artsim.training.recipes import Recipe

TOWER_FILE = "tower.onnx"
PAIRS_FILE = "pairs.csv"
SCORES_TABLE = "validation_scores.json"
# Metrics in the run's description.
DESCRIBED = ("precision_at_1", "map_at_r", "eer", "balanced_accuracy", "predicted_same")


@dataclass(frozen=True)
class TrainOptions:
    """The settings of `artsim train`; `flags` holds the effective value of every flag, for the run's params."""

    recipe: Recipe
    selection: SelectionOptions
    save_data_to_file: bool
    summaries_dir: Path
    checkpoint_dir: Path
    device_id: str
    seed: int
    flags: Mapping[str, object]


@dataclass(frozen=True)
class Feedback:
    """The callbacks that tell the user how far the job is."""

    say: Say
    progress: Progress
    display: TrainingDisplay


@dataclass(frozen=True)
class _Job:
    """A training run after its selection."""

    options: TrainOptions
    run: Run
    selection: Selection
    validation: Validation
    outputs: Outputs
    feedback: Feedback


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
        job = _Job(options, run, selection, validation, _make_outputs(options, run, selection), feedback)
        with _telling_what_is_kept(job.outputs.checkpoint_dir):
            _log_start(job)
            feedback.say(_describe(selection))
            shortcuts = _find_shortcuts(job)
            exported = _train_and_export(job)
            _log_end(job, exported, shortcuts)
    return _report(job, exported, shortcuts, time.monotonic() - started)


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
            error.add_note("No epoch was finished, so there is no checkpoint. The same command starts a new run.")
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


def _log_start(job: _Job) -> None:
    """Log what is known before training. An artifact store that cannot be reached fails here, not hours later."""
    recipe, run, selection, folder = job.options.recipe, job.run, job.selection, job.outputs.checkpoint_dir
    RunRecord(
        recipe=recipe.name,
        image_size=recipe.image_size,
        distance=recipe.distance,
        threshold=recipe.threshold,
        seed=job.options.seed,
        run_id=run.id,
        data_dir=str(selection.folder.resolve()),
    ).write(folder)
    selection.write(folder / SELECTION_FILE)
    run.log_file(folder / SELECTION_FILE)
    run.log_selection(selection.table, str(folder / SELECTION_FILE), selection.digest)
    run.set_tags({"artsim.version": __version__, "artsim.selection_sha256": selection.digest})
    run.set_description(_title(job))


def _find_shortcuts(job: _Job) -> dict[str, CueAucs]:
    """The AUC of each cue of the validation photographs, before training: a warning then saves its time."""
    progress = partial(job.feedback.progress, "checking photographs")
    photographs = read_photographs(job.validation.paths, job.options.selection.max_pixels, progress)
    found = validation_cue_aucs(cues_of(photographs), job.validation)
    if warning := shortcut_warning(found):
        job.feedback.say(warning)
    return found


def _train_and_export(job: _Job) -> Exported:
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
        _log_training(job, monitor)
        folder = job.outputs.checkpoint_dir
        source = ExportSource.read(folder, "refit" if recipe.refit else "best")
        record = RunRecord.read(folder)
        return export_tower(source, record, selection.digest, validation, held_out, folder / TOWER_FILE)


def _hooks(job: _Job) -> FitHooks:
    """The callbacks of the fit. Without epochs nothing is logged in it: `_log_end` logs the same metrics."""
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
    )


def _log_training(job: _Job, monitor: Monitor) -> None:
    recipe = job.options.recipe
    summary = "No epochs: the readout has a closed form."
    if recipe.has_epochs:
        job.run.log_metrics({"train/best_epoch": monitor.best_epoch}, recipe.epochs + 1)
        early = f", stopped after {monitor.patience} without improvement" if monitor.epoch < recipe.epochs else ""
        best = f"Epoch {monitor.best_epoch} is the best by {monitor.name}."
        summary = f"{monitor.epoch} of {recipe.epochs} epochs{early}. {best}"
    job.run.set_tags({"artsim.training": summary})
    job.feedback.say(f"{summary} Exporting …")


def _log_end(job: _Job, exported: Exported, shortcuts: Mapping[str, CueAucs]) -> None:
    run, card, check, recipe = job.run, exported.card, exported.check, job.options.recipe
    pairs_path = exported.path.parent / PAIRS_FILE
    with replacing(pairs_path) as file:
        file.write(as_csv(exported.validation.pairs))
    metrics = {
        **card.validation,
        **shortcut_metrics(shortcuts),
        "export/max_embedding_difference": check.embedding,
        "export/max_distance_difference": check.distance,
        "export/threshold": card.threshold,
    }
    run.log_metrics(metrics, recipe.epochs + 1 if recipe.has_epochs else 0)  # the step after the last epoch
    run.log_table(exported.validation.scores(exported.embeddings, card, exported.factors), SCORES_TABLE)
    run.log_file(exported.path)
    run.log_file(pairs_path)
    run.log_tower(exported.path, {"recipe": card.recipe, "selection_sha256": card.selection_sha256})
    run.set_description(_description(job, card.validation, shortcuts))


def _describe(selection: Selection) -> str:
    counts = {split: len(selection.part(split)) for split in (TRAIN, VAL_SEEN, VAL_UNSEEN)}
    held_out = selection.part(VAL_UNSEEN)["artist"].nunique()
    return (
        f"{selection.table['artist'].nunique()} artists, {len(selection.table)} works: {counts[TRAIN]} for training, "
        f"{counts[VAL_SEEN]} for validation by the same artists, {counts[VAL_UNSEEN]} by {held_out} other artists"
    )


def _title(job: _Job) -> str:
    return f"**{job.options.recipe.name}** on {markdown(job.selection.source)}: {_describe(job.selection)}."


def _description(job: _Job, metrics: Mapping[str, float], shortcuts: Mapping[str, CueAucs]) -> str:
    """The run's description: the data, the metrics, the cues of the photographs, and the command for the tower."""
    lines = [
        _title(job),
        "",
        "| validation works by | AUC (95 %) | AUC within a style | precision@1 | MAP@R | EER | balanced accuracy "
        "| predicted as same |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for split, meaning in WITH_TWIN.items():
        if f"{split}/auc" in metrics:
            keys = [f"{split}/{name}" for name in DESCRIBED]
            values = [f"{metrics[key]:.3f}" if key in metrics else "–" for key in keys]
            aucs = [auc_text(metrics, split), auc_text(metrics, split, "same_style_auc")]
            lines.append(f"| {' | '.join([meaning, *aucs, *values])} |")
    for paragraph in (shortcut_table(shortcuts, SPLIT_NAMES), [shortcut_warning(shortcuts)]):
        lines += ["", *paragraph] if any(paragraph) else []
    lines += ["", f"Score pairs with the artifact `{TOWER_FILE}`: `artsim-score --model {TOWER_FILE} pairs.csv`."]
    return "\n".join(lines)


def _report(job: _Job, exported: Exported, shortcuts: Mapping[str, CueAucs], seconds: float) -> str:
    """The metrics of the exported tower, a warning if they may mislead, and the next commands."""
    is_launched = job.run.is_launched
    tower, folder = (path.absolute() if is_launched else path for path in (exported.path, job.selection.folder))
    score = ["artsim-score", "--model", str(tower), "--data-dir", str(folder), str(tower.with_name(PAIRS_FILE))]
    steps = (ui_command(anywhere=is_launched), shlex.join(score))
    done = f"Run {job.run.id} is done in {seconds / 60:.1f} min. Next:"
    warning = shortcut_warning(shortcuts)
    return "\n".join(
        ["", describe(exported), *([warning] if warning else []), "", done, *(f"  {step}" for step in steps)]
    )
