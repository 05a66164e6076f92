"""What a person sees of a training run: epoch, step, images/s, losses, time left; on stderr."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class TrainingProgress:
    """A live line on a terminal and one lasting line an epoch; without a terminal, the lasting lines alone."""

    def __init__(self, epochs: int, steps: int, *, quiet: bool = False) -> None:
        self.epochs = epochs
        self.steps = steps
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=24),
            TextColumn("step {task.fields[step]}/{task.fields[steps]}"),
            TextColumn("{task.fields[pace]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=quiet or not self.console.is_terminal,
        )
        self.task: TaskID = self.bar.add_task(
            "train",
            total=epochs * steps,
            epoch=1,
            epochs=epochs,
            step=0,
            steps=steps,
            pace="the first step takes longest",
        )
        self.started = time.monotonic()

    def __enter__(self) -> TrainingProgress:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def step(self, epoch: int, step: int, speed: float, loss: float) -> None:
        """One optimiser's step is done; all numbers from 1."""
        done = (epoch - 1) * self.steps + step
        self.bar.update(
            self.task, completed=done, epoch=epoch, step=step, pace=f"{speed:.0f} images/s  loss {loss:.4f}"
        )

    def note(self, text: str) -> None:
        """Leave a line of its own."""
        self.console.print(text, soft_wrap=True)

    def epoch(self, epoch: int, metrics: dict[str, Any], *, best: bool) -> None:
        """Leave one line of an epoch's figures."""
        left = (time.monotonic() - self.started) / epoch * (self.epochs - epoch)
        shown = [("loss", "train_loss", ".4f"), ("val loss", "val_loss", ".4f")]
        shown += [("seen AUC", "val_seen_auc", ".3f"), ("unseen AUC", "val_unseen_auc", ".3f")]
        parts = [f"epoch {epoch:>{len(str(self.epochs))}}/{self.epochs}"]
        parts += [f"{label} {metrics[key]:{form}}" for label, key, form in shown if key in metrics]
        parts += [
            f"{metrics['images_per_second']:.0f} images/s",
            f"{int(left // 60)}:{int(left % 60):02d} left",
        ]
        self.console.print("  ".join(parts) + ("  best so far" if best else ""), soft_wrap=True)
