"""Progress bars on standard error: how much of a stage is done, how fast it goes, and the time that is left."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, TaskID

    from artsim.messages import Progress

LINES_EVERY = 0.2  # seconds between two lines of a notebook
PACE_OF = 20.0  # the seconds that a pace is of: stored embeddings at the start say nothing of the rest
REPORTS_EVERY = 0.2  # seconds between two reports that are kept for it


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


@contextmanager
def shown(progress: bool | Progress) -> Iterator[Progress]:
    """The progress that a caller in Python asks for: none, bars on a terminal or in a notebook, or a function."""
    if callable(progress):
        yield progress
    elif progress and _is_notebook():
        yield _Lines().update
    else:
        with stage_bars(quiet=not progress) as bars:
            yield bars


def _is_notebook() -> bool:
    """Whether a notebook shows standard error. It has no terminal, but a line may be written again."""
    from rich.console import Console

    return Console(stderr=True).is_jupyter


def live_bar(console: Console, *columns: ProgressColumn) -> Bar:
    """A bar in the look of all commands, with further columns. Shown on a terminal only, and removed at its end."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    look = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    is_hidden = console.quiet or not console.is_terminal
    return Bar(*look, *columns, console=console, transient=True, disable=is_hidden)


class Pace:
    """How fast a stage has gone of late, and the time that is left. The first report says where the stage starts."""

    def __init__(self, done: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._reports = deque([(clock(), done)])
        self._has_start = True  # among the reports

    def text(self, done: int, total: int) -> str:
        """For example `12.5/s  0:42 left`, or `starting …` before anything is done."""
        now = self._clock()
        while len(self._reports) > 1 and self._reports[1][0] <= now - PACE_OF:
            self._reports.popleft()
        if now - self._reports[-1][0] >= REPORTS_EVERY:
            self._reports.append((now, done))
        if self._has_start and len(self._reports) > 2:  # what started before the first item is no part of the pace
            self._reports.popleft()
            self._has_start = False
        since, before = self._reports[0]
        if done <= before or now <= since:
            return "starting …"
        rate = (done - before) / (now - since)
        return f"{rate:,.{1 if rate < 100 else 0}f}/s  {clock_time((total - done) / rate)} left"


def clock_time(seconds: float) -> str:
    """A time as 0:05, 12:34 or 1:23:45."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class _Lines:
    """One line for each stage, which is written again and again: what a notebook can show."""

    def __init__(self) -> None:
        self._stage, self._pace, self._written = "", Pace(0), 0.0

    def update(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._stage, self._pace, self._written = stage, Pace(done), 0.0
        is_last, now = done >= total, time.monotonic()
        if is_last or now - self._written >= LINES_EVERY:
            self._written = now
            line = f"\r{stage} {done:,}/{total:,}  {self._pace.text(done, total)}"
            sys.stderr.write(f"{line:<70}{chr(10) if is_last else ''}")
            sys.stderr.flush()


class _Bars:
    """At most one live bar at a time. Between stages there is none, because others write to the terminal."""

    def __init__(self) -> None:
        self._stage: str | None = None
        self._live: tuple[Bar, TaskID, Pace] | None = None

    def update(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self.stop()
            self._start(stage, done, total)
        if self._live:
            display, task, pace = self._live
            display.update(task, completed=done, pace=pace.text(done, total))
        if done >= total:
            self.stop()

    def stop(self) -> None:
        if self._live:
            with suppress(OSError):  # the terminal is gone
                self._live[0].stop()
        self._stage, self._live = None, None

    def _start(self, stage: str, done: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import TextColumn

        display = live_bar(Console(stderr=True), TextColumn("{task.fields[pace]}"))
        task = display.add_task(stage, total=total, pace="starting …")
        self._stage, self._live = stage, (display, task, Pace(done))
        display.start()
