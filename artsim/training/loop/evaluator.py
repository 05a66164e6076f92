"""Evaluation during training: throughput after each step, and metrics after each epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.errors import GateError
from artsim.large_arrays import release_pages
from artsim.training.loop.hooks import FitHooks
from artsim.training.loop.losses import Objective
from artsim.training.loop.plan import Stage
from artsim.training.loop.stages import Stages
from artsim.training.monitor import Monitor
from artsim.training.networks.checkpoints import BEST, LAST, save_tower
from artsim.training.networks.heads import trained_part
from artsim.training.networks.rows import SomeRows

EMBED_BATCH = 64  # features at once
# Paintings at once: TensorFlow keeps the feature maps of a batch. 64 take 0.8 GB in a pretrained network at 256 px.
PAINTING_BATCH = 16
NOT_FINITE = "The network's output is not finite (NaN or infinity)"

Embed = Callable[[], NDArray[np.float32]]


def embed(model: keras.Model, inputs: NDArray[Any] | SomeRows) -> NDArray[np.float32]:
    """The output of a model, float32 (N, D), for paintings uint8 (N, S, S, 3) or features float32 (N, F).

    Raises:
        GateError: a value is not finite, as the weights have diverged.
    """
    size = PAINTING_BATCH if inputs.ndim == 4 else EMBED_BATCH
    found = []
    for start in range(0, len(inputs), size):
        block = inputs[start : start + size]
        # Each device of a distributed model gives the whole batch.
        found.append(np.asarray(model.predict_on_batch(block))[: len(block)])
        release_pages(inputs)
    outputs = np.concatenate(found)
    if not np.isfinite(outputs).all():
        raise GateError(f"{NOT_FINITE}. Train with a lower learning rate.")
    return outputs


class Evaluator:
    """Computes and reports the metrics of a tower. `save` writes the tower of the last epoch.

    The epoch keeper decides after which epochs it is saved.
    """

    def __init__(self, tower: keras.Model, embed: Embed, hooks: FitHooks, monitor: Monitor) -> None:
        """`embed` gives the embeddings (V, D) of the validation works by the tower as it is now."""
        self.embed = embed
        self.hooks = hooks
        self.monitor = monitor
        self._tower = tower
        self._reported: list[tuple[int, dict[str, float]]] = []

    @property
    def state(self) -> dict[str, Any]:
        """What it knows after the last epoch, for `restore`."""
        return {"monitor": self.monitor.state, "reported": self._reported}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of another evaluator, and report the metrics of its epochs again."""
        restore_evaluation(state, self.monitor, self.hooks)
        self._reported = [(epoch, metrics) for epoch, metrics in state["reported"]]

    def __call__(self, embeddings: NDArray[np.float32], metrics: dict[str, float]) -> bool:
        """Add the validation metrics to an epoch's metrics, and report them; whether the epoch is the best so far."""
        metrics.update(self.hooks.validate(embeddings))
        is_best = self.monitor.is_best(metrics)
        self.hooks.report(self.monitor.epoch, metrics)
        self._reported.append((self.monitor.epoch, dict(metrics)))
        return is_best

    def save(self) -> None:
        """Save the tower of the last epoch, as the best one too if it is."""
        names = (BEST, LAST) if self.monitor.is_at_best else (LAST,)
        # A tower of `transfer` has 54 MB: to copy it is faster than to save it again.
        save_tower(self._tower, *(self.hooks.outputs.checkpoint_dir / name for name in names))
        for name in names:
            self.hooks.kept(name, self.monitor.epoch)


def restore_evaluation(state: Mapping[str, Any], monitor: Monitor, hooks: FitHooks) -> None:
    """Restore a monitor from the state of an evaluator, and report the metrics of its epochs again.

    A run that was killed between an epoch and its report lacks them. A resumed run logs no metric twice.
    """
    monitor.restore(state["monitor"])
    for epoch, metrics in state["reported"]:
        hooks.report(epoch, dict(metrics))


class ThroughputMonitor(keras.callbacks.Callback):
    """Measures the images/s of an epoch and the time left, and stops the training if the loss is not finite."""

    def __init__(self, stages: Stages, stage: Stage, images_per_step: int, rate_flag: str) -> None:
        super().__init__()
        self.stages = stages
        self.stage = stage
        self.images_per_step = images_per_step
        self.rate_flag = rate_flag
        self.images_per_second = 0.0
        self.epoch, self.step = 0, 0
        self.started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch + 1
        self.started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.step, loss = batch + 1, float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise self.diverged(f"The loss is {loss}")
        self.images_per_second = self.step * self.images_per_step / (time.monotonic() - self.started)
        left = self.seconds_left()
        self.stages.hooks.display.step(self.epoch, self.step, self.images_per_second, loss, left)

    def seconds_left(self) -> float | None:
        """Seconds until the whole training ends, as far as it is known."""
        self.stages.plan.advance((self.epoch - 1) * self.stage.steps + self.step)
        return self.stages.plan.seconds_left

    def end_epoch(self, metrics: dict[str, float], *, is_best: bool = False, is_shown: bool = True) -> None:
        """Log the time left after an epoch, and show its metrics."""
        plan, hooks, left = self.stages.plan, self.stages.hooks, self.seconds_left()
        if left is not None:
            hooks.follow(plan.epoch_of_all(self.stage, self.epoch), {"progress/minutes_left": left / 60})
        if is_shown:
            hooks.display.epoch(self.epoch, metrics, is_best=is_best, seconds_left=left)

    def diverged(self, problem: str) -> GateError:
        """The error, with the epoch, the step and the flag to change."""
        return GateError(
            f"{problem} in epoch {self.epoch}, step {self.step}. Lower {self.rate_flag}. The checkpoints that "
            "were saved before are kept."
        )


class LossCallback(keras.callbacks.Callback):
    """Logs the loss of each epoch of a stage that has no evaluation, and shows it.

    Heads have many short epochs. Of these only the last is shown.
    """

    def __init__(self, pace: ThroughputMonitor) -> None:
        super().__init__()
        self.pace = pace

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        stages, stage = self.pace.stages, self.pace.stage
        metrics = {
            f"{stage.group}/loss": float((logs or {})["loss"]),
            f"{stage.group}/images_per_second": self.pace.images_per_second,
        }
        stages.hooks.follow(stages.plan.epoch_of_group(stage, epoch + 1), metrics)
        self.pace.end_epoch(metrics, is_shown=stage.name == "tuning" or epoch + 1 == stage.epochs)


class EvaluationCallback(keras.callbacks.Callback):
    """Evaluates the tower after each epoch, and stops the training when the monitor says so."""

    def __init__(
        self,
        evaluator: Evaluator,
        objective: Objective,
        labels: NDArray[np.int64],
        artists: int,
        readout_width: int = 0,
    ) -> None:
        """Prepare the evaluation.

        Args:
            evaluator: of the tower.
            objective: for the validation loss.
            labels: (V,) artists of the validation works; those below `artists` are trained on.
            artists: number of artists trained on.
            readout_width: number of values that the readout gives to an embedding; the loss leaves them out.
        """
        super().__init__()
        self.evaluator = evaluator
        self.objective = objective
        self.pace: ThroughputMonitor  # set by run_epochs
        self.seen = labels < artists
        self.seen_labels = labels[self.seen]
        self.readout_width = readout_width

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {} if logs is None else logs
        metrics = {
            "train/loss": float(logs["loss"]),
            "train/images_per_second": self.pace.images_per_second,
        }
        optimizer = self.model.optimizer
        if epoch == 0 or isinstance(optimizer, keras.optimizers.AdamW):  # gradient descent keeps its rate
            metrics["train/learning_rate"] = float(optimizer.learning_rate)
        try:
            embeddings = self.evaluator.embed()
        except GateError as error:  # the last step of the epoch diverged, so no later loss shows it
            raise self.pace.diverged(NOT_FINITE) from error
        if self.seen.any():
            seen = trained_part(embeddings[self.seen], self.readout_width)
            loss = self.objective.validation_loss(seen, self.seen_labels)
            metrics |= {"val_seen/loss": loss} if math.isfinite(loss) else {}
        is_best = self.evaluator(embeddings, metrics)
        hooks, monitor = self.evaluator.hooks, self.evaluator.monitor
        logs.update(metrics)  # the TensorBoard callback comes next and writes them
        self.pace.end_epoch(metrics, is_best=is_best)
        if epoch == 0 and monitor.name != monitor.wanted:
            hooks.say(f"This run has no {monitor.wanted}. Instead {monitor.name} decides which epoch is best.")
        self.model.stop_training = monitor.is_over
