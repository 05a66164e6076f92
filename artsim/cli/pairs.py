"""`artsim pairs`: make a file of pairs to score."""

from __future__ import annotations

from typing import Any

import click

from artsim.cli.options import SPELLING, exit_codes_help, quiet_option, stderr_lines
from artsim.cli.progress import stage_bars

EPILOG = f"""
\b
Examples:
  artsim pairs paintings -o pairs.csv                             # each work with each other work
  artsim pairs works.csv --within group -o pairs.parquet          # only inside each group
  artsim pairs paintings --queries found.jpg -o pairs.csv         # one work with a whole collection
  artsim pairs train_info.csv --sample 10000 -o pairs.csv         # half by the same artist, half not
  artsim pairs paintings | artsim-score --model tower.onnx --data-dir paintings - > scores.csv

{exit_codes_help()}
"""


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.argument("source", metavar="FOLDER_OR_CSV")
@click.option(
    "-o", "--output", default="-", show_default=True, metavar="FILE",
    help="Output file: .csv, .jsonl (also .gz or .zst) or .parquet. - is standard output.",
)  # fmt: skip
@click.option(
    "--within", metavar="COLUMN",
    help="Pair only works with the same value in this column of the csv. A folder of artists has the column artist.",
)  # fmt: skip
@click.option(
    "--queries", multiple=True, metavar="FOLDER_OR_CSV_OR_FILE",
    help="Pair each of these works with each work of FOLDER_OR_CSV. May be given several times.",
)  # fmt: skip
@click.option(
    "--sample", type=click.IntRange(min=2), metavar="N",
    help="Draw N different pairs at random, half of them by the same artist.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the sample.")
@quiet_option
def pairs(quiet: bool, **options: Any) -> None:
    """Make a file of pairs to score. Without a flag, each work is paired once with each other work.

    FOLDER_OR_CSV is a folder of works, a folder with one folder for each artist, or a csv with the column filename.
    The pairs have the columns image1,image2, and sameArtist if all artists are known. A work is named by its path
    within the folder or as in the csv, so that artsim-score finds it under --data-dir. A query from another place
    has its full path.
    """
    from artsim.jobs.pairs import PairsOptions, make_pairs

    with stage_bars(quiet=quiet) as progress:
        make_pairs(PairsOptions(**options), stderr_lines(quiet=quiet), progress)
