"""The terminal display of a training, on standard error: a live bar for each stage, and one lasting line an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import TextColumn

from artsim.progress_bars import clock_time, live_bar
from artsim.training.loop.hooks import TrainingDisplay
from artsim.training.loop.plan import Stage

# Label, metric key and format of the values in an epoch's line; the group of the stage's own metrics is filled in.
SHOWN = (
    ("loss", "{group}/loss", ".4f"),
    ("val loss", "val_seen/loss", ".4f"),
    ("seen AUC", "val_seen/auc", ".3f"),
    ("unseen AUC", "val_unseen/auc", ".3f"),
)


class TerminalDisplay(TrainingDisplay):
    """Shows the live bar on a terminal only, and the lines of the epochs unless `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False)

    @contextmanager
    def training(self, stage: Stage) -> Iterator[None]:
        """Show the bar until the end of the stage."""
        self._stage = stage
        with live_bar(self._console, TextColumn("{task.fields[pace]}")) as self._bar:
            self._task = self._bar.add_task(self._title(1), total=stage.units, pace="starting …")
            yield

    def step(self, epoch: int, step: int, images_per_second: float, loss: float, seconds_left: float | None) -> None:
        """Move the bar."""
        pace = [f"{images_per_second:.0f} images/s", f"loss {loss:.4f}"]
        if seconds_left is not None:
            pace.append(f"{clock_time(seconds_left)} left in all")
        completed = (epoch - 1) * self._stage.steps + step
        self._bar.update(self._task, description=self._title(epoch), completed=completed, pace="  ".join(pace))

    def epoch(self, epoch: int, metrics: Mapping[str, float], *, is_best: bool, seconds_left: float | None) -> None:
        """Print the line of an epoch."""
        group = self._stage.group
        shown = [(label, key.format(group=group), form) for label, key, form in SHOWN]
        parts = [
            self._title(epoch),
            *(f"{label} {metrics[key]:{form}}" for label, key, form in shown if key in metrics),
            f"{metrics[f'{group}/images_per_second']:.0f} images/s",
        ]
        if seconds_left is not None:
            parts.append(f"{clock_time(seconds_left)} left")
        self._console.print("  ".join(parts) + ("  best so far" if is_best else ""), soft_wrap=True)

    def _title(self, epoch: int) -> str:
        """The epoch, after the stage if the training has several fits or stages."""
        epochs = self._stage.epochs
        number = f"epoch {epoch:>{len(str(epochs))}}/{epochs}"
        return number if self._stage.title == "training" else f"{self._stage.title}  {number}"
