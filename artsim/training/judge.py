"""What happens around the steps: the pace is kept, and after each epoch the tower is judged and saved."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.errors import GateError
from artsim.training.batches import Works
from artsim.training.checkpoints import BEST, LAST, save_tower
from artsim.training.losses import Objective
from artsim.training.monitor import Monitor
from artsim.training.progress import TrainingProgress

Validate = Callable[[NDArray[np.float32]], dict[str, float]]
Report = Callable[[int, dict[str, float]], None]

EMBED_BATCH = 64


def embed(tower: keras.Model, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Embeddings float32 (N, D) of uint8 (N, S, S, 3), by TensorFlow."""
    blocks = [pixels[start : start + EMBED_BATCH] for start in range(0, len(pixels), EMBED_BATCH)]
    return np.concatenate([np.asarray(tower.predict_on_batch(block)) for block in blocks])


class Pace(keras.callbacks.Callback):
    """Measures images/s over the steps of an epoch, and stops a run whose loss is no number any more."""

    def __init__(self, progress: TrainingProgress, images_per_step: int) -> None:
        super().__init__()
        self.progress = progress
        self.images_per_step = images_per_step
        self.images_per_second = 0.0
        self.epoch = 0
        self.started = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch + 1
        self.started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise GateError(
                f"the loss is {loss} in epoch {self.epoch}, step {batch + 1}: lower --learning-rate. The checkpoints "
                "of the epochs before stay as they are."
            )
        self.images_per_second = (batch + 1) * self.images_per_step / (time.monotonic() - self.started)
        self.progress.step(self.epoch, batch + 1, self.images_per_second, loss)


class Judge(keras.callbacks.Callback):
    """Embeds the validation works after each epoch, reports the figures, keeps the best and the last tower.

    Ends the training where the monitor has waited long enough.
    """

    def __init__(
        self,
        tower: keras.Model,
        objective: Objective,
        pace: Pace,
        works: Works,
        checkpoint_dir: Path,
        validate: Validate,
        report: Report,
        monitor: Monitor,
    ) -> None:
        super().__init__()
        self.tower = tower
        self.objective = objective
        self.pace = pace
        self.works = works
        self.checkpoint_dir = checkpoint_dir
        self.validate = validate
        self.report = report
        self.monitor = monitor

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {} if logs is None else logs
        metrics = {"train_loss": float(logs["loss"]), **self._judge()}
        metrics["learning_rate"] = float(self.model.optimizer.learning_rate)
        metrics["images_per_second"] = self.pace.images_per_second
        is_best = self.monitor.is_best(metrics)
        metrics["best_epoch"] = self.monitor.best_epoch
        logs.update(metrics)  # TensorBoard's callback, which comes next, writes what stands here
        if is_best:
            save_tower(self.tower, self.checkpoint_dir / BEST)
        save_tower(self.tower, self.checkpoint_dir / LAST)
        self.report(epoch + 1, metrics)
        self.pace.progress.epoch(epoch + 1, metrics, best=is_best)
        if epoch == 0 and self.monitor.name != self.monitor.wanted:
            self.pace.progress.note(f"there is no {self.monitor.wanted} here: {self.monitor.name} decides what is best")
        self.model.stop_training = self.monitor.is_over

    def _judge(self) -> dict[str, float]:
        embeddings = embed(self.tower, self.works.pixels)
        figures = self.validate(embeddings)
        seen = self.works.labels >= 0
        loss = self.objective.validation_loss(embeddings[seen], self.works.labels[seen]) if seen.any() else math.nan
        return {**({"val_loss": loss} if math.isfinite(loss) else {}), **figures}
