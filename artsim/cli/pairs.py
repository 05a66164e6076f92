"""`artsim pairs`: write a file of pairs to score."""

from __future__ import annotations

from typing import Any

import click

from artsim.cli.options import (
    NAME,
    SPELLING,
    WithSwitches,
    columns_option,
    qualified_option,
    quiet_option,
    stderr_lines,
)
from artsim.cli.progress import stage_bars
from artsim.cli.sections import further_help

EPILOG = f"""
\b
Examples:
  artsim pairs paintings -o pairs.csv                          # all pairs of works
  artsim pairs works.csv --within group -o pairs.parquet       # only pairs inside a group
  artsim pairs paintings --queries found.jpg -o pairs.csv      # one work with every work of a collection
  artsim pairs train_info.csv --sample 10000 -o pairs.csv      # random pairs, half of them by the same artist
  artsim pairs paintings | artsim-score --model tower.onnx --data-dir paintings - > scores.csv

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("source", type=NAME, metavar="FOLDER_OR_CSV")
@click.option(
    "-o", "--output", type=NAME, default="-", show_default=True, metavar="FILE",
    help="File to write the pairs to: .csv or .jsonl, both also with .gz or .zst, or .parquet. - is standard output.",
)  # fmt: skip
@click.option(
    "--within", metavar="COLUMN",
    help="Pair only works with the same value in this column of the table. A folder with one subfolder per artist has "
    "the column artist.",
)  # fmt: skip
@click.option(
    "--queries", type=NAME, multiple=True, metavar="FOLDER_OR_CSV_OR_FILE",
    help="Pair each of these works with each work of FOLDER_OR_CSV. May be given several times.",
)  # fmt: skip
@click.option(
    "--sample", type=click.IntRange(min=2), metavar="N",
    help="Write N different random pairs, half of them by the same artist.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N",
    help="Seed of the random sample.",
)  # fmt: skip
@columns_option
@qualified_option
@quiet_option
def pairs(quiet: bool, **options: Any) -> None:
    """Write a file of pairs to score.

    FOLDER_OR_CSV is a folder of images, a folder with one subfolder per artist, or a table with the column filename
    (.csv, .jsonl or .parquet). Without --within, --queries or --sample, every work is paired once with every other one.

    The pairs have the columns image1,image2 and, if artists are known, sameArtist. It is empty for pairs with a work
    without an artist. Works are named by their path within the folder, or as in the table, so that artsim-score finds
    them under --data-dir. A query outside the folder is named by its full path.
    """
    from artsim.jobs.pairs import PairsOptions, make_pairs

    with stage_bars(quiet=quiet) as progress:
        make_pairs(PairsOptions(**options), stderr_lines(quiet=quiet), progress)
