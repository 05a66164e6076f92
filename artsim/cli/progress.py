"""Progress bars: one for each stage of a command, on stderr, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from artsim.messages import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID


@contextmanager
def stage_bars(*, quiet: bool) -> Iterator[Progress]:
    """Yield a progress callback. Its bars disappear when their stage is done; without a terminal there are none."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    bars = _Bars()
    try:
        yield bars.tell
    finally:
        bars.stop()


class _Bars:
    """At most one live display. There is none between stages, when others write to the terminal."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._live: tuple[Bar, TaskID] | None = None

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
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        progress = Bar(*columns, console=Console(stderr=True), transient=True)
        self._stage, self._live = stage, (progress, progress.add_task(stage, total=total))
        progress.start()
