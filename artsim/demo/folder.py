"""The embedded collection as ordinary files, in the layout of Painter by Numbers.

    FOLDER/train_info.csv         filename,artist,title,style,genre,date; artist by artist
    FOLDER/train/a0007_w003.jpg   one JPEG a work
    FOLDER/artsim-demo.json       which collection this is, so that two never mix

Files are written beside their place and moved into it, so whoever reads the folder, or kills the run that
writes it, finds whole files only. A work that is already there is kept.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

from artsim.demo.labels import title_style_genre_date
from artsim.demo.names import artist_name
from artsim.demo.painting import paint
from artsim.errors import OutputError, UsageError
from artsim.files import replacing

GENERATOR = 1  # goes up whenever the same numbers give another picture
CSV = "train_info.csv"
IMAGES = "train"
MARKER = "artsim-demo.json"
COLUMNS = ("filename", "artist", "title", "style", "genre", "date")


def write_demo(
    folder: Path,
    artists: int,
    works: int,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    *,
    csv_name: str = CSV,
) -> Path:
    """Write `works` paintings of each artist and the csv that lists just these; returns the csv's path.

    `progress` is called with the paintings done and the paintings asked for. Runs that share a folder share
    its paintings; give each its own `csv_name` if they ask for different numbers at the same time.

    Raises UsageError for numbers that make no sense, OutputError if the folder holds something else or can't
    be written.
    """
    _check_numbers(artists, works, seed)
    try:
        _claim(folder, seed)
        _write_images(folder / IMAGES, artists, works, seed, progress)
        return _place(folder / csv_name, _table(artists, works, seed))
    except OSError as error:
        raise OutputError(
            f"{error.filename or folder}: can't write the demo collection there ({error.strerror or error}). "
            "Free some space or name a folder that you may write to."
        ) from error


def _check_numbers(artists: int, works: int, seed: int) -> None:
    for name, value, least in (("artists", artists, 1), ("works", works, 1), ("seed", seed, 0)):
        if value < least:
            raise UsageError(f"The demo collection can't have {name} = {value}; give {least} or more.")


def _claim(folder: Path, seed: int) -> None:
    """Mark the folder as this collection's, unless something else lies there."""
    ours = {"collection": "artsim demo", "generator": GENERATOR, "seed": seed}
    marker = folder / MARKER
    if not marker.exists():
        taken = next((name for name in (CSV, IMAGES) if (folder / name).exists()), None)
        if taken and not marker.exists():  # a second look: another run may just have begun here
            raise OutputError(f"{folder / taken} is there already and is not artsim's. Name another folder.")
        folder.mkdir(parents=True, exist_ok=True)
        _place(marker, (json.dumps(ours) + "\n").encode())
    found = _read_marker(marker)
    if found != ours:
        raise OutputError(
            f"{folder} holds the demo collection of seed {found.get('seed')}, generator "
            f"{found.get('generator')}; asked for is seed {seed}, generator {GENERATOR}. "
            "Name another folder, or delete this one."
        )


def _read_marker(marker: Path) -> dict[str, object]:
    try:
        found = json.loads(marker.read_bytes())
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _write_images(
    images: Path, artists: int, works: int, seed: int, progress: Callable[[int, int], None] | None
) -> None:
    images.mkdir(parents=True, exist_ok=True)
    for done, (artist, work) in enumerate(_numbers(artists, works), start=1):
        path = images / _file_name(artist, work)
        if not path.exists():
            encoded = io.BytesIO()
            paint(artist, work, seed).save(encoded, "JPEG", quality=90)
            _place(path, encoded.getvalue())
        if progress:
            progress(done, artists * works)


def _table(artists: int, works: int, seed: int) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for artist, work in _numbers(artists, works):
        described = title_style_genre_date(artist, work, seed)
        rows.writerow((_file_name(artist, work), artist_name(artist, seed), *described))
    return text.getvalue().encode()


def _numbers(artists: int, works: int) -> list[tuple[int, int]]:
    return [(artist, work) for artist in range(artists) for work in range(works)]


def _file_name(artist: int, work: int) -> str:
    return f"a{artist:04d}_w{work:03d}.jpg"


def _place(path: Path, content: bytes) -> Path:
    with replacing(path, "wb") as file:
        file.write(content)
    return path
