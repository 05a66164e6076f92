"""What a training logs in its MLflow run, and the text that it prints at its end."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from artsim._version import __version__
from artsim.collection.digests import write_works
from artsim.collection.prepare import SelectionOptions
from artsim.collection.selection import TRAIN, VAL_SEEN, VAL_UNSEEN, Selection, as_csv
from artsim.escaping import markdown, masked
from artsim.evaluation.report.contents import Report
from artsim.evaluation.report.numbers import Estimate, metric_text, says_something, too_few_text
from artsim.evaluation.report.training import TrainedTower, training_report
from artsim.evaluation.shortcuts import CueAucs, shortcut_metrics, shortcut_table, shortcut_warning
from artsim.evaluation.validation import VAL_SHIFTED, Validation
from artsim.export.pipeline import Exported
from artsim.export.report import SPLIT_NAMES, WITH_TWIN, auc_text, describe, kinds_of_pairs
from artsim.export.run_record import SELECTION_FILE, WORKS_FILE, RunRecord
from artsim.files import file_sha256, replacing
from artsim.jobs.steps.checkpoint_uploads import CheckpointUploads
from artsim.jobs.steps.export_log import export_metrics
from artsim.jobs.steps.run_evidence import REPORT_FILE, VIEWS_FILE, log_evidence
from artsim.messages import Progress, Say
from artsim.tracking.logged_models import TowerModel
from artsim.tracking.resumed import CHECKPOINTS
from artsim.tracking.run import Run
from artsim.tracking.store import ui_command
from artsim.training.loop.feature_cache import FeatureCache
from artsim.training.loop.hooks import Outputs, TrainingDisplay
from artsim.training.monitor import Monitor
from artsim.training.recipes import RECIPES, Distribution, Recipe

TOWER_FILE = "tower.onnx"
PAIRS_FILE = "pairs.csv"
# Files of the folder of checkpoints that are logged elsewhere: one copy of each is stored.
LOGGED_ELSEWHERE = (TOWER_FILE, PAIRS_FILE, REPORT_FILE, VIEWS_FILE)
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
    distribution: Distribution
    seed: int
    flags: Mapping[str, object]
    register: bool = False
    log_pictures: bool = False


@dataclass(frozen=True)
class Feedback:
    """The callbacks that tell the user how far the job is."""

    say: Say
    progress: Progress
    display: TrainingDisplay


@dataclass(frozen=True)
class TrainJob:
    """A training run after its selection was made."""

    options: TrainOptions
    run: Run
    selection: Selection
    validation: Validation
    outputs: Outputs
    feedback: Feedback
    uploads: CheckpointUploads
    features: FeatureCache | None = None  # that trainings share


def log_start(job: TrainJob) -> None:
    """Log what is known before training. An artifact store that takes no files fails here, not hours later."""
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
    write_works(selection, folder / WORKS_FILE)
    run.log_file(folder / SELECTION_FILE, CHECKPOINTS)
    _log_datasets(job, folder / SELECTION_FILE)
    run.set_tags({"artsim.version": __version__, "artsim.selection_sha256": selection.digest})
    run.set_description(_title(job))
    run.check_artifact_store()


def _log_datasets(job: TrainJob, file: Path) -> None:
    """Log the selection, and each validation set that metrics are named by, as datasets."""
    selection, unknown = job.selection, job.validation.unknown_split
    job.run.log_dataset("selection", selection.table, file, selection.digest, "training")
    for name, split in ((VAL_SEEN, VAL_SEEN), (VAL_UNSEEN, VAL_UNSEEN), (VAL_SHIFTED, unknown)):
        part = replace(selection, table=selection.part(split))
        if not part.table.empty:
            digest = part.digest if name == split else sha256(f"{name} {part.digest}".encode()).hexdigest()
            job.run.log_dataset(name, part.table, file, digest, "validation")


def log_training(job: TrainJob, monitor: Monitor) -> None:
    """Log the best epoch, and say it."""
    recipe = job.options.recipe
    summary = "No epochs: the readout has a closed form."
    if recipe.has_epochs:
        from artsim.training.networks.checkpoints import BEST, LAST

        job.run.log_metrics({"train/best_epoch": monitor.best_epoch}, recipe.epochs + 1)
        early = f", stopped after {monitor.patience} without improvement" if monitor.epoch < recipe.epochs else ""
        best = f"Epoch {monitor.best_epoch} is the best by {monitor.name}."
        summary = f"{monitor.epoch} of {recipe.epochs} epochs{early}. {best}"
        job.uploads.has_saved(LAST, monitor.epoch)
        job.uploads.has_saved(BEST, monitor.best_epoch)
        job.uploads.log_models()
    job.run.set_tags({"artsim.training": summary})
    job.feedback.say(f"{summary} Exporting …")


def log_end(job: TrainJob, exported: Exported, shortcuts: Mapping[str, CueAucs], *, without_epochs: int = 0) -> None:
    """Log the exported tower, its metrics, its pairs and its scores, and complete the description.

    `without_epochs` is the step of a tower that has no epochs.
    """
    run, card, recipe = job.run, exported.card, job.options.recipe
    pairs_path = exported.path.parent / PAIRS_FILE
    with replacing(pairs_path) as file:
        file.write(as_csv(exported.validation.pairs))
    metrics = {**export_metrics(exported), **shortcut_metrics(shortcuts)}
    step = recipe.epochs + 1 if recipe.has_epochs else without_epochs  # the step after the last epoch
    texts = {"recipe": card.recipe, "precision": card.precision, "selection_sha256": card.selection_sha256}
    model_id = run.log_tower(TowerModel(exported.path, step=step, texts=texts))
    run.log_metrics(metrics, step, model_id)
    run.log_table(exported.scores[exported.scores["split"] != VAL_SHIFTED], SCORES_TABLE)
    run.log_file(pairs_path)
    log_evidence(run, _report_of(job, exported), exported, job.feedback.say, log_pictures=job.options.log_pictures)
    run.set_description(_description(job, card.validation, shortcuts))
    _show_auc(job, card.validation)


def _show_auc(job: TrainJob, metrics: Mapping[str, float]) -> None:
    """Begin the run's name with its AUC, as MLflow's list of runs shows no metric until its user picks one."""
    name = " ".join(run_name(job.options, job.selection))
    for _, auc in _headline(job, metrics):
        if job.run.name == name:  # the user has given no other
            job.run.rename(f"AUC {auc.text} {name}")


def run_name(options: TrainOptions, selection: Selection) -> list[str]:
    """The parts of a run's name: recipe, numbers of artists and works, and seed; then what differs from the recipe."""
    works = selection.table["artist"].value_counts()
    return [f"{options.recipe.name}-{len(works)}x{works.max()}-seed{options.seed}", *changes_of(options.recipe)]


def changes_of(recipe: Recipe) -> list[str]:
    """What differs from the named recipe, such as `image_size=32`, for the run's name.

    The numbers of artists and works are part of the name already. Of a file the name is shown.
    """
    named = RECIPES[recipe.name]
    given = {key: value for key, value in asdict(recipe).items() if value != getattr(named, key)}
    return [f"{key}={Path(str(value)).name}" for key, value in given.items() if not key.startswith("num_of_")]


def _report_of(job: TrainJob, exported: Exported) -> Report:
    tower = TrainedTower(exported.card, file_sha256(exported.path), exported.embeddings, exported.factors)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in job.options.flags.items() if value is not None]
    command = masked(shlex.join(["artsim", "train", *flags]))
    return training_report(exported.validation, tower, command, job.feedback.progress)


def describe_selection(selection: Selection) -> str:
    """The numbers of artists and works of a selection, and of the parts of its split."""
    counts = {split: len(selection.part(split)) for split in (TRAIN, VAL_SEEN, VAL_UNSEEN)}
    held_out = selection.part(VAL_UNSEEN)["artist"].nunique()
    return (
        f"{selection.table['artist'].nunique()} artists, {len(selection.table)} works: {counts[TRAIN]} for training, "
        f"{counts[VAL_SEEN]} for validation by the same artists, {counts[VAL_UNSEEN]} by {held_out} other artists"
    )


def _title(job: TrainJob) -> str:
    return f"**{job.options.recipe.name}** on {markdown(job.selection.source)}: {describe_selection(job.selection)}."


def _headline(job: TrainJob, metrics: Mapping[str, float]) -> list[tuple[str, Estimate]]:
    """The split whose AUC comes first, and its AUC: unseen artists, else seen ones. Nothing if it says too little."""
    aucs = [(split, Estimate.of(metrics, f"{split}/auc")) for split in (VAL_UNSEEN, VAL_SEEN)]
    known = [(split, auc) for split, auc in aucs if auc is not None][:1]
    return [(split, auc) for split, auc in known if says_something(*kinds_of_pairs(job.validation, split), auc)]


def _description(job: TrainJob, metrics: Mapping[str, float], shortcuts: Mapping[str, CueAucs]) -> str:
    """The run's description: the data, the metrics, the cues of the photographs, and the command for the tower."""
    lines = [
        *(f"**AUC {auc.with_interval}** on works by {SPLIT_NAMES[split]}." for split, auc in _headline(job, metrics)),
        "",
        _title(job),
        "",
        "| validation works by | AUC (95 %) | AUC within a style | precision@1 | MAP@R | EER | balanced accuracy "
        "| predicted as same |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for split, meaning in WITH_TWIN.items():
        if f"{split}/auc" in metrics:
            lines.append(f"| {' | '.join([meaning, *_described(job, metrics, split)])} |")
    for paragraph in (shortcut_table(shortcuts, SPLIT_NAMES), [shortcut_warning(shortcuts)]):
        lines += ["", *paragraph] if any(paragraph) else []
    lines += ["", f"Score pairs with its tower: `artsim-score --model runs:/{job.run.id} pairs.csv`."]
    return "\n".join(lines)


def _described(job: TrainJob, metrics: Mapping[str, float], split: str) -> list[str]:
    """The cells of a split; if there are too few pairs, the first one says so."""
    kinds, auc = kinds_of_pairs(job.validation, split), Estimate.of(metrics, f"{split}/auc")
    if auc is None or not says_something(*kinds, auc):
        return [too_few_text(*kinds, auc), *["–"] * (1 + len(DESCRIBED))]
    values = [metric_text(metrics, f"{split}/{name}", auc.digits) or "–" for name in DESCRIBED]
    return [auc_text(metrics, split), auc_text(metrics, split, "same_style_auc"), *values]


def report(job: TrainJob, exported: Exported, shortcuts: Mapping[str, CueAucs], seconds: float) -> str:
    """The metrics of the exported tower, a warning if they may mislead, and the next commands."""
    is_launched = job.run.is_launched
    tower, folder = (path.absolute() if is_launched else path for path in (exported.path, job.selection.folder))
    score = ["artsim-score", "--model", str(tower), "--data-dir", str(folder), str(tower.with_name(PAIRS_FILE))]
    steps = (job.run.page or ui_command(anywhere=is_launched), shlex.join(score))
    done = f"Run {job.run.id} is done in {seconds / 60:.1f} min. Next:"
    warning = shortcut_warning(shortcuts)
    return "\n".join(
        ["", describe(exported), *([warning] if warning else []), "", done, *(f"  {step}" for step in steps)]
    )
