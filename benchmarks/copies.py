"""How well two photographs of one painting are told from two works: made copies, and pairs of works by one artist.

    ARTSIM_DATA=/path/to/data python -m benchmarks.copies

Expected: all copies in grey, tinted, smaller, compressed, cropped to 80 % or framed by 10 % are found, and no pair of
different works. The threshold, 0.6, was chosen on 20 photographs of gallery/. These are 44 other works, of
paintings/test: up to 16 of each of 3 artists, 256 x 256 px. On 2 shared AMD EPYC cores, 2026-11-26:

| pair | least | median | greatest |
|---|---|---|---|
| half size | 1.00 | 1.00 | 1.00 |
| JPEG 50 | 1.00 | 1.00 | 1.00 |
| grey | 1.00 | 1.00 | 1.00 |
| tinted | 0.99 | 1.00 | 1.00 |
| cropped to 90 % | 0.93 | 0.96 | 0.99 |
| cropped to 80 % | 0.91 | 0.93 | 0.96 |
| cropped to 80 %, at a corner | 1.00 | 1.00 | 1.00 |
| dark frame of 10 % | 0.89 | 0.99 | 1.00 |
| light frame of 5 % | 0.90 | 0.93 | 0.97 |
| cropped to 85 %, grey, half size, JPEG 50 | 0.99 | 0.99 | 1.00 |
| different works, 946 pairs | 0.15 | 0.25 | 0.47 |
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable
from itertools import combinations

import numpy as np
from PIL import Image

from artsim.images import load
from artsim.scoring.same_work import SAME_WORK, Thumbnail, likeness, thumbnail
from benchmarks.data import data, verdict

ARTISTS, WORKS = 3, 16
SIZE = 256


def cropped(picture: Image.Image, share: float, across: float, down: float) -> Image.Image:
    """A part of the picture; `across` and `down` say where, 0 to 1."""
    width, height = int(picture.width * share), int(picture.height * share)
    left, top = int((picture.width - width) * across), int((picture.height - height) * down)
    return picture.crop((left, top, left + width, top + height))


def framed(picture: Image.Image, share: float, colour: tuple[int, int, int]) -> Image.Image:
    """The picture in a flat frame."""
    broad = int(max(picture.size) * share)
    frame = Image.new("RGB", (picture.width + 2 * broad, picture.height + 2 * broad), colour)
    frame.paste(picture, (broad, broad))
    return frame


def compressed(picture: Image.Image, quality: int) -> Image.Image:
    """The picture as a JPEG."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def tinted(picture: Image.Image) -> Image.Image:
    """The picture in warm light, with more contrast."""
    return Image.fromarray(np.clip(np.asarray(picture) * [1.2, 1.05, 0.8] - 10, 0, 255).astype(np.uint8))


def halved(picture: Image.Image) -> Image.Image:
    """The picture at half its size."""
    return picture.resize((picture.width // 2, picture.height // 2))


def grey(picture: Image.Image) -> Image.Image:
    """The picture without colour."""
    return picture.convert("L").convert("RGB")


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "half size": halved,
    "JPEG 50": lambda picture: compressed(picture, 50),
    "grey": grey,
    "tinted": tinted,
    "cropped to 90 %": lambda picture: cropped(picture, 0.9, 0.3, 0.6),
    "cropped to 80 %": lambda picture: cropped(picture, 0.8, 0.5, 0.5),
    "cropped to 80 %, at a corner": lambda picture: cropped(picture, 0.8, 0, 1),
    "dark frame of 10 %": lambda picture: framed(picture, 0.1, (70, 50, 30)),
    "light frame of 5 %": lambda picture: framed(picture, 0.05, (220, 210, 200)),
    "cropped to 85 %, grey, half size, JPEG 50": lambda picture: compressed(
        halved(grey(cropped(picture, 0.85, 0.6, 0.4))), 50
    ),
}


def of(picture: Image.Image) -> Thumbnail:
    """The thumbnail, as it is made of what the tower sees."""
    return thumbnail(load(picture, SIZE))


def row(name: str, found: list[float]) -> None:
    """Print a row of the table."""
    print(f"| {name} | {min(found):.2f} | {np.median(found):.2f} | {max(found):.2f} |", flush=True)


def main() -> int:
    """Print the table."""
    with data("paintings", "test_info.csv").open(encoding="utf-8") as file:
        works = list(csv.DictReader(file))
    chosen = sorted({work["artist"] for work in works})[:ARTISTS]
    files = [work["filename"] for artist in chosen for work in [w for w in works if w["artist"] == artist][:WORKS]]
    pictures = [Image.open(data("paintings", "test", name)).convert("RGB") for name in files]
    originals = [of(picture) for picture in pictures]
    print("| pair | least | median | greatest |\n|---|---|---|---|")
    least = 1.0
    for name, make in COPIES.items():
        found = [likeness(original, of(make(each))) for original, each in zip(originals, pictures, strict=True)]
        row(name, found)
        least = min(least, *found)
    different = [likeness(*pair) for pair in combinations(originals, 2)]
    row(f"different works, {len(different):,} pairs", different)
    return verdict(max(different) < SAME_WORK < least, "every copy is found, and no pair of different works")


if __name__ == "__main__":
    sys.exit(main())
