"""The images that a command line names: folders, csvs and single files, as one list with unique names."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from artsim.collection.catalogue import IMAGE_SUFFIXES, find_folder, read_table
from artsim.errors import InputError
from artsim.image_names import ImageNames
from artsim.messages import Say, say_nothing


@dataclass(frozen=True)
class NamedImage:
    """One image: its name, its file, its artist if known, and what to say if the file is missing."""

    name: str
    path: Path
    artist: str | None
    fault: str | None = None


def list_images(inputs: Sequence[str], data_dir: Path | None = None, say: Say = say_nothing) -> list[NamedImage]:
    """List the images of some inputs, in order.

    A folder gives all images in it and in its subfolders, named by their path within it, with `/`. A csv gives the
    images of its column filename, with the artists of its column artist. Any other file is an image, named as typed.

    Args:
        inputs: paths.
        data_dir: the folder of a csv's files; None: see `find_folder`.
        say: receives a line about names that were found under another spelling.

    Raises:
        InputError: an input does not exist, a folder has no images, a csv can't be read, or two files of different
            content have one name.
    """
    found: dict[str, NamedImage] = {}
    for each in inputs:
        for image in _images_of(each, data_dir, say):
            other = found.setdefault(image.name, image)
            if other.path != image.path and not _same_content(other.path, image.path):
                raise InputError(
                    f"{image.name!r} is the name of two different images, {other.path} and {image.path}. Rename one, "
                    "or name a folder that holds both."
                )
            if other.artist is None:
                found[image.name] = replace(other, artist=image.artist)
    return list(found.values())


def list_folder(folder: Path) -> list[NamedImage]:
    """List the images in a folder and its subfolders, sorted by name. Links are followed.

    If all images are exactly one level below the folder, the names of their subfolders are the artists.

    Raises:
        InputError: there are no images.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in _walk(folder) if _is_image(path))
    if not names:
        raise InputError(
            f"{folder}: the folder has no images ({', '.join(sorted(IMAGE_SUFFIXES))}), nor have its subfolders."
        )
    by_artist = all(name.count("/") == 1 for name in names)
    return [NamedImage(name, folder / name, name.partition("/")[0] if by_artist else None) for name in names]


def _images_of(source: str, data_dir: Path | None, say: Say) -> Iterable[NamedImage]:
    path = Path(source)
    if path.is_dir():
        return list_folder(path)
    if not path.exists():
        raise InputError(f"{source}: no such file or folder. Name a folder of images, a csv or an image.")
    if path.suffix.lower() != ".csv":
        return [NamedImage(source, path, None)]
    table = read_table(path)
    folder = find_folder(path, data_dir, table["filename"])
    rows = zip(table["filename"], table["artist"], strict=True)
    lookup = ImageNames(folder)
    names = list(table["filename"])
    paths, faults = lookup.paths(names), lookup.faults(names)
    if lookup.note:
        say(f"{source}: {lookup.note}")
    return [NamedImage(name, paths[name] or folder, artist, faults.get(name)) for name, artist in rows]


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder. A subfolder is entered once, however many links lead to it."""
    entered: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in entered:
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        folders.sort()  # so that the order of entry does not depend on the file system
        yield from (Path(place, name) for name in files)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()


def _same_content(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False
