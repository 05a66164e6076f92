"""`artsim pairs`: make a file of pairs to score."""

from __future__ import annotations

from typing import Any

import click

from artsim.cli.options import SPELLING, exit_codes_help, quiet_option
from artsim.cli.progress import stage_bars

EPILOG = f"""
\b
Examples:
  artsim pairs paintings -o pairs.csv                             # every work with every other one
  artsim pairs works.csv --within group -o pairs.parquet          # inside each group only
  artsim pairs paintings --queries found.jpg -o pairs.csv         # one work with a whole collection
  artsim pairs train_info.csv --sample 10000 -o pairs.csv         # half by the same artist, half not
  artsim pairs paintings | artsim-score --model tower.onnx --data-dir paintings - > scores.csv

{exit_codes_help()}
"""


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.argument("source", metavar="FOLDER_OR_CSV")
@click.option(
    "-o", "--output", default="-", show_default=True, metavar="FILE",
    help="Where the pairs go: .csv or .jsonl, also .csv.gz and the like or .zst, .parquet, - for standard output.",
)  # fmt: skip
@click.option(
    "--within", metavar="COLUMN",
    help="Only works with the same value of this column of the csv; of a folder with one folder an artist: artist.",
)  # fmt: skip
@click.option(
    "--queries", multiple=True, metavar="FOLDER_OR_CSV_OR_FILE",
    help="Each of these works with each of FOLDER_OR_CSV; may be given several times.",
)  # fmt: skip
@click.option(
    "--sample", type=click.IntRange(min=2), metavar="N",
    help="N different pairs at random, half of them by the same artist.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the sample.")
@quiet_option
def pairs(quiet: bool, **options: Any) -> None:
    """Make a file of pairs to score: without a flag, every work with every other one, once.

    FOLDER_OR_CSV holds the works, a folder with one folder an artist or the works themselves, or is a csv with the
    column filename. The pairs have the columns image1,image2 and, where all artists are known, sameArtist. Works are
    named by their path within the folder, or as the csv names them, which is how artsim-score looks them up under
    --data-dir; a query from elsewhere by its full path.
    """
    from artsim.jobs.pairs import PairsOptions, make_pairs

    def say(note: str) -> None:
        if not quiet:
            click.echo(note, err=True)

    with stage_bars(quiet=quiet) as progress:
        make_pairs(PairsOptions(**options), say, progress)
