"""The terminal display of a training, on standard error: a live bar, and one lasting line an epoch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import TextColumn

from artsim.cli.progress import live_bar
from artsim.training.loop.hooks import TrainingDisplay

# Label, metric key and format of the values in an epoch's line.
SHOWN = (
    ("loss", "train/loss", ".4f"),
    ("val loss", "val_seen/loss", ".4f"),
    ("seen AUC", "val_seen/auc", ".3f"),
    ("unseen AUC", "val_unseen/auc", ".3f"),
)


class TerminalDisplay(TrainingDisplay):
    """Shows the live bar on a terminal only, and the lines of the epochs unless `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False)

    @contextmanager
    def training(self, epochs: int, steps: int) -> Iterator[None]:
        """Show the bar until the end of the training."""
        self._epochs, self._steps, self._started = epochs, steps, time.monotonic()
        with live_bar(self._console, TextColumn("{task.fields[pace]}")) as self._bar:
            self._task = self._bar.add_task(f"epoch 1/{epochs}", total=epochs * steps, pace="starting …")
            yield

    def step(self, epoch: int, step: int, images_per_second: float, loss: float) -> None:
        """Move the bar."""
        self._bar.update(
            self._task,
            description=f"epoch {epoch}/{self._epochs}",
            completed=(epoch - 1) * self._steps + step,
            pace=f"{images_per_second:.0f} images/s  loss {loss:.4f}",
        )

    def epoch(self, epoch: int, metrics: Mapping[str, float], *, is_best: bool) -> None:
        """Print the line of an epoch."""
        seconds = round((time.monotonic() - self._started) / epoch * (self._epochs - epoch))
        parts = [
            f"epoch {epoch:>{len(str(self._epochs))}}/{self._epochs}",
            *(f"{label} {metrics[key]:{form}}" for label, key, form in SHOWN if key in metrics),
            f"{metrics['train/images_per_second']:.0f} images/s",
            f"{seconds // 60}:{seconds % 60:02d} left",
        ]
        self._console.print("  ".join(parts) + ("  best so far" if is_best else ""), soft_wrap=True)
