"""`artsim cluster`: which works are probably by one artist."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from artsim.cli.options import (
    NAME,
    SPELLING,
    WithSwitches,
    bad_image_options,
    cohort_option,
    columns_option,
    data_dir_option,
    prior_option,
    qualified_option,
    quiet_option,
    say_report,
    stderr_lines,
    this_command,
    tower_options,
)
from artsim.cli.progress import print_summary, stage_bars
from artsim.cli.sections import further_help

if TYPE_CHECKING:
    from artsim.bad_images import BadImageLimit

EPILOG = f"""
\b
Examples:
  artsim cluster paintings -o clusters.csv --report clusters.html
  artsim cluster works.csv --data-dir images --probability 0.75 -o clusters.csv
  artsim cluster works.parquet -o clusters.parquet

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("source", type=NAME, metavar="COLLECTION")
@click.option(
    "-o", "--output", type=NAME, default="-", show_default=True, metavar="FILE",
    help="File to write the works to: .csv or .jsonl, both also with .gz or .zst, or .parquet. - is standard output: a "
    "table of the clusters on a terminal, otherwise csv.",
)  # fmt: skip
@click.option(
    "--report", type=NAME, metavar="FILE.html", help="Also write a page that shows the clusters as rows of pictures."
)
@click.option(
    "--probability", type=float, metavar="P",
    help="Join clusters while the mean distance of their pairs has at least this probability. Default: 0.95.",
)  # fmt: skip
@click.option(
    "--threshold", type=float, metavar="DISTANCE",
    help="Join clusters while the mean distance of their pairs is at most this one, in place of --probability. With a "
    "cohort, this is an adapted distance.",
)  # fmt: skip
@tower_options
@data_dir_option
@columns_option
@qualified_option
@prior_option
@cohort_option("the works of the collection")
@bad_image_options(default="0")
@quiet_option
def cluster(max_bad_images: BadImageLimit, quiet: bool, **options: Any) -> None:
    """Find works that are probably by one artist, without labels.

    COLLECTION is a folder of images, a table with the column filename (.csv, .jsonl or .parquet), or an embedding store
    that artsim embed wrote. It has at most 8,000 works.

    The output has a row for each work, cluster by cluster: filename, artist if artists are known, cluster (1 is the
    largest), works (of the cluster), probability (the mean over the pairs with the other works of the cluster) and
    copy_of (a work of the cluster that shows the same painting). A work alone has no cluster, and its works is 1. If
    the artists are known, the summary says how well the clusters agree with them.
    """
    from artsim.jobs.cluster import ClusterOptions, cluster_works, write_clusters

    settings = ClusterOptions(**options)
    with stage_bars(quiet=quiet) as progress:
        found = cluster_works(settings, stderr_lines(quiet=quiet), progress)
        if settings.output == "-" and sys.stdout.isatty():
            from artsim.cli.cluster_table import print_clusters

            print_clusters(found)
        else:
            write_clusters(found, settings.output)
        if settings.report is not None:
            from artsim.jobs.cluster_report import write_cluster_report

            write_cluster_report(settings, found, progress, this_command())
    print_summary(found.lines(), quiet=quiet)
    say_report(settings.report, quiet=quiet)
    bad = found.gallery.bad
    max_bad_images.check(bad, found.gallery.total, "The other works were clustered.", are_shown=not quiet)
