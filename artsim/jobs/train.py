"""The main job: select, train, export and evaluate, all in one MLflow run."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from artsim._version import __version__
from artsim.collection.prepare import SelectionOptions, prepare_selection
from artsim.collection.selection import TRAIN, VAL_SEEN, VAL_UNSEEN, Selection, as_csv
from artsim.evaluation.validation import Validation, artists_of, calibrate_by_folds
from artsim.export.run_record import SELECTION_FILE, ExportSource, RunRecord, write_decision_rule
from artsim.files import replacing, writing
from artsim.jobs.export import PARTS, Exported, auc_text, described, export
from artsim.tracking.run import Run, tracked_run, ui_command
from artsim.training.monitor import Monitor
from artsim.training.recipes import Recipe

TOWER_FILE = "tower.onnx"
PAIRS_FILE = "pairs.csv"
NOTED = ("precision_at_1", "map_at_r", "eer", "balanced_accuracy")  # of the figures, in the run's description
SCORES_TABLE = "validation_scores.json"


@dataclass(frozen=True)
class TrainOptions:
    """What `artsim train` was told; `flags` holds every flag's value in effect, for the run's params."""

    recipe: Recipe
    selection: SelectionOptions
    save_data_to_file: bool
    summaries_dir: Path
    checkpoint_dir: Path
    device_id: str
    seed: int
    quiet: bool
    flags: Mapping[str, object]


@dataclass(frozen=True)
class Trained:
    """Where everything is."""

    run_id: str
    exported: Exported
    next_steps: list[str]
    seconds: float


def train(options: TrainOptions, say: Callable[[str], None], progress: Callable[[str, int, int], None]) -> Trained:
    """Run the main job; what happens is said on the way.

    Raises:
        ArtsimError: each kind of it; the run is FAILED then, with the reason as a tag.
    """
    started = time.monotonic()
    recipe = options.recipe
    with tracked_run(f"{recipe.name}-seed{options.seed}") as run:
        run.log_params(options.flags)
        selection = prepare_selection(options.selection, say, progress)
        if options.save_data_to_file:
            selection.write(Path(SELECTION_FILE))
        works = selection.table["artist"].value_counts()
        name = f"{recipe.name}-{len(works)}x{works.max()}-seed{options.seed}"
        run.rename(name)
        folder = f"{name}-{run.id[:8]}"
        checkpoints = _made(options.checkpoint_dir / folder)
        summaries = _made(options.summaries_dir / folder)
        run.keep(checkpoints, "checkpoints")
        run.keep(summaries, "summaries")
        _log_start(run, options, selection, checkpoints)
        say(_described(selection))
        exported = _train_and_export(options, selection, run, checkpoints, summaries, say, progress)
        _log_end(run, options, selection, exported)
    return Trained(run.id, exported, _next_steps(exported, selection), time.monotonic() - started)


def _train_and_export(
    options: TrainOptions,
    selection: Selection,
    run: Run,
    checkpoints: Path,
    summaries: Path,
    say: Callable[[str], None],
    progress: Callable[[str, int, int], None],
) -> Exported:
    from artsim.training.runtime import start_tensorflow

    say("starting TensorFlow …")
    start_tensorflow()
    from artsim.training.data.batches import LabelledImages, source_size
    from artsim.training.data.pixels import decoded
    from artsim.training.devices import for_this_device, use_device
    from artsim.training.loop.fit import fit, prepare
    from artsim.training.loop.hooks import FitHooks, Outputs

    device = use_device(options.device_id)
    recipe = for_this_device(options.recipe)
    run.set_tags({"artsim.trained_in": recipe.trained_in})
    say(f"training on {device} in {recipe.trained_in}")
    network = prepare(recipe, options.seed)
    number = {artist: index for index, artist in enumerate(artists_of(selection))}
    works = selection.part(TRAIN)
    labels = np.array([number[artist] for artist in works["artist"]], dtype=np.int64)
    validation = Validation(selection, recipe.distance, recipe.threshold, options.seed)
    how = (options.selection.max_pixels, partial(progress, "decoding"), say)
    with (
        decoded(selection.paths(works), source_size(recipe), *how) as pixels,
        decoded(validation.paths, recipe.image_size, *how) as held_out,
    ):
        hooks = FitHooks(
            Outputs(checkpoints, summaries),
            validate=lambda embeddings: validation.judge(embeddings).figures,
            report=lambda epoch, metrics: run.log_metrics(metrics, epoch),
            calibrate=lambda folds: write_decision_rule(
                checkpoints, calibrate_by_folds(folds, recipe.distance, options.seed)
            ),
            say=say,
            progress=progress,
            quiet=options.quiet,
        )
        held = LabelledImages(held_out, validation.labels(selection))
        monitor = fit(recipe, network, LabelledImages(pixels, labels), held, hooks, options.seed)
        run.set_tags({"artsim.training": _ended(monitor, recipe.epochs)})
        say(f"{_ended(monitor, recipe.epochs)}; exporting …")
        source, candidate = (
            RunRecord.read(checkpoints),
            ExportSource.read(checkpoints, "refit" if recipe.refit else "best"),
        )
        return export(candidate, source, selection.digest, validation, held_out, checkpoints / TOWER_FILE)


def _ended(monitor: Monitor, epochs: int) -> str:
    stopped = f", stopped early as {monitor.patience} in a row were no better" if monitor.epoch < epochs else ""
    return f"{monitor.epoch} of {epochs} epochs{stopped}; epoch {monitor.best_epoch} is the best by {monitor.name}"


def _made(folder: Path) -> Path:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _described(selection: Selection) -> str:
    counts = {part: len(selection.part(part)) for part in (TRAIN, VAL_SEEN, VAL_UNSEEN)}
    held_out = selection.part(VAL_UNSEEN)["artist"].nunique()
    return (
        f"{selection.table['artist'].nunique()} artists, {len(selection.table)} works: {counts[TRAIN]} to train on; "
        f"to judge by, {counts[VAL_SEEN]} more by the same artists and {counts[VAL_UNSEEN]} by {held_out} others"
    )


def _log_start(run: Run, options: TrainOptions, selection: Selection, checkpoints: Path) -> None:
    """What is known before training; a store for artifacts that can't be reached shows here, not hours later."""
    recipe = options.recipe
    source = RunRecord(
        recipe=recipe.name,
        image_size=recipe.image_size,
        distance=recipe.distance,
        threshold=recipe.threshold,
        seed=options.seed,
        run_id=run.id,
        data_dir=str(selection.folder.resolve()),
    )
    source.write(checkpoints)
    selection.write(checkpoints / SELECTION_FILE)
    run.log_file(checkpoints / SELECTION_FILE)
    run.log_selection(selection.table, str(checkpoints / SELECTION_FILE), selection.digest)
    run.set_tags({"artsim.version": __version__, "artsim.selection_sha256": selection.digest})
    run.note(f"**{recipe.name}** on {selection.source}: {_described(selection)}.")


def _log_end(run: Run, options: TrainOptions, selection: Selection, exported: Exported) -> None:
    card, check = exported.card, exported.check
    checkpoints = exported.path.parent
    with replacing(checkpoints / PAIRS_FILE) as file:
        file.write(as_csv(exported.validation.pairs))
    run.log_metrics(
        {
            **card.validation,
            "export_max_embedding_difference": check.embedding,
            "export_max_distance_difference": check.distance,
            "threshold": card.threshold,
        },
        step=options.recipe.epochs + 1,  # after the epochs: the exported tower, which is the best of them
    )
    run.log_table(exported.validation.scores(exported.embeddings, card), SCORES_TABLE)
    run.log_file(exported.path)
    run.log_file(checkpoints / PAIRS_FILE)
    run.log_tower(exported.path, {"recipe": card.recipe, "selection_sha256": card.selection_sha256})
    run.note(_note(options, selection, exported))


def _note(options: TrainOptions, selection: Selection, exported: Exported) -> str:
    """The run's description: what was trained on what, how good it is, how to use it."""
    lines = [
        f"**{options.recipe.name}** on {selection.source}: {_described(selection)}.",
        "",
        "| held-out works | AUC (95 %) | within a style | precision@1 | MAP@R | EER | balanced accuracy |",
        "|---|---|---|---|---|---|---|",
    ]
    figures = exported.card.validation
    for part, meaning in PARTS.items():
        if f"{part}_auc" in figures:
            shown = [f"{figures[f'{part}_{name}']:.3f}" for name in NOTED]
            aucs = [auc_text(figures, part), auc_text(figures, part, "same_style_auc")]
            lines.append(f"| {' | '.join([meaning, *aucs, *shown])} |")
    lines += ["", f"`artsim-score --model {TOWER_FILE} pairs.csv` with the artifact `{TOWER_FILE}`."]
    return "\n".join(lines)


def report(trained: Trained) -> str:
    """What a person should know at the end: how good the exported tower is, and what to type next."""
    lines = [
        "",
        described(trained.exported),
        "",
        f"run {trained.run_id} is done in {trained.seconds / 60:.1f} min. Next:",
    ]
    return "\n".join(lines + [f"  {step}" for step in trained.next_steps])


def _next_steps(exported: Exported, selection: Selection) -> list[str]:
    score = ["artsim-score", "--model", str(exported.path), "--data-dir", str(selection.folder)]
    return [ui_command(), shlex.join([*score, str(exported.path.parent / PAIRS_FILE)])]
