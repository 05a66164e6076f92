"""`artsim report`: one HTML file about the scores of pairs."""

from __future__ import annotations

from typing import Any

import click

from artsim.cli.options import (
    MAX_PIXELS,
    SPELLING,
    WithSwitches,
    columns_option,
    qualified_option,
    quiet_option,
    say_report,
    stderr_lines,
    this_command,
    tower_options,
    works_option,
)
from artsim.cli.progress import stage_bars
from artsim.cli.sections import further_help

EPILOG = f"""
\b
Examples:
  artsim report scores.csv -o report.html
  artsim report scores.csv -o report.html --data-dir images --works works.csv
  artsim report scores.parquet -o report.html --summary summary.json --embeddings store.parquet
  artsim-score pairs.csv -o scores.csv --report report.html

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("scores", metavar="SCORES")
@click.option("-o", "--output", required=True, metavar="FILE.html", help="File to write the report to.")
@click.option(
    "--data-dir", metavar="DIR", help="Folder of the images. Default: the folder of SCORES."
)  # fmt: skip
@works_option
@columns_option
@qualified_option
@click.option(
    "--summary", metavar="FILE.json",
    help="Summary of the run that made the scores. It says the cohort, the threshold and the prior.",
)  # fmt: skip
@click.option(
    "--embeddings", metavar="FILE.parquet", help="Embedding store of the tower. Images in it are not embedded again."
)  # fmt: skip
@tower_options
@click.option(
    "--max-pixels", type=click.IntRange(min=1), default=MAX_PIXELS, show_default=True, metavar="N",
    help="Largest number of pixels of an image. A larger image is not shown.",
)  # fmt: skip
@quiet_option
def report(quiet: bool, **options: Any) -> None:
    """Write a report of scores: one HTML file with metrics, the pairs that fail, and a map of the paintings.

    SCORES is a file that artsim-score wrote: .csv, .jsonl or .parquet. The report shows how good the scores are if the
    pairs are labelled, by a column sameArtist or by the artists of --works. It needs no network. An image that is
    missing or unreadable is left out of it.
    """
    from artsim.jobs.report import ReportOptions, make_report

    # The tower that comes with artsim is only tried, while one that the user names must be that of the scores.
    context = click.get_current_context()
    if context.get_parameter_source("model") is click.core.ParameterSource.DEFAULT:
        options["model"] = None
    with stage_bars(quiet=quiet) as progress:
        make_report(ReportOptions(**options, command=this_command()), progress, stderr_lines(quiet=quiet))
    say_report(options["output"], quiet=quiet)
