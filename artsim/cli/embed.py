"""`artsim embed`: write an embedding store, for later scoring and search."""

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
@click.option("-o", "--output", required=True, metavar="FILE.parquet", help="Embedding store to write or to update.")
@tower_options
@click.option("--data-dir", metavar="DIR", help="Folder of a csv's images. Default: the folder of the csv.")
@bad_image_options(default="0")
@quiet_option
def embed(inputs: tuple[str, ...], max_bad_images: BadImageLimit, quiet: bool, **options: Any) -> None:
    """Embed collections of images and write an embedding store, a parquet file.

    A folder stands for all images in it and below. Each image is named by its path within the folder. If all images
    lie one level below, the folders are the artists. A csv needs the columns filename and artist. Any other file is
    one image.

    If the store exists, unchanged files are not embedded again, even under a new name. The store then describes
    exactly the images that you name; other rows are removed. If a listed file no longer exists, its stored embedding
    is kept. To resume an interrupted run, start the same command again.
    """
    from artsim.evaluation.summary import aligned
    from artsim.jobs.embed import EmbedOptions, embed_collections

    with stage_bars(quiet=quiet) as progress:
        summary = embed_collections(EmbedOptions(inputs=inputs, **options), progress)
    if not quiet:
        for name, value in aligned(summary.lines()):
            click.echo(f"{click.style(name, bold=True)}  {value}", err=True)
    max_bad_images.check(summary.bad_images, summary.images, "The embeddings of the others are stored.")
