"""`artsim demo`: write the embedded collection."""

from __future__ import annotations

from pathlib import Path

import click

from artsim.cli.options import SPELLING, WithSwitches, echo_path
from artsim.cli.progress import stage_bars
from artsim.cli.sections import further_help

EPILOG = f"""
\b
Examples:
  artsim demo paintings
  artsim demo paintings --num-of-artists 100 --num-of-images-per-artist 40

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--num-of-artists", type=click.IntRange(min=1), default=60, show_default=True, metavar="N",
    help="Number of artists.",
)  # fmt: skip
@click.option(
    "--num-of-images-per-artist", type=click.IntRange(min=1), default=12, show_default=True, metavar="N",
    help="Number of paintings by each artist.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N",
    help="Seed of the whole collection.",
)  # fmt: skip
def demo(folder: Path, num_of_artists: int, num_of_images_per_artist: int, seed: int) -> None:
    """Write the embedded collection: paintings by made-up artists.

    DIR receives the file train_info.csv and the folder train, as in Painter by Numbers. A painting depends only on the
    seed and on the numbers of its artist and work. A larger collection with the same seed includes the smaller one.
    """
    from artsim.demo import write_demo

    with stage_bars(quiet=False) as progress:
        path = write_demo(folder, num_of_artists, num_of_images_per_artist, seed, progress)
    echo_path(path)
