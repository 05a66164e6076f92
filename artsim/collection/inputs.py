"""The images that a command line names: folders, tables and single files, as one list with unique names."""

from __future__ import annotations

import filecmp
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from artsim.collection.folders import check_own_files, find_folder
from artsim.collection.work_tables import is_table
from artsim.collection.works import QUIET, Reading, Works, read_works
from artsim.errors import InputError
from artsim.image_names import ImageNames
from artsim.tables.bounds import reading as reading_of


@dataclass(frozen=True)
class NamedImage:
    """One image: its name, file and artist if known, what to say if the file is missing, and its attribution if any."""

    name: str
    path: Path
    artist: str | None
    fault: str | None = None
    attribution: str | None = None


def list_images(inputs: Sequence[str], data_dir: Path | None = None, reading: Reading = QUIET) -> list[NamedImage]:
    """List the images of some inputs, in order.

    A folder gives the images in it and in its subfolders, named by their path within it, with `/`. A table gives the
    images of its column filename. `read_works` says which artists they have. Any other file is an image, named as
    typed.

    Args:
        inputs: paths.
        data_dir: the folder of a table's files; None: see `find_folder`.
        reading: how folders and tables are read. It receives a line about names that were found under another spelling.

    Raises:
        InputError: an input does not exist, a folder has no images, a table can't be read, or two files of different
            content have one name.
    """
    found: dict[str, NamedImage] = {}
    for each in inputs:
        for image in _images_of(each, reading, data_dir):
            other = found.setdefault(image.name, image)
            if other.path != image.path and not _same_content(other.path, image.path):
                raise InputError(
                    f"{image.name!r} is the name of two different images, {other.path} and {image.path}. Rename one, "
                    "or name a folder that holds both."
                )
            if other.artist is None:
                found[image.name] = replace(other, artist=image.artist, attribution=image.attribution)
    return list(found.values())


def _images_of(source: str, reading: Reading, data_dir: Path | None) -> Iterable[NamedImage]:
    path = Path(source)
    with reading_of(source):
        is_image = path.exists() and not path.is_dir() and not is_table(path)
    if is_image:
        return [NamedImage(source, path, None)]
    works = read_works(source, reading)
    if works.folder is not None:
        named = zip(works.names, works.artists, works.attributions, strict=True)
        return [NamedImage(name, works.folder / name, artist, None, said) for name, artist, said in named]
    return _listed_images(works, find_folder(path, data_dir, works.names), reading)


def _listed_images(works: Works, folder: Path, reading: Reading) -> list[NamedImage]:
    """The images that a table lists."""
    lookup = ImageNames(folder)
    paths, faults = lookup.paths(works.names), lookup.faults(works.names)
    check_own_files(works.names, lookup, works.source)
    if lookup.note:
        reading.say(f"{works.source}: {lookup.note}")
    named = zip(works.names, works.artists, works.attributions, strict=True)
    return [NamedImage(name, paths[name] or folder, artist, faults.get(name), said) for name, artist, said in named]


def _same_content(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False
