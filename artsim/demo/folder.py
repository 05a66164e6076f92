"""The embedded collection as ordinary files, in the layout of Painter by Numbers.

    FOLDER/train_info.csv         filename,artist,title,style,genre,date; sorted by artist
    FOLDER/train/a0007_w003.jpg   one JPEG per work
    FOLDER/artsim-demo.json       generator version and seed, so that two collections are never mixed

Each file is written under a temporary name and then moved, so that the folder only ever holds complete files. Paintings
that exist already are not painted again.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from artsim.demo.labels import title_style_genre_date
from artsim.demo.names import artist_name
from artsim.demo.painting import paint
from artsim.errors import OutputError, UsageError
from artsim.files import replacing
from artsim.messages import Progress

GENERATOR = 1  # increases when the same numbers give a different picture
CSV = "train_info.csv"
IMAGES = "train"
MARKER = "artsim-demo.json"
COLUMNS = ("filename", "artist", "title", "style", "genre", "date")


def write_demo(
    folder: Path,
    artists: int,
    works: int,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    csv_name: str = CSV,
) -> Path:
    """Write `works` paintings of each artist and a csv that lists only these.

    Runs may share a folder and its paintings. Runs at the same time with different numbers need different `csv_name`s.

    Returns:
        The path of the csv.

    Raises:
        UsageError: a number is below its minimum.
        OutputError: the folder holds something else, or can't be written.
    """
    _check_numbers(artists, works, seed)
    try:
        _claim(folder, seed)
        _write_images(folder / IMAGES, artists, works, seed, progress)
        return _place(folder / csv_name, _table(artists, works, seed))
    except OSError as error:
        raise OutputError(
            f"{error.filename or folder}: the demo collection can't be written ({error.strerror or error}). "
            "Free some space, or name another folder."
        ) from error


def _check_numbers(artists: int, works: int, seed: int) -> None:
    for name, value, least in (("number of artists", artists, 1), ("number of works", works, 1), ("seed", seed, 0)):
        if value < least:
            raise UsageError(f"The {name} of the demo collection is {value}. It must be {least} or more.")


def _claim(folder: Path, seed: int) -> None:
    """Write the marker file, unless the folder holds something else."""
    ours = {"collection": "artsim demo", "generator": GENERATOR, "seed": seed}
    marker = folder / MARKER
    if not marker.exists():
        taken = next((name for name in (CSV, IMAGES) if (folder / name).exists()), None)
        if taken and not marker.exists():  # checked again: another run may have started here
            raise OutputError(f"{folder / taken} exists already and was not written by artsim. Name another folder.")
        folder.mkdir(parents=True, exist_ok=True)
        _place(marker, (json.dumps(ours) + "\n").encode())
    found = _read_marker(marker)
    if found != ours:
        raise OutputError(
            f"{folder} holds the demo collection of seed {found.get('seed')}, generator {found.get('generator')}, "
            f"not that of seed {seed}, generator {GENERATOR}. Name another folder, or delete this one."
        )


def _read_marker(marker: Path) -> dict[str, object]:
    try:
        found = json.loads(marker.read_bytes())
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _write_images(images: Path, artists: int, works: int, seed: int, progress: Progress | None) -> None:
    images.mkdir(parents=True, exist_ok=True)
    if progress:
        progress("painting", 0, artists * works)
    for done, (artist, work) in enumerate(_numbers(artists, works), start=1):
        path = images / _file_name(artist, work)
        if not path.exists():
            encoded = io.BytesIO()
            paint(artist, work, seed).save(encoded, "JPEG", quality=90)
            _place(path, encoded.getvalue())
        if progress:
            progress("painting", done, artists * works)


def _table(artists: int, works: int, seed: int) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for artist, work in _numbers(artists, works):
        labels = title_style_genre_date(artist, work, seed)
        rows.writerow((_file_name(artist, work), artist_name(artist, seed), *labels))
    return text.getvalue().encode()


def _numbers(artists: int, works: int) -> list[tuple[int, int]]:
    return [(artist, work) for artist in range(artists) for work in range(works)]


def _file_name(artist: int, work: int) -> str:
    return f"a{artist:04d}_w{work:03d}.jpg"


def _place(path: Path, content: bytes) -> Path:
    with replacing(path, "wb") as file:
        file.write(content)
    return path
