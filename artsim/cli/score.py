"""`artsim score`, which is also `artsim-score`."""

from __future__ import annotations

from typing import Any

import click

from artsim.cli.options import SPELLING, bad_image_options, exit_codes_help, quiet_option, tower_options
from artsim.cli.progress import stage_bars

EPILOG = f"""
\b
Examples:
  artsim-score --model tower.onnx pairs.csv
  artsim-score --model tower.onnx pairs.csv --data-dir images -o scores.parquet
  artsim-score --model tower.onnx --prior 0.01 --max-bad-images 1% pairs.csv -o scores.csv
  cat pairs.csv | artsim-score --model tower.onnx - --quiet > scores.csv

{exit_codes_help()}
"""


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.argument("pairs", metavar="PAIRS.CSV")
@tower_options
@click.option(
    "-o", "--output", default="-", show_default=True, metavar="FILE",
    help="Where the scores go: .csv, .jsonl or .parquet, - for standard output.",
)  # fmt: skip
@click.option("--data-dir", metavar="DIR", help="Where the images lie; default: beside the pairs, for - here.")
@click.option("--threshold", type=float, help="Same artist below this distance; default: the tower's.")
@click.option("--prior", type=float, help="Share of the pairs by the same artist, 0 to 1; default: the tower's.")
@bad_image_options(default="0")
@click.option("--summary", metavar="FILE.json", help="Also write the summary there, as JSON.")
@quiet_option
def score(max_bad_images: str, quiet: bool, **options: Any) -> None:
    """Score pairs of paintings: how far apart they are, and how likely by the same artist.

    PAIRS.CSV (- for standard input) has the columns image1,image2 or img1,img2; with a column sameArtist of
    0 and 1 the scores are measured, too. Its columns come out as they were, then distance, probability,
    prediction (1 for the same artist) and status (ok, or which image is missing, unreadable or too large).
    """
    from artsim.jobs.allowance import Allowance
    from artsim.jobs.score import ScoreOptions, check_bad_images, score_pairs
    from artsim.scoring.summary import aligned

    allowance = Allowance.parse(max_bad_images)
    with stage_bars(quiet=quiet) as progress:
        summary = score_pairs(ScoreOptions(**options), progress)
    if not quiet:
        for name, value in aligned(summary.lines()):
            click.echo(f"{click.style(name, bold=True)}  {value}", err=True)
    check_bad_images(summary, allowance)
