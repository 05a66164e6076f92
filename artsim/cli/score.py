"""`artsim score`, which is also `artsim-score`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from artsim.bad_images import BadImageLimit
from artsim.cli.extras import needs_spark_extra
from artsim.cli.options import SPELLING, bad_image_options, exit_codes_help, quiet_option, tower_options
from artsim.cli.progress import Tell, stage_bars
from artsim.errors import UsageError

if TYPE_CHECKING:
    from artsim.evaluation.summary import Summary
    from artsim.jobs.score import ScoreOptions

EPILOG = f"""
\b
Examples:
  artsim-score --model tower.onnx pairs.csv
  artsim-score --model tower.onnx pairs.csv --data-dir images -o scores.parquet
  artsim-score --model tower.onnx --prior 0.01 --max-bad-images 1% pairs.csv -o scores.csv
  artsim-score --model tower.onnx --embeddings kept.parquet pairs.csv -o scores.csv.gz
  artsim-score --model tower.onnx --format kaggle submission_info.csv -o submission.csv
  artsim-score --model tower.onnx --engine spark --master spark://host:7077 pairs.csv -o scores.parquet
  cat pairs.csv | artsim-score --model tower.onnx - --quiet > scores.csv

{exit_codes_help()}
"""


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.argument("pairs", metavar="PAIRS.CSV")
@tower_options
@click.option(
    "-o", "--output", default="-", show_default=True, metavar="FILE",
    help="Where the scores go: .csv, .jsonl (either also .gz or .zst) or .parquet, - for standard output.",
)  # fmt: skip
@click.option(
    "--format", type=click.Choice(["csv", "jsonl", "parquet", "kaggle"]),
    help="What is written; default: by the suffix. kaggle is index,sameArtist with the probability.",
)  # fmt: skip
@click.option(
    "--embeddings", metavar="FILE.parquet",
    help="Take embeddings from there, and keep new ones; images may exist only there.",
)  # fmt: skip
@click.option("--data-dir", metavar="DIR", help="Where the images lie; default: beside the pairs, for - here.")
@click.option(
    "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True,
    help="spark: on a cluster, as docs/cluster.md says; OUTPUT is a folder of parquet files then.",
)  # fmt: skip
@click.option(
    "--master", metavar="URL", help="The cluster: spark://HOST:PORT, yarn, local[2]; default: Spark's setting."
)
@click.option("--threshold", type=float, help="Same artist below this distance; default: the tower's.")
@click.option("--prior", type=float, help="Share of the pairs by the same artist, 0 to 1; default: the tower's.")
@bad_image_options(default="0")
@click.option("--summary", metavar="FILE.json", help="Also write the summary there, as JSON.")
@quiet_option
def score(max_bad_images: BadImageLimit, quiet: bool, engine: str, master: str | None, **options: Any) -> None:
    """Score pairs of paintings: how far apart they are, and how likely by the same artist.

    PAIRS.CSV (or .jsonl or .parquet, - for standard input) has the columns image1,image2 or img1,img2; with a
    column sameArtist of 0 and 1 the scores are measured, too. Its columns come out as they were, then distance,
    probability, prediction (1 for the same artist) and status (ok, or which image is missing, unreadable or too
    large).

    A run that was killed goes on where it was if the same command is started again; what goes to standard
    output can't.
    """
    from artsim.evaluation.summary import aligned
    from artsim.jobs.score import ScoreOptions, check_bad_images, score_pairs

    if master is not None and engine != "spark":
        raise UsageError("--master goes with --engine spark.")
    with stage_bars(quiet=quiet) as progress:
        if engine == "spark":
            summary = _on_spark(ScoreOptions(**options), master, progress)
        else:
            summary = score_pairs(ScoreOptions(**options), progress)
    if not quiet:
        for name, value in aligned(summary.lines()):
            click.echo(f"{click.style(name, bold=True)}  {value}", err=True)
    check_bad_images(summary, max_bad_images)


def _on_spark(options: ScoreOptions, master: str | None, progress: Tell) -> Summary:
    needs_spark_extra()
    from artsim.jobs.score_spark import score_on_spark

    return score_on_spark(options, master, progress)
