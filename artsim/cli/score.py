"""`artsim score`, also installed as `artsim-score`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from artsim.cli.extras import needs_spark_extra
from artsim.cli.options import (
    FOLDER,
    NAME,
    SPELLING,
    WithSwitches,
    bad_image_options,
    cohort_option,
    columns_option,
    is_launched,
    prior_option,
    quiet_option,
    say_report,
    stderr_lines,
    switch,
    this_command,
    tower_options,
    works_option,
)
from artsim.cli.progress import print_summary, stage_bars
from artsim.cli.sections import further_help
from artsim.errors import UsageError

if TYPE_CHECKING:
    from artsim.bad_images import BadImageLimit
    from artsim.evaluation.summary import Summary
    from artsim.jobs.score import ScoreOptions
    from artsim.messages import Progress, Say

EPILOG = f"""
\b
Examples:
  artsim-score --model tower.onnx pairs.csv
  artsim-score --model tower.onnx pairs.csv --data-dir images -o scores.parquet
  artsim-score --model tower.onnx --prior 0.01 --max-bad-images 1% pairs.csv -o scores.csv
  artsim-score --model tower.onnx --embeddings store.parquet pairs.csv -o scores.csv.gz
  artsim-score --model tower.onnx --cohort photographs pairs.csv -o scores.csv
  artsim-score pairs.csv -o scores.csv --report report.html --works works.csv
  artsim-score pairs.csv --top 50 --works works.csv -o best.csv
  artsim-score --model tower.onnx --evidence --unfamiliar pairs.csv -o scores.csv
  artsim-score --model tower.onnx --format kaggle submission_info.csv -o submission.csv
  artsim-score --model tower.onnx --engine spark --master spark://host:7077 pairs.csv -o scores.parquet
  cat pairs.csv | artsim-score --model tower.onnx - --quiet > scores.csv

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("pairs", type=NAME, metavar="PAIRS.CSV")
@tower_options
@click.option(
    "-o", "--output", type=NAME, default="-", show_default=True, metavar="FILE",
    help="File to write the scores to: .csv or .jsonl, both also with .gz or .zst, or .parquet. - is standard output.",
)  # fmt: skip
@click.option(
    "--format", type=click.Choice(["csv", "jsonl", "parquet", "kaggle"]),
    help="Format of the scores. Default: the format of the output's suffix, csv for standard output. kaggle is a csv "
    "with the columns index,sameArtist; sameArtist is the probability.",
)  # fmt: skip
@click.option(
    "--embeddings", type=NAME, metavar="FILE.parquet",
    help="Embedding store. Embeddings are taken from it, and new ones are added. Images in it need not exist as files.",
)  # fmt: skip
@click.option(
    "--data-dir", type=FOLDER, metavar="DIR",
    help="Folder of the images. Default: the folder of PAIRS.CSV; for standard input, the working folder.",
)  # fmt: skip
@click.option(
    "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True,
    help="Where to score: local is this computer, spark is a Spark cluster (see docs/spark.md). With spark, the output "
    "is a folder of parquet files.",
)  # fmt: skip
@click.option(
    "--master", metavar="URL",
    help="URL of the Spark cluster: spark://HOST:PORT, yarn or local[2]. Default: the setting of Spark.",
)  # fmt: skip
@click.option(
    "--threshold", type=float, metavar="DISTANCE",
    help="Predict the same artist for distances below this one. Default: the threshold of the tower. With a "
    "cohort, this is an adapted distance.",
)  # fmt: skip
@prior_option
@cohort_option("the images of the pairs")
@columns_option
@switch(
    "--evidence",
    help="Add the column log10_lr: the base-10 logarithm of the likelihood ratio, which does not depend on --prior.",
)  # fmt: skip
@switch(
    "--unfamiliar",
    help="Add the column unfamiliar: image1, image2 or both, where an image is different from the training "
    "photographs.",
)  # fmt: skip
@switch(
    "--same-work",
    help="Add the column same_work: 1 where both images are photographs of one painting, for example one of them grey, "
    "framed or cropped. Their score says nothing about the artist. Not with --engine spark.",
)  # fmt: skip
@click.option(
    "--top", type=click.IntRange(1, 1_000_000), metavar="N",
    help="Write only the N best rows, the best first: by --sort, else by the probability. The summary is of all pairs. "
    "Not with --engine spark.",
)  # fmt: skip
@click.option(
    "--sort", type=click.Choice(["probability", "distance"]),
    help="Write the rows in this order, the most probable or the nearest pair first; rows without scores last. At most "
    "1,000,000 rows without --top. Default: the order of PAIRS.CSV. Not with --engine spark.",
)  # fmt: skip
@bad_image_options(default="0")
@click.option("--summary", type=NAME, metavar="FILE.json", help="Also write the summary to this file, as JSON.")
@click.option(
    "--report", type=NAME, metavar="FILE.html",
    help="Also write a report of the scores, as artsim report does. Not with --engine spark.",
)  # fmt: skip
@works_option
@quiet_option
def score(max_bad_images: BadImageLimit, quiet: bool, engine: str, master: str | None, **options: Any) -> None:
    """Score pairs of paintings: their distance, and the probability that they are by the same artist.

    PAIRS.CSV is a .csv, .jsonl or .parquet file, or - for csv on standard input. It has the columns image1,image2 or
    img1,img2. The output has all columns of the input and four more: distance, probability, prediction (1 for the same
    artist) and status. The status is ok, or says which image is missing, unreadable or too large. If the input has a
    column sameArtist of 0 and 1, the summary includes metrics of the pairs where it is not empty.

    If a run is killed, the same command resumes it. Output to standard output or a pipe cannot be resumed.
    """
    from artsim.collection.columns import check_use
    from artsim.jobs.score import ScoreOptions, check_bad_images, score_pairs

    if master is not None and engine != "spark":
        raise UsageError("--master needs --engine spark. Add it, or leave out --master.")
    if options["columns"] is not None and options["cohort"] is None and options["works"] is None:
        raise UsageError(
            "--columns names columns of the table of --cohort or --works. Add one of them, or leave out --columns."
        )
    check_use(options["columns"], [options["cohort"], options["works"]])
    if options["same_work"] and engine == "spark":
        raise UsageError("--same-work needs --engine local. Leave out one of them.")
    wants_report = options["report"] is not None
    local = [f"--{name}" for name in ("report", "works", "top", "sort") if options[name] is not None]
    if local and engine == "spark":
        needs = "need" if len(local) > 1 else "needs"
        raise UsageError(f"{' and '.join(local)} {needs} --engine local. Leave out --engine spark, or what needs it.")
    say = stderr_lines(quiet=quiet)
    with stage_bars(quiet=quiet) as progress:
        if engine == "spark":
            summary = _score_on_spark(ScoreOptions(**options), master, progress, say)
        elif wants_report:
            summary = _score_and_report(ScoreOptions(**options), progress, say)
        else:
            summary = score_pairs(ScoreOptions(**options), progress, say)
    print_summary(summary.lines(), quiet=quiet)
    say_report(options["report"], quiet=quiet)
    if is_launched():
        from artsim.jobs.steps.evaluation_log import log_scores

        log_scores(options["model"], options["pairs"], summary, click.get_current_context().params)
    check_bad_images(summary, max_bad_images, are_shown=not quiet)


def _score_and_report(options: ScoreOptions, progress: Progress, say: Say) -> Summary:
    from artsim.jobs.score_report import score_and_report

    return score_and_report(options, progress, say, this_command())


def _score_on_spark(options: ScoreOptions, master: str | None, progress: Progress, say: Say) -> Summary:
    needs_spark_extra()
    from artsim.jobs.score_spark import score_on_spark

    return score_on_spark(options, master, progress, say)
