"""Progress bars: one for each stage of a command, on stderr, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from artsim.messages import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, TaskID


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


def live_bar(console: Console, *columns: ProgressColumn) -> Bar:
    """A bar in the look of all commands, with further columns. Shown on a terminal only, and removed at its end."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    look = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    is_hidden = console.quiet or not console.is_terminal
    return Bar(*look, *columns, console=console, transient=True, disable=is_hidden)


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

        progress = live_bar(Console(stderr=True))
        self._stage, self._live = stage, (progress, progress.add_task(stage, total=total))
        progress.start()
