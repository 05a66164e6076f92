"""`artsim embed`: embeddings once, for as many scorings and searches as there will be."""

from __future__ import annotations

from typing import Any

import click

from artsim.bad_images import BadImageLimit
from artsim.cli.options import SPELLING, bad_image_options, exit_codes_help, quiet_option, tower_options
from artsim.cli.progress import stage_bars

EPILOG = f"""
\b
Examples:
  artsim embed paintings -o paintings.parquet --model tower.onnx
  artsim embed train_info.csv --data-dir train -o train.parquet --model tower.onnx
  artsim embed old new/*.jpg -o all.parquet --model tower.onnx --max-bad-images 1%

{exit_codes_help()}
"""


@click.command(context_settings=SPELLING, epilog=EPILOG)
@click.argument("inputs", metavar="FOLDER_OR_FILES...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="FILE.parquet", help="Where the embeddings are kept.")
@tower_options
@click.option("--data-dir", metavar="DIR", help="Where the images of a csv lie; default: beside it.")
@bad_image_options(default="0")
@quiet_option
def embed(inputs: tuple[str, ...], max_bad_images: BadImageLimit, quiet: bool, **options: Any) -> None:
    """Embed collections of images and keep the embeddings, which pandas.read_parquet reads, too.

    A folder gives the images in it and below, named by their path from there; where all lie in folders one level below,
    these are their artists. A csv has the columns filename and artist. Any other file is an image, named as typed.

    The output describes exactly the images that are named. If it is there already, embeddings of files that
    have not changed are taken from it, whatever their names; one that ended early goes on where it was. Rows of images
    that are no longer named are left out at the end. Of a name that is no file, as in a csv, the kept row stays.
    """
    from artsim.evaluation.summary import aligned
    from artsim.jobs.embed import EmbedOptions, embed_collections

    with stage_bars(quiet=quiet) as progress:
        summary = embed_collections(EmbedOptions(inputs=inputs, **options), progress)
    if not quiet:
        for name, value in aligned(summary.lines()):
            click.echo(f"{click.style(name, bold=True)}  {value}", err=True)
    max_bad_images.check(summary.bad_images, summary.images, "The others are kept.")
