"""Score pairs of paintings with a tower and print a table.

    python examples/score_pairs.py tower.onnx a.jpg b.jpg c.jpg d.jpg

The images are taken two by two: a.jpg with b.jpg, and c.jpg with d.jpg.
"""

from __future__ import annotations

import click
import pandas as pd

import artsim


@click.command()
@click.argument("tower")
@click.argument("images", nargs=-1, required=True)
def main(tower: str, images: tuple[str, ...]) -> None:
    """Score IMAGES, two for each pair, with TOWER."""
    image1, image2 = images[::2], images[1::2]
    try:
        scores = artsim.load(tower).score(image1, image2)
    except artsim.ArtsimError as error:
        raise click.ClickException(str(error)) from error
    table = pd.DataFrame(
        {
            "image1": image1,
            "image2": image2,
            "distance": scores.distance,  # float32 (N,), smaller for the same artist
            "probability": scores.probability,  # float32 (N,), of the same artist
            "prediction": scores.prediction,  # int8 (N,), 1 for the same artist
        }
    )
    click.echo(table.to_string(index=False))


if __name__ == "__main__":
    main()
