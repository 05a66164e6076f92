"""What a command writes to standard error: progress bars and the summary."""

from __future__ import annotations

from collections.abc import Sequence

import click

from artsim.cli.options import echo_error
from artsim.escaping import printable
from artsim.progress_bars import stage_bars

__all__ = ["print_summary", "stage_bars"]


def print_summary(lines: Sequence[tuple[str, str]], *, quiet: bool) -> None:
    """Write the names and values of a summary to standard error, unless quiet."""
    from artsim.evaluation.summary import aligned

    for name, value in [] if quiet else aligned(lines):
        echo_error(f"{click.style(printable(name), bold=True)}  {printable(value)}")
