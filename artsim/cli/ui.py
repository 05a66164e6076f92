"""`artsim ui`: a page to try artsim in a browser."""

from __future__ import annotations

from typing import Any

import click

from artsim.cli.extras import needs_ui_extra
from artsim.cli.options import (
    MAX_PIXELS,
    NAME,
    SPELLING,
    WithSwitches,
    columns_option,
    data_dir_option,
    echo_error,
    prior_option,
    qualified_option,
    quiet_option,
    stderr_lines,
    switch,
    tower_options,
)
from artsim.cli.progress import stage_bars
from artsim.cli.sections import further_help

PORT = 8765
MAX_UPLOAD = 100  # MB

EPILOG = f"""
\b
Examples:
  artsim ui
  artsim ui --among paintings
  artsim ui --among works.csv --model tower.onnx --port 0 --no-browser

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.option(
    "--among", type=NAME, metavar="FOLDER|CSV|FILE.parquet",
    help="Gallery to search: a folder, a table with the column filename (.csv, .jsonl or .parquet), or a store written "
    "by `artsim embed`, which has no pictures. Default: none, and the page compares two paintings only.",
)  # fmt: skip
@tower_options
@click.option(
    "--cohort", type=NAME, metavar="FOLDER|CSV|FILE.parquet|self|none",
    help="Unlabelled works like those of the page, to which distances adapt: a folder, a table, an embedding store, or "
    "self for the gallery. Default: none for two paintings, as by `artsim pair`; the gallery for a search, as by "
    "`artsim nearest`.",
)  # fmt: skip
@prior_option
@click.option(
    "-k", type=click.IntRange(min=1, max=100), default=10, show_default=True, metavar="N",
    help="Number of works, and of artists, that a search lists.",
)  # fmt: skip
@data_dir_option
@columns_option
@qualified_option
@click.option(
    "--max-pixels", type=click.IntRange(min=1), default=MAX_PIXELS, show_default=True, metavar="N",
    help="Largest number of pixels of an image. A larger image is not decoded.",
)  # fmt: skip
@click.option(
    "--max-upload", type=click.IntRange(min=1), default=MAX_UPLOAD, show_default=True, metavar="MB",
    help="Largest size in megabytes of a picture that the page takes.",
)  # fmt: skip
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="ADDRESS",
    help="Address to listen at. With another address than the default, other computers can open the page, and it asks "
    "for no password.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, metavar="N",
    help="Port to listen at. 0 takes a free one.",
)  # fmt: skip
@switch("--no-browser", help="Do not open the page in a browser.")
@quiet_option
def ui(quiet: bool, host: str, port: int, max_upload: int, no_browser: bool, **options: Any) -> None:
    """Try artsim in a browser: compare two paintings, or search a gallery for one.

    The command writes the address of the page to standard output and answers it until Ctrl-C, which ends it with exit
    code 0. Pictures are read on this computer, and no picture is kept. The page asks for nothing from the network. The
    answers are those of artsim pair and artsim nearest.
    """
    needs_ui_extra()
    from artsim.jobs.ui import UiOptions, open_ui
    from artsim.server.app import Limits
    from artsim.server.serving import address_of, is_private, listening, open_browser, serve
    from artsim.server.uploads import MEGABYTE

    say = stderr_lines(quiet=quiet)
    with listening(host, port) as opened:
        if not is_private(opened):
            echo_error(f"warning: --host {host}: other computers can open this page, and it asks for no password.")
        with stage_bars(quiet=quiet) as progress:
            opened_ui = open_ui(UiOptions(**options), say, progress)
        address = address_of(opened)
        click.echo(address)
        say("Press Ctrl-C to end.")
        if not no_browser:
            open_browser(address)
        serve(opened_ui, Limits(max_upload * MEGABYTE, [host]), opened)
