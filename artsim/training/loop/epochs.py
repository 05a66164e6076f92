"""The epochs of a training: an objective, its optimiser, its batches and its callbacks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from artsim.training.data.batches import images_per_step
from artsim.training.loop.epoch_state import EpochKeeper
from artsim.training.loop.evaluator import EvaluationCallback, LossCallback, ThroughputMonitor
from artsim.training.loop.losses import Objective
from artsim.training.loop.plan import Stage
from artsim.training.loop.stages import Stages
from artsim.training.recipes import Recipe

WARM_UP = 0.1  # share of all steps; a common choice for AdamW


def run_epochs(
    recipe: Recipe,
    objective: Objective,
    batches: Callable[[int], tf.data.Dataset],
    artists: int,
    stages: Stages,
    stage: Stage,
    evaluation: EvaluationCallback | None = None,
    rate_flag: str = "--learning-rate",
) -> None:
    """Train an objective for the epochs of a stage, or for those that a run that is resumed has left.

    Args:
        recipe: gives the optimiser and its rates.
        objective: is minimised.
        batches: gives endless batches from a step on, counted from 0.
        artists: number of artists trained on.
        stages: of the whole training.
        stage: the one to begin.
        evaluation: after each epoch; None: no evaluation.
        rate_flag: the flag that sets the learning rate, for error messages.

    Raises:
        GateError: the loss is not finite. The checkpoints that were saved before are kept.
    """
    model, hooks = objective.model, stages.hooks
    # In runs of minutes XLA takes longer to compile than it saves: see benchmarks/train_step.py.
    model.compile(optimizer=_optimizer(recipe, stage), loss=objective.loss, jit_compile=False)
    keeper = EpochKeeper(model, stages, stage, None if evaluation is None else evaluation.evaluator)
    done = keeper.restore()
    stages.begin(stage.name, stage.fit, done * stage.steps)
    if done == stage.epochs or (evaluation is not None and evaluation.evaluator.monitor.is_over):
        return
    pace = ThroughputMonitor(stages, stage, images_per_step(recipe, artists), rate_flag)
    callbacks: list[keras.callbacks.Callback] = [pace, LossCallback(pace)]
    if evaluation is not None:
        evaluation.pace = pace
        summaries = str(hooks.outputs.summaries_dir)
        callbacks[1:] = [evaluation, keras.callbacks.TensorBoard(summaries, profile_batch=0, write_graph=False)]
    with hooks.display.training(stage):
        model.fit(
            batches(done * stage.steps),
            epochs=stage.epochs,
            initial_epoch=done,
            steps_per_epoch=stage.steps,
            callbacks=[*callbacks, keeper],
            shuffle=False,  # the batches are random already
            verbose=0,
        )


def write_graph(tower: keras.Model, folder: Path) -> None:
    """Write the tower's graph for TensorBoard; the callback of Keras 3.15 does not if its train function is wrapped."""
    graph = tf.function(tower).get_concrete_function(tf.TensorSpec((None, *tower.input_shape[1:]), tf.uint8)).graph
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default():
        tf.summary.graph(graph)
    writer.close()


def _optimizer(recipe: Recipe, stage: Stage) -> keras.optimizers.Optimizer:
    """Gradient descent at one rate, or AdamW that warms up and then decays along a cosine."""
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(recipe.learning_rate)
    warm_up = max(1, round(WARM_UP * stage.units))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, stage.units - warm_up), warmup_target=recipe.learning_rate, warmup_steps=warm_up
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma", "proxies"])
    return optimizer
