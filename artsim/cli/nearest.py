"""`artsim nearest`: who painted this?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from artsim.bad_images import BadImageLimit
from artsim.cli.options import SPELLING, bad_image_options, exit_codes_help, quiet_option, tower_options
from artsim.cli.progress import stage_bars

if TYPE_CHECKING:
    from artsim.jobs.nearest import QueryResult

WORK_COLUMNS = ("query", "rank", "distance", "probability", "artist", "image", "unlike")
ARTIST_COLUMNS = ("query", "rank", "distance", "probability", "artist", "works")

EPILOG = f"""
\b
Examples:
  artsim nearest found.jpg --among paintings --model tower.onnx
  artsim nearest found.jpg --among works.parquet -k 20 --model tower.onnx
  artsim nearest new/ --among works.csv --model tower.onnx -o works.jsonl --artists artists.csv

{exit_codes_help()}
"""


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.argument("queries", nargs=-1, required=True, metavar="QUERY…")
@click.option(
    "--among", required=True, metavar="FOLDER|CSV|FILE.parquet",
    help="The collection: a folder, a csv with the column filename, or embeddings that `artsim embed` kept.",
)  # fmt: skip
@tower_options
@click.option("-k", type=click.IntRange(min=1), default=10, show_default=True, help="Works, and artists, to list.")
@click.option(
    "-o", "--output", default="-", show_default=True, metavar="FILE",
    help="Where the works go: .csv or .jsonl; - is a table on a terminal, csv anywhere else.",
)  # fmt: skip
@click.option("--artists", metavar="FILE", help="Where the ranked artists go, too: .csv or .jsonl.")
@click.option("--data-dir", metavar="DIR", help="Where the images of a csv lie; default: beside it.")
@click.option("--prior", type=float, help="Share of the pairs by the same artist, 0 to 1; default: the tower's.")
@click.option("--with-itself", is_flag=True, help="Rank a query among the works even where it is one of them.")
@bad_image_options(default="0")
@quiet_option
def nearest(max_bad_images: BadImageLimit, quiet: bool, output: str, artists: str | None, **options: Any) -> None:
    """Who painted this? For each QUERY, an image or a folder, list the works most likely by the same hand.

    A work's probability is that of a pair by one artist, as artsim-score has it. Where artists are known they are
    ranked, too, by their three nearest works; an artist's probability is meant for a query by one of the artists in
    the collection. A query that is in the collection, by its content, does not find itself. One that is farther from
    all works than 99 of 100 works of the collection are from their nearest is said to be unlike; one that is not may
    still be by nobody in there.
    """
    from artsim.jobs.nearest import NearestOptions, check_outcome, find_nearest
    from artsim.tables.output import check_output

    for place in (output, artists):
        if place is not None:
            check_output(place, plain_text=True)

    def say(note: str) -> None:
        if not quiet:
            click.echo(note, err=True)

    with stage_bars(quiet=quiet) as progress, _shown(output, artists, say) as show:
        outcome = find_nearest(NearestOptions(**options), say, progress, show)
    check_outcome(outcome, max_bad_images)


@contextmanager
def _shown(output: str, artists: str | None, say: Callable[[str], None]) -> Iterator[Callable[[QueryResult], None]]:
    """What shows an answer: as tables on a terminal, or as rows of files."""
    from artsim.cli.nearest_tables import print_result, remarks
    from artsim.tables.ranked_writer import open_ranked_writer

    with ExitStack() as files:
        on_terminal = output == "-" and sys.stdout.isatty()
        write_work = None if on_terminal else files.enter_context(open_ranked_writer(output, WORK_COLUMNS))
        write_artist = None if artists is None else files.enter_context(open_ranked_writer(artists, ARTIST_COLUMNS))

        def show(answer: QueryResult) -> None:
            if write_work is None:
                print_result(answer)
            else:
                for work in answer.works:
                    write_work({"query": answer.query, "unlike": answer.unlike, **asdict(work)})
                for remark in remarks(answer):
                    say(f"{answer.query}: {remark}")
            if write_artist is not None:
                for artist in answer.artists:
                    write_artist({"query": answer.query, **asdict(artist)})

        yield show
