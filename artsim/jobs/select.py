"""Which works a run uses: read the collection, choose, look at every file once, split."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from artsim import images
from artsim.collection.catalogue import Catalogue, read_catalogue
from artsim.collection.duplicates import FINGERPRINT_SIZE, belong_together, fingerprint
from artsim.collection.selection import Selection, choose, read_selection
from artsim.collection.split import check, split
from artsim.errors import BadImagesError, ImageError, InputError
from artsim.jobs.allowance import Allowance
from artsim.scoring.embedding import decode

Works = TypeVar("Works", bound=Selection | Catalogue)
BAD_IMAGES_NAMED = 3


@dataclass(frozen=True)
class SelectOptions:
    """Where the works come from and how many of them are used; the flags say what each is."""

    data_file_path: str
    data_dir: Path | None
    read_prefetched_data: bool
    num_of_artists: int
    num_of_images_per_artist: int
    seed: int
    max_bad_images: Allowance
    max_pixels: int


def select(options: SelectOptions, say: Callable[[str], None], progress: Callable[[str, int, int], None]) -> Selection:
    """Choose the works and split them; what a user should know of it is said on the way.

    Raises:
        InputError: nothing to choose from, or too little to train on and to judge by.
        BadImagesError: more bad images than allowed.
    """
    chosen = _chosen(options, say, lambda done, total: progress("painting the demo", done, total))
    fingerprints, failures = _look_at(chosen, options.max_pixels, lambda *at: progress("reading", *at))
    _report_bad(failures, len(chosen.table), options.max_bad_images, say)
    chosen = _without(chosen, failures)
    if isinstance(chosen, Selection):
        check(chosen)
        return chosen
    groups = chosen.table["group"].to_numpy() if "group" in chosen.table.columns else None
    selection, notes = split(chosen, belong_together(fingerprints, groups), options.seed)
    for note in notes:
        say(note)
    return selection


def _chosen(
    options: SelectOptions, say: Callable[[str], None], progress: Callable[[int, int], None]
) -> Selection | Catalogue:
    counts = {"artists": options.num_of_artists, "works": options.num_of_images_per_artist}
    if options.read_prefetched_data:
        return read_selection(Path(options.data_file_path), options.data_dir)
    catalogue = read_catalogue(options.data_file_path, options.data_dir, progress=progress, **counts)
    chosen, notes = choose(catalogue, seed=options.seed, **counts)
    for note in notes:
        say(note)
    return chosen


def _look_at(
    works: Selection | Catalogue, max_pixels: int, progress: Callable[[int, int], None]
) -> tuple[NDArray[np.uint64], dict[int, ImageError]]:
    """Fingerprints uint64 (N - failures,) of the works that can be read, and what is wrong with the others."""

    def read(path: Path) -> NDArray[np.uint8]:
        return images.load(path, FINGERPRINT_SIZE, max_pixels=max_pixels)

    paths = [works.folder / name for name in works.table["filename"]]
    fingerprints: list[int] = []
    failures: dict[int, ImageError] = {}
    for number, pixels in enumerate(decode(paths, read, ahead=64)):
        if isinstance(pixels, ImageError):
            failures[number] = pixels
        else:
            fingerprints.append(fingerprint(pixels))
        progress(number + 1, len(paths))
    return np.array(fingerprints, dtype=np.uint64), failures


def _report_bad(failures: dict[int, ImageError], of: int, allowed: Allowance, say: Callable[[str], None]) -> None:
    if not failures:
        return
    named = " ".join(str(error) for error in list(failures.values())[:BAD_IMAGES_NAMED])
    more = f" … and {len(failures) - BAD_IMAGES_NAMED} more." if len(failures) > BAD_IMAGES_NAMED else ""
    if len(failures) == of:
        raise InputError(f"none of the {of} images can be used: {named}{more} Is --data-dir right?")
    if not allowed.admits(len(failures), of):
        raise BadImagesError(
            f"{len(failures)} of {of} images can't be used: {named}{more} Mend them, or allow them with "
            "--max-bad-images."
        )
    say(f"{len(failures)} of {of} images can't be used and are left out: {named}{more}")


def _without(works: Works, rows: Iterable[int]) -> Works:
    return replace(works, table=works.table.drop(index=list(rows)).reset_index(drop=True))
