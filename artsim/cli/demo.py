"""`artsim demo`: write the embedded collection."""

from __future__ import annotations

from pathlib import Path

import click

from artsim.cli.options import SPELLING, exit_codes_help
from artsim.cli.progress import stage_bars

EPILOG = """
\b
Examples:
  artsim demo paintings
  artsim demo paintings --num-of-artists 100 --num-of-images-per-artist 40

""" + exit_codes_help()


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--num-of-artists", type=click.IntRange(min=1), default=60, show_default=True, help="Number of made-up painters."
)
@click.option(
    "--num-of-images-per-artist",
    type=click.IntRange(min=1),
    default=12,
    show_default=True,
    help="Number of works by each painter.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the whole collection.")
def demo(folder: Path, num_of_artists: int, num_of_images_per_artist: int, seed: int) -> None:
    """Write the embedded collection, paintings by made-up painters, as ordinary files.

    DIR gets train_info.csv and the folder train, in the form of Painter by Numbers. The same seed gives the same
    pictures, for any number of painters and works.
    """
    from artsim.demo import write_demo

    with stage_bars(quiet=False) as progress:
        path = write_demo(
            folder,
            num_of_artists,
            num_of_images_per_artist,
            seed,
            lambda done, total: progress("painting", done, total),
        )
    click.echo(path)
