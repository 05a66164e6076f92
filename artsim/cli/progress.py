"""What a command writes to standard error: progress bars and the summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from artsim.cli.options import echo_error
from artsim.escaping import printable
from artsim.progress_bars import stage_bars

__all__ = ["print_summary", "shown_lines", "stage_bars"]


def print_summary(lines: Sequence[tuple[str, str]], *, quiet: bool) -> None:
    """Write the names and values of a summary to standard error, unless quiet."""
    for line in shown_lines([] if quiet else lines):
        echo_error(line)


def shown_lines(lines: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Names and values as lines of a terminal, the names in bold and of one width."""
    width = max((len(name) for name, _ in lines), default=0)
    for name, value in lines:
        yield f"{click.style(printable(name.ljust(width)), bold=True)}  {printable(value)}"
