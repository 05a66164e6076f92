"""What a command writes to standard error: progress bars and the summary."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from artsim.cli.options import echo_error
from artsim.escaping import printable
from artsim.messages import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, TaskID


def print_summary(lines: Sequence[tuple[str, str]], *, quiet: bool) -> None:
    """Write the names and values of a summary to standard error, unless quiet."""
    from artsim.evaluation.summary import aligned

    for name, value in [] if quiet else aligned(lines):
        echo_error(f"{click.style(printable(name), bold=True)}  {printable(value)}")


@contextmanager
def stage_bars(*, quiet: bool) -> Iterator[Progress]:
    """Show a progress bar for each stage while it runs, if standard error is a terminal and not quiet."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    bars = _Bars()
    try:
        yield bars.update
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
    """At most one live bar at a time. Between stages there is none, because others write to the terminal."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._live: tuple[Bar, TaskID] | None = None

    def update(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self.stop()
            self._start(stage, total)
        if self._live:
            display, task = self._live
            display.update(task, completed=done)
        if done >= total:
            self.stop()

    def stop(self) -> None:
        if self._live:
            with suppress(OSError):  # the terminal is gone
                self._live[0].stop()
        self._stage, self._live = None, None

    def _start(self, stage: str, total: int) -> None:
        from rich.console import Console

        progress = live_bar(Console(stderr=True))
        self._stage, self._live = stage, (progress, progress.add_task(stage, total=total))
        progress.start()
