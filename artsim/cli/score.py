"""`artsim score`, also installed as `artsim-score`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from artsim.bad_images import BadImageLimit
from artsim.cli.extras import needs_spark_extra
from artsim.cli.options import SPELLING, bad_image_options, exit_codes_help, quiet_option, tower_options
from artsim.cli.progress import stage_bars
from artsim.errors import UsageError
from artsim.messages import Progress

if TYPE_CHECKING:
    from artsim.evaluation.summary import Summary
    from artsim.jobs.score import ScoreOptions

EPILOG = f"""
\b
Examples:
  artsim-score --model tower.onnx pairs.csv
  artsim-score --model tower.onnx pairs.csv --data-dir images -o scores.parquet
  artsim-score --model tower.onnx --prior 0.01 --max-bad-images 1% pairs.csv -o scores.csv
  artsim-score --model tower.onnx --embeddings store.parquet pairs.csv -o scores.csv.gz
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
    help="Output file: .csv, .jsonl (also .gz or .zst) or .parquet. - is standard output.",
)  # fmt: skip
@click.option(
    "--format", type=click.Choice(["csv", "jsonl", "parquet", "kaggle"]),
    help="Output format. Default: from the suffix. kaggle writes index,sameArtist with the probability.",
)  # fmt: skip
@click.option(
    "--embeddings", metavar="FILE.parquet",
    help="Embedding store. Its embeddings are used, and new ones are added. Images may exist only there.",
)  # fmt: skip
@click.option(
    "--data-dir",
    metavar="DIR",
    help="Folder of the images. Default: the folder of the pairs; for -, the working folder.",
)
@click.option(
    "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True,
    help="spark scores on a cluster (docs/cluster.md). The output is then a folder of parquet files.",
)  # fmt: skip
@click.option(
    "--master", metavar="URL", help="Spark master: spark://HOST:PORT, yarn, local[2]. Default: Spark's own setting."
)
@click.option(
    "--threshold", type=float, help="Predict the same artist below this distance. Default: the tower's threshold."
)
@click.option(
    "--prior", type=float, help="Share of same-artist pairs that probabilities assume, 0 to 1. Default: the tower's."
)
@bad_image_options(default="0")
@click.option("--summary", metavar="FILE.json", help="Also write the summary to this file, as JSON.")
@quiet_option
def score(max_bad_images: BadImageLimit, quiet: bool, engine: str, master: str | None, **options: Any) -> None:
    """Score pairs of paintings: their distance, and the probability of the same artist.

    PAIRS.CSV (or .jsonl or .parquet; - is standard input) needs the columns image1,image2 or img1,img2. The output
    has all columns of the input, then distance, probability, prediction (1: same artist) and status. The status is
    ok, or it says which image is missing, unreadable or too large. If the input has the column sameArtist (0 or 1),
    the summary has metrics.

    To resume an interrupted run, start the same command again. Output to standard output cannot be resumed.
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


def _on_spark(options: ScoreOptions, master: str | None, progress: Progress) -> Summary:
    needs_spark_extra()
    from artsim.jobs.score_spark import score_on_spark

    return score_on_spark(options, master, progress)
