"""`artsim nearest`: find who painted a work."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
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
    switch,
    this_command,
    tower_options,
)
from artsim.cli.progress import stage_bars
from artsim.cli.sections import further_help

if TYPE_CHECKING:
    from artsim.bad_images import BadImageLimit
    from artsim.jobs.nearest import NearestOptions, Outcome
    from artsim.jobs.steps.ranking import QueryResult
    from artsim.messages import Progress, Say

WORK_COLUMNS = ("query", "rank", "distance", "probability", "artist", "image", "unlike", "copy")
# `probability` is the former name of `share`, kept for this version.
ARTIST_COLUMNS = ("query", "rank", "distance", "probability", "artist", "works", "share")

INPUTS = {"QUERY": "queries", "--among": "among", "--model": "model", "--cohort": "cohort"}  # flags and parameters

EPILOG = f"""
\b
Examples:
  artsim nearest found.jpg --among paintings --model tower.onnx
  artsim nearest found.jpg --among works.parquet -k 20 --model tower.onnx
  artsim nearest new/ --among works.csv -o found.csv --report found.html
  artsim nearest new/ --among works.csv --model tower.onnx -o works.jsonl --artists artists.csv

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("queries", type=NAME, nargs=-1, required=True, metavar="QUERY...")
@click.option(
    "--among", type=NAME, required=True, metavar="FOLDER|CSV|FILE.parquet",
    help="Gallery to search: a folder, a table with the column filename (.csv, .jsonl or .parquet), or a store written "
    "by `artsim embed`.",
)  # fmt: skip
@tower_options
@click.option(
    "-k", type=click.IntRange(min=1), default=10, show_default=True, metavar="N",
    help="Number of works, and of artists, to list for each query.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=NAME, default="-", show_default=True, metavar="FILE",
    help="File to write the works to: .csv or .jsonl. - is standard output: tables on a terminal, otherwise csv.",
)  # fmt: skip
@click.option(
    "--artists", type=NAME, metavar="FILE", help="Also write the ranked artists to this file: .csv or .jsonl."
)
@click.option(
    "--report", type=NAME, metavar="FILE.html",
    help="Also write a page that shows each query beside the works that were found.",
)  # fmt: skip
@data_dir_option
@columns_option
@qualified_option
@prior_option
@cohort_option("the gallery")
@switch("--with-itself", help="Also rank the works of the gallery that have the same content as the query.")
@bad_image_options(default="0")
@quiet_option
def nearest(
    max_bad_images: BadImageLimit, quiet: bool, output: str, artists: str | None, report: str | None, **options: Any
) -> None:
    """Who painted this? List the works of a gallery that are nearest to each query.

    QUERY is an image or a folder of images. Each listed work has the probability that it is by the same artist as the
    query, as artsim-score computes it. If the artists are known, they are ranked by their three nearest works. Each
    has a share: its probability if the query is by an artist in the gallery. The shares of all artists sum to 1.

    Works with the same content as the query are left out. A listed work is marked as a copy if it and the query are two
    photographs of one painting, which says nothing about the artist. The column copy is empty for a gallery that is an
    embedding store, which has no pictures.

    A query that is an outlier is flagged as unlike: it is farther from its nearest work than 99 % of the gallery's
    works are from theirs. Without the flag, the artist may still not be in the gallery.
    """
    from artsim.jobs.nearest import NearestOptions, check_outcome, find_nearest
    from artsim.overwrites import check_overwrites
    from artsim.tables.output import check_output, check_place

    read = {flag: options[name] for flag, name in INPUTS.items()}
    check_overwrites(read, {"--output": output, "--artists": artists, "--report": report})
    for file in (output, artists):
        if file is not None:
            check_output(file, plain_text=True)
    if report is not None:
        check_place(report)
    say = stderr_lines(quiet=quiet)
    with stage_bars(quiet=quiet) as progress, _result_printer(output, artists, say) as show:
        settings = NearestOptions(**options)
        if report is None:
            outcome = find_nearest(settings, say, progress, show)
        else:
            outcome = _find_and_report(settings, report, say, progress, show)
    if outcome.validated and output == "-" and sys.stdout.isatty():
        from artsim.cli.nearest_tables import print_note

        print_note(outcome.validated)
    say_report(report, quiet=quiet)
    check_outcome(outcome, max_bad_images, are_shown=not quiet)


def _find_and_report(
    options: NearestOptions, report: str, say: Say, progress: Progress, show: Callable[[QueryResult], None]
) -> Outcome:
    """Search, show the results, and write their page."""
    from artsim.image_names import ImageNames
    from artsim.jobs.nearest import find_nearest
    from artsim.jobs.nearest_report import NearestReport
    from artsim.jobs.steps.ranking import remarks

    page = NearestReport(options, report, remarks, this_command())

    def show_and_keep(result: QueryResult) -> None:
        show(result)
        page.add(result)

    outcome = find_nearest(options, say, progress, show_and_keep)
    path_of = (lambda _: None) if outcome.folder is None else ImageNames(outcome.folder).path
    page.write(path_of, progress, outcome.validated)
    return outcome


@contextmanager
def _result_printer(output: str, artists: str | None, say: Say) -> Iterator[Callable[[QueryResult], None]]:
    """A function that prints a result as tables on a terminal, or writes it as rows of files."""
    from artsim.cli.nearest_tables import print_result
    from artsim.jobs.steps.ranking import remarks
    from artsim.tables.ranked_writer import open_ranked_writer

    with ExitStack() as files:
        on_terminal = output == "-" and sys.stdout.isatty()
        write_work = None if on_terminal else files.enter_context(open_ranked_writer(output, WORK_COLUMNS))
        write_artist = None if artists is None else files.enter_context(open_ranked_writer(artists, ARTIST_COLUMNS))

        def show(result: QueryResult) -> None:
            if write_work is None:
                print_result(result)
            else:
                for work in result.works:
                    write_work({"query": result.query, "unlike": result.unlike, **asdict(work)})
                for remark in remarks(result):
                    say(f"{result.query}: {remark}")
            if write_artist is not None:
                for artist in result.artists:
                    write_artist({"query": result.query, **asdict(artist), "probability": artist.share})

        yield show
