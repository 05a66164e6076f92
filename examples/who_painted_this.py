"""Find the works in a folder that are nearest to a painting.

    python examples/who_painted_this.py tower.onnx paintings found.jpg

`artsim nearest` does the same, ranks the artists too, and reports bad images instead of stopping at the first one.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

import artsim

SUFFIXES = {".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


@click.command()
@click.argument("tower")
@click.argument("gallery", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("query", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--count", default=5, show_default=True, help="Number of works to print.")
def main(tower: str, gallery: Path, query: Path, count: int) -> None:
    """Rank the works in the folder GALLERY by their distance to QUERY, as TOWER sees them."""
    works = [
        path for path in sorted(gallery.rglob("*")) if path.suffix.lower() in SUFFIXES and not path.samefile(query)
    ]
    if not works:
        raise click.ClickException(f"{gallery}: no images in it or below.")
    try:
        vectors = artsim.load(tower).embed([query, *works])  # (1 + N, D) float32
    except artsim.ArtsimError as error:
        raise click.ClickException(str(error)) from error
    # A tower has one of two distances, Euclidean or root mean square. Both give this order.
    distances = np.linalg.norm(vectors[1:] - vectors[0], axis=1)  # (N,)
    for rank, index in enumerate(np.argsort(distances, kind="stable")[:count], start=1):
        click.echo(f"{rank:2}  {distances[index]:8.3f}  {works[index].relative_to(gallery)}")


if __name__ == "__main__":
    main()
