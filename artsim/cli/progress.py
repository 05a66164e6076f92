"""How far a command has come: a bar for each stage, on stderr, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

# Told of the stage, how much of it is done, and how much there is.
Tell = Callable[[str, int, int], None]


@contextmanager
def stage_bars(*, quiet: bool) -> Iterator[Tell]:
    """Bars that go when their stage is done; nothing is shown where nobody looks, or nobody wants to."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    bars = _Bars()
    try:
        yield bars.tell
    finally:
        bars.stop()


class _Bars:
    """One live display at a time, and none between stages: others write to the terminal then."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._live: tuple[Progress, TaskID] | None = None

    def tell(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self.stop()
            self._start(stage, total)
        if self._live:
            progress, task = self._live
            progress.update(task, completed=done)
        if done >= total:
            self.stop()

    def stop(self) -> None:
        if self._live:
            self._live[0].stop()
        self._stage, self._live = None, None

    def _start(self, stage: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._stage, self._live = stage, (progress, progress.add_task(stage, total=total))
        progress.start()
