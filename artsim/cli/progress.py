"""How far a command has come: a bar for each stage, on stderr, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Told of the stage, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


@contextmanager
def stage_bars(*, quiet: bool) -> Iterator[Progress]:
    """Bars that go when the block ends; nothing is shown where nobody looks, or nobody wants to."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, visible=done < total)

        yield show
