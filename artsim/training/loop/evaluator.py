"""What happens around the steps: the pace is kept, and after each epoch the tower is judged and saved."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.errors import GateError
from artsim.training.loop.hooks import FitHooks
from artsim.training.loop.losses import Objective
from artsim.training.loop.progress import TrainingProgress
from artsim.training.monitor import Monitor
from artsim.training.networks.checkpoints import BEST, LAST, save_tower
from artsim.training.networks.heads import trained_part

EMBED_BATCH = 64

Embed = Callable[[], NDArray[np.float32]]


def embed(model: keras.Model, inputs: NDArray[Any]) -> NDArray[np.float32]:
    """What a model gives, float32 (N, D), for paintings uint8 (N, S, S, 3) or features float32 (N, F).

    Raises:
        GateError: it gives what is no number: its weights have grown out of bounds.
    """
    blocks = [inputs[start : start + EMBED_BATCH] for start in range(0, len(inputs), EMBED_BATCH)]
    found = np.concatenate([np.asarray(model.predict_on_batch(block)) for block in blocks])
    if not np.isfinite(found).all():
        raise GateError("the network gives what is no number")
    return found


class Evaluator:
    """Takes the figures of a tower, reports them, and keeps the best and the last one on disk."""

    def __init__(self, tower: keras.Model, embed: Embed, hooks: FitHooks, monitor: Monitor) -> None:
        """`embed` gives the validation works' embeddings (V, D) as the tower is now."""
        self.embed = embed
        self.monitor = monitor
        self._tower = tower
        self._oversight = hooks

    def __call__(self, embeddings: NDArray[np.float32], metrics: dict[str, float]) -> bool:
        """Add the figures to an epoch's metrics and report them all; whether the epoch is the best so far."""
        metrics.update(self._oversight.validate(embeddings))
        is_best = self.monitor.is_best(metrics)
        metrics["best_epoch"] = self.monitor.best_epoch
        folder = self._oversight.outputs.checkpoint_dir
        for name in (BEST, LAST) if is_best else (LAST,):
            save_tower(self._tower, folder / name)
        self._oversight.report(self.monitor.epoch, metrics)
        return is_best


class ThroughputMonitor(keras.callbacks.Callback):
    """Measures images/s over the steps of an epoch, and stops a run that has come to what is no number."""

    def __init__(self, progress: TrainingProgress, images_per_step: int, rate_flag: str) -> None:
        super().__init__()
        self.progress = progress
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
            raise self.diverged(f"the loss is {loss}")
        self.images_per_second = self.step * self.images_per_step / (time.monotonic() - self.started)
        self.progress.step(self.epoch, self.step, self.images_per_second, loss)

    def diverged(self, what: str) -> GateError:
        """Where it was found, and what to do."""
        return GateError(
            f"{what} in epoch {self.epoch}, step {self.step}: lower {self.rate_flag}. The checkpoints of the epochs "
            "before stay as they are."
        )


class EvaluationCallback(keras.callbacks.Callback):
    """Has the tower judged after each epoch, and ends the training where the monitor has waited long enough."""

    def __init__(
        self,
        judge: Evaluator,
        objective: Objective,
        labels: NDArray[np.int64],
        artists: int,
        readout_width: int = 0,
    ) -> None:
        """What is judged, and what of it is a loss.

        Args:
            judge: of the tower.
            objective: what is minimised, for its validation loss.
            labels: (V,) who made the validation works; those trained on are below `artists`.
            artists: how many are trained on.
            readout_width: how many of an embedding's numbers are a readout's, of which there is no loss.
        """
        super().__init__()
        self.judge = judge
        self.objective = objective
        self.pace: ThroughputMonitor  # set by whoever runs the epochs
        self.labels = labels
        self.seen = labels < artists
        self.readout_width = readout_width

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {} if logs is None else logs
        metrics = {"train_loss": float(logs["loss"])}
        metrics["learning_rate"] = float(self.model.optimizer.learning_rate)
        metrics["images_per_second"] = self.pace.images_per_second
        try:
            embeddings = self.judge.embed()
        except GateError as error:  # the last step was too much: there is none after it whose loss would tell
            raise self.pace.diverged(str(error)) from error
        loss = self._validation_loss(trained_part(embeddings, self.readout_width))
        if math.isfinite(loss):
            metrics["val_loss"] = loss
        is_best, monitor = self.judge(embeddings, metrics), self.judge.monitor
        logs.update(metrics)  # TensorBoard's callback, which comes next, writes what stands here
        self.pace.progress.epoch(epoch + 1, metrics, best=is_best)
        if epoch == 0 and monitor.name != monitor.wanted:
            self.pace.progress.note(f"there is no {monitor.wanted} here: {monitor.name} decides what is best")
        self.model.stop_training = monitor.is_over

    def _validation_loss(self, embeddings: NDArray[np.float32]) -> float:
        if not self.seen.any():
            return math.nan
        return self.objective.validation_loss(embeddings[self.seen], self.labels[self.seen])
