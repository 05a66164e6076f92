"""`artsim embed`: compute embeddings once, for any number of scorings and searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from artsim.cli.options import (
    NAME,
    SPELLING,
    WithSwitches,
    bad_image_options,
    columns_option,
    data_dir_option,
    qualified_option,
    quiet_option,
    stderr_lines,
    tower_options,
)
from artsim.cli.progress import print_summary, stage_bars
from artsim.cli.sections import further_help

if TYPE_CHECKING:
    from artsim.bad_images import BadImageLimit

EPILOG = f"""
\b
Examples:
  artsim embed paintings -o paintings.parquet --model tower.onnx
  artsim embed train_info.csv --data-dir train -o train.parquet --model tower.onnx
  artsim embed works.csv --columns filename=File,artist=Artist -o works.parquet
  artsim embed old new/*.jpg -o all.parquet --model tower.onnx --max-bad-images 1%

{further_help()}
"""


@click.command(cls=WithSwitches, context_settings=SPELLING, epilog=EPILOG)
@click.argument("inputs", metavar="FOLDER_OR_FILE...", type=NAME, nargs=-1, required=True)
@click.option(
    "-o", "--output", type=NAME, required=True, metavar="FILE.parquet", help="File to store the embeddings in."
)
@tower_options
@data_dir_option
@columns_option
@qualified_option
@bad_image_options(default="0")
@quiet_option
def embed(inputs: tuple[str, ...], max_bad_images: BadImageLimit, quiet: bool, **options: Any) -> None:
    """Embed collections of paintings and store the embeddings.

    A folder gives the images in it and in its subfolders, named by their path within it. The first subfolder of an
    image is its artist. A table of works (.csv, .tsv, .txt, .jsonl or .parquet) has the column filename, and artist if
    artists are known. Any other file is an image, named as typed.

    The output is an embedding store, which pandas.read_parquet can read. It has exactly the named images. If it exists,
    embeddings of unchanged files are taken from it, also if the files have new names. Images that are no longer named
    are removed. If a csv lists a file that no longer exists, its stored embedding is kept. If a run is killed, the same
    command resumes it.
    """
    from artsim.jobs.embed import EmbedOptions, embed_collections

    with stage_bars(quiet=quiet) as progress:
        summary = embed_collections(EmbedOptions(inputs=inputs, **options), progress, stderr_lines(quiet=quiet))
    print_summary(summary.lines(), quiet=quiet)
    max_bad_images.check(summary.bad_images, summary.images, "All other embeddings are stored.", are_shown=not quiet)
