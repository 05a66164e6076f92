"""Which works a run uses: read the collection, choose, look at every file once, split."""

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
from artsim.messages import first_few
from artsim.prefetch import prefetch_images

Table = TypeVar("Table", bound=Selection | Catalogue)


@dataclass(frozen=True)
class SelectOptions:
    """Where the works come from and how many of them are used; the flags say what each is."""

    data_file_path: str
    data_dir: Path | None
    read_prefetched_data: bool
    num_of_artists: int
    num_of_images_per_artist: int
    seed: int
    max_bad_images: BadImageLimit
    max_pixels: int
    merge_spellings: bool


def select(options: SelectOptions, say: Callable[[str], None], progress: Callable[[str, int, int], None]) -> Selection:
    """Choose the works and split them; what a user should know of it is said on the way.

    Raises:
        InputError: nothing to choose from, or too little to train on and to judge by.
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


def _say_all(notes: Iterable[str], say: Callable[[str], None]) -> None:
    for note in notes:
        say(note)


def _chosen(
    options: SelectOptions, say: Callable[[str], None], progress: Callable[[int, int], None]
) -> Selection | Catalogue:
    counts = {"artists": options.num_of_artists, "works": options.num_of_images_per_artist}
    if options.read_prefetched_data:
        saved = read_selection(Path(options.data_file_path), options.data_dir)
        return _spelled(saved, options.merge_spellings, say)
    catalogue = read_catalogue(options.data_file_path, options.data_dir, progress=progress, **counts)
    chosen, notes = choose(_spelled(catalogue, options.merge_spellings, say), seed=options.seed, **counts)
    _say_all(notes, say)
    return chosen


def _spelled(works: Table, merge: bool, say: Callable[[str], None]) -> Table:
    """The works with one spelling of each artist where that is asked for; what is found is said in any case."""
    found = variants(works.table["artist"])
    if not found:
        return works
    note = f"{works.source}: {described(found)}."
    if isinstance(works, Selection):
        cure = "Its split is made already: correct its artists, or select anew with --merge-spellings True."
        if merge:
            raise InputError(f"{note} They can't be merged. {cure}")
        say(f"{note} Each spelling is an artist of its own. {cure}")
        return works
    if not merge:
        say(f"{note} Each spelling is an artist of its own: --merge-spellings True makes them one.")
        return works
    say(f"{note} They are merged into the first spelling of each.")
    return replace(works, table=merged(works.table, found))


def _look_at(
    works: Selection | Catalogue, max_pixels: int, progress: Callable[[int, int], None]
) -> tuple[NDArray[np.uint64], dict[int, ImageError]]:
    """Fingerprints uint64 (N - failures,) of the works that can be read, and what is wrong with the others."""

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


def _report_bad(failures: dict[int, ImageError], of: int, allowed: BadImageLimit, say: Callable[[str], None]) -> None:
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
