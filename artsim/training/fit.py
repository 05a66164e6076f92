"""The fit loop: one objective over batches, judged after each epoch, its best and last tower kept on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import tensorflow as tf

from artsim.collection.pairs import balanced_pairs
from artsim.training.batches import Works, images_per_step, pair_dataset, steps_per_epoch, work_dataset
from artsim.training.judge import Judge, Pace, Report, Validate
from artsim.training.losses import build_objective
from artsim.training.monitor import DEFAULT_MONITOR, Monitor, MonitorName
from artsim.training.progress import TrainingProgress
from artsim.training.recipes import Recipe
from artsim.training.towers import build_tower

WARM_UP = 0.1  # of all steps


@dataclass(frozen=True)
class Outputs:
    """Folders, already there, for a run's checkpoints and its TensorBoard summaries."""

    checkpoint_dir: Path
    summaries_dir: Path


def fit(
    recipe: Recipe,
    train: Works,
    validation: Works,
    outputs: Outputs,
    *,
    validate: Validate,
    report: Report,
    seed: int,
    monitor: MonitorName = DEFAULT_MONITOR,
    quiet: bool = False,
) -> Monitor:
    """Train a tower by its recipe; its checkpoints are the result, and the monitor, which knows how it went.

    Args:
        recipe: what to train.
        train: works at `source_size(recipe)`.
        validation: works at the tower's own size.
        outputs: checkpoints and summaries go here after every epoch.
        validate: figures of the validation works' embeddings (V, D).
        report: told of each epoch (from 1) and its metrics.
        seed: of weights, batches and augmentation.
        monitor: the figure that says which epoch was best.
        quiet: show no progress.

    Raises:
        GateError: the loss is no number any more; the last good checkpoints stay.
    """
    keras.utils.set_random_seed(seed)
    artists = int(train.labels.max()) + 1
    tower = build_tower(recipe.tower, recipe.image_size, recipe.embedding_size)
    objective = build_objective(recipe.loss, tower, artists)
    pairs = len(balanced_pairs(train.labels, seed)[2]) if objective.paired else 0
    steps = steps_per_epoch(recipe, len(train.labels), pairs)
    # XLA takes longer to compile than these towers gain by it in runs of minutes: see benchmarks/train_step.py.
    objective.model.compile(optimizer=_optimizer(recipe, steps), loss=objective.loss, jit_compile=False)
    dataset = (pair_dataset if objective.paired else work_dataset)(train, recipe, seed)
    _write_graph(tower, outputs.summaries_dir / "graph")
    with TrainingProgress(recipe.epochs, steps, quiet=quiet) as progress:
        pace = Pace(progress, images_per_step(recipe, artists))
        follow = Monitor(monitor, recipe.patience)
        judge = Judge(tower, objective, pace, validation, outputs.checkpoint_dir, validate, report, follow)
        summaries = keras.callbacks.TensorBoard(str(outputs.summaries_dir), profile_batch=0, write_graph=False)
        objective.model.fit(
            dataset,
            epochs=recipe.epochs,
            steps_per_epoch=steps,
            callbacks=[pace, judge, summaries],
            shuffle=False,  # the batches are drawn at random already
            verbose=0,
        )
    return follow


def _write_graph(tower: keras.Model, folder: Path) -> None:
    """The tower's graph for TensorBoard; Keras's callback writes none where its train function is wrapped."""
    graph = tf.function(tower).get_concrete_function(tf.TensorSpec((None, *tower.input_shape[1:]), tf.uint8)).graph
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default():
        tf.summary.graph(graph)
    writer.close()


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """Gradient descent at one rate, or AdamW that warms up and then decays along a cosine."""
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(recipe.learning_rate)
    total = steps * recipe.epochs
    warm_up = max(1, round(WARM_UP * total))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, total - warm_up), warmup_target=recipe.learning_rate, warmup_steps=warm_up
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma", "proxies"])
    return optimizer
