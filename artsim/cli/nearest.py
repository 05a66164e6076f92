"""`artsim nearest`: who painted this?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from artsim.bad_images import BadImageLimit
from artsim.cli.options import SPELLING, bad_image_options, exit_codes_help, quiet_option, stderr_lines, tower_options
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
    help="Gallery: a folder, a csv with the column filename, or an embedding store of `artsim embed`.",
)  # fmt: skip
@tower_options
@click.option(
    "-k", type=click.IntRange(min=1), default=10, show_default=True, help="Number of works, and of artists, to list."
)
@click.option(
    "-o", "--output", default="-", show_default=True, metavar="FILE",
    help="Output of the works: .csv or .jsonl. - is a table on a terminal, else csv.",
)  # fmt: skip
@click.option("--artists", metavar="FILE", help="Also write the ranked artists to this file: .csv or .jsonl.")
@click.option("--data-dir", metavar="DIR", help="Folder of a csv's images. Default: the folder of the csv.")
@click.option(
    "--prior", type=float, help="Share of same-artist pairs that probabilities assume, 0 to 1. Default: the tower's."
)
@click.option("--with-itself", is_flag=True, help="Also rank works with the same content as the query.")
@bad_image_options(default="0")
@quiet_option
def nearest(max_bad_images: BadImageLimit, quiet: bool, output: str, artists: str | None, **options: Any) -> None:
    """Who painted this? List the works of a gallery that are nearest to each QUERY, an image or a folder.

    A work's probability is that of the pair, as in artsim-score. Known artists are ranked by their three nearest
    works. An artist's probability assumes that the query is by one of the gallery's artists. A work with the same
    content as the query is left out.

    A query that is an outlier is flagged as unlike. No flag does not mean that its artist is in the gallery.
    """
    from artsim.jobs.nearest import NearestOptions, check_outcome, find_nearest
    from artsim.tables.output import check_output

    for place in (output, artists):
        if place is not None:
            check_output(place, plain_text=True)

    with stage_bars(quiet=quiet) as progress, _shown(output, artists, stderr_lines(quiet=quiet)) as show:
        outcome = find_nearest(NearestOptions(**options), stderr_lines(quiet=quiet), progress, show)
    check_outcome(outcome, max_bad_images)


@contextmanager
def _shown(output: str, artists: str | None, say: Callable[[str], None]) -> Iterator[Callable[[QueryResult], None]]:
    """A function that shows a result: as tables on a terminal, or as rows of files."""
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
