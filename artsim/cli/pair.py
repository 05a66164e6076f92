"""`artsim pair`."""

from __future__ import annotations

from typing import Any

import click

from artsim.cli.options import (
    MAX_PIXELS,
    NAME,
    SPELLING,
    WithSwitches,
    columns_option,
    prior_option,
    quiet_option,
    stderr_lines,
    tower_options,
)
from artsim.cli.progress import stage_bars
from artsim.cli.sections import further_help
from artsim.errors import UsageError
from artsim.escaping import printable_lines

EPILOG = f"""
\b
Examples:
  artsim pair a.jpg b.jpg
  artsim pair a.jpg b.jpg --cohort photographs
  artsim pair a.jpg b.jpg --model tower.onnx --prior 0.01

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("image1", type=NAME)
@click.argument("image2", type=NAME)
@tower_options
@prior_option
@click.option(
    "--cohort", type=NAME, default="none", show_default=True, metavar="FOLDER|CSV|FILE.parquet|none",
    help="Unlabelled works photographed like these two, to which the distance adapts: a folder, a table with the "
    "column filename, or an embedding store.",
)  # fmt: skip
@columns_option
@click.option(
    "--max-pixels", type=click.IntRange(min=1), default=MAX_PIXELS, show_default=True, metavar="N",
    help="Largest number of pixels of an image. A larger image is not decoded.",
)  # fmt: skip
@quiet_option
def pair(quiet: bool, **options: Any) -> None:
    """Are two paintings by the same artist? Score two images, and say what to make of it.

    IMAGE1 and IMAGE2 are image files. For many pairs, use artsim score.
    """
    from artsim.jobs.pair import PairOptions, score_pair

    if options["columns"] is not None and options["cohort"] == "none":
        raise UsageError("--columns names columns of the cohort's table. Add --cohort, or leave out --columns.")
    with stage_bars(quiet=quiet) as progress:
        answer = score_pair(PairOptions(**options), progress, stderr_lines(quiet=quiet))
    click.echo(printable_lines("\n".join(answer.lines())))
