"""Prepare the selection of a run: read the collection, choose works, check every file, split."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from artsim import images
from artsim.bad_images import BadImageLimit
from artsim.collection.catalogue import Catalogue, read_catalogue
from artsim.collection.duplicates import FINGERPRINT_SIZE, belong_together, fingerprint, near_duplicates
from artsim.collection.notes import lost_artists, shared_pictures, single_works
from artsim.collection.selection import Selection, choose, read_selection
from artsim.collection.spellings import described, merged, variants
from artsim.collection.split import check, split
from artsim.errors import BadImagesError, ImageError, InputError
from artsim.messages import Say, first_few
from artsim.prefetch import prefetch_images

Table = TypeVar("Table", bound=Selection | Catalogue)


@dataclass(frozen=True)
class SelectionOptions:
    """The source of the works and how many are used. The flags describe each field."""

    data_file_path: str
    data_dir: Path | None
    read_prefetched_data: bool
    num_of_artists: int
    num_of_images_per_artist: int
    seed: int
    max_bad_images: BadImageLimit
    max_pixels: int
    merge_spellings: bool


def prepare_selection(options: SelectionOptions, say: Say, progress: Callable[[str, int, int], None]) -> Selection:
    """Choose the works and split them, and report notes for the user.

    Raises:
        InputError: no works, or too few to train on or to evaluate.
        BadImagesError: more bad images than allowed.
    """
    chosen = _chosen(options, say, lambda done, total: progress("painting the demo", done, total))
    fingerprints, failures = _look_at(chosen, options.max_pixels, lambda *at: progress("reading", *at))
    _report_bad(failures, len(chosen.table), options.max_bad_images, say)
    works = _without(chosen, failures)
    near = near_duplicates(fingerprints)
    _say_all(lost_artists(chosen.table, works.table), say)
    _say_all(single_works(works.table), say)
    _say_all(shared_pictures(works.table, fingerprints, near), say)
    if isinstance(works, Selection):
        check(works)
        return works
    groups = works.table["group"].to_numpy() if "group" in works.table.columns else None
    selection, notes = split(works, belong_together(near, len(works.table), groups), options.seed)
    _say_all(notes, say)
    return selection


def _say_all(notes: Iterable[str], say: Say) -> None:
    for note in notes:
        say(note)


def _chosen(options: SelectionOptions, say: Say, progress: Callable[[int, int], None]) -> Selection | Catalogue:
    counts = {"artists": options.num_of_artists, "works": options.num_of_images_per_artist}
    if options.read_prefetched_data:
        saved = read_selection(Path(options.data_file_path), options.data_dir)
        return _spelled(saved, options.merge_spellings, say)
    catalogue = read_catalogue(options.data_file_path, options.data_dir, progress=progress, **counts)
    chosen, notes = choose(_spelled(catalogue, options.merge_spellings, say), seed=options.seed, **counts)
    _say_all(notes, say)
    return chosen


def _spelled(works: Table, merge: bool, say: Say) -> Table:
    """The works, with one spelling of each artist if requested. Several spellings are always reported."""
    found = variants(works.table["artist"])
    if not found:
        return works
    note = f"{works.source}: {described(found)}."
    if isinstance(works, Selection):
        cure = "Its split exists already. Correct its artists, or select again with --merge-spellings True."
        if merge:
            raise InputError(f"{note} They can't be merged. {cure}")
        say(f"{note} Each spelling is an artist of its own. {cure}")
        return works
    if not merge:
        say(f"{note} Each spelling is an artist of its own. --merge-spellings True makes them one.")
        return works
    say(f"{note} They are merged into the first spelling of each.")
    return replace(works, table=merged(works.table, found))


def _look_at(
    works: Selection | Catalogue, max_pixels: int, progress: Callable[[int, int], None]
) -> tuple[NDArray[np.uint64], dict[int, ImageError]]:
    """Fingerprints uint64 (N - failures,) of the readable works, and the errors of the others by row."""

    def read(path: Path) -> NDArray[np.uint8]:
        return images.load(path, FINGERPRINT_SIZE, max_pixels=max_pixels)

    paths = [works.folder / name for name in works.table["filename"]]
    fingerprints: list[int] = []
    failures: dict[int, ImageError] = {}
    for number, pixels in enumerate(prefetch_images(paths, read, depth=64)):
        if isinstance(pixels, ImageError):
            failures[number] = pixels
        else:
            fingerprints.append(fingerprint(pixels))
        progress(number + 1, len(paths))
    return np.array(fingerprints, dtype=np.uint64), failures


def _report_bad(failures: dict[int, ImageError], of: int, allowed: BadImageLimit, say: Say) -> None:
    if not failures:
        return
    reasons = first_few([str(error) for error in failures.values()], "; ")
    if len(failures) == of:
        raise InputError(f"none of the {of:,} images can be used: {reasons}. Is --data-dir right?")
    if not allowed.accepts(len(failures), of):
        raise BadImagesError(
            f"{len(failures):,} of {of:,} images can't be used: {reasons}. Repair them, or raise --max-bad-images."
        )
    say(f"{len(failures):,} of {of:,} images can't be used and are left out: {reasons}.")


def _without(works: Table, rows: Iterable[int]) -> Table:
    return replace(works, table=works.table.drop(index=list(rows)).reset_index(drop=True))
