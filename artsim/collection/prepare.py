"""Prepare the selection of a run: read the collection, choose works, check every file once, split."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artsim.bad_images import BadImageLimit
from artsim.collection.artists import Qualified
from artsim.collection.catalogue import Catalogue, read_catalogue
from artsim.collection.columns import Columns
from artsim.collection.duplicates import FINGERPRINT_SIZE, cluster_works, find_near_duplicates, fingerprint
from artsim.collection.notes import lost_artists, shared_pictures, single_works
from artsim.collection.selection import Selection, choose, read_selection
from artsim.collection.spellings import describe_spellings, find_spellings, merge_spellings
from artsim.collection.split import check_selection, split
from artsim.collection.works import Reading
from artsim.decoders import DECODERS, Pass
from artsim.errors import BadImagesError, ImageError, InputError
from artsim.messages import Progress, Say, first_few, line_each
from artsim.prefetch import prefetch_images


@dataclass(frozen=True)
class SelectionOptions:
    """The source of the works, and how many of them are used. The flags of `artsim train` describe each field."""

    data_file_path: str
    data_dir: Path | None
    read_prefetched_data: bool
    num_of_artists: int | None  # None: all; the embedded collection needs both numbers
    num_of_images_per_artist: int | None
    seed: int
    max_bad_images: BadImageLimit
    max_pixels: int
    merge_spellings: bool
    columns: Columns = field(default_factory=Columns)
    qualified: Qualified = "drop"


def prepare_selection(options: SelectionOptions, say: Say, progress: Progress) -> Selection:
    """Choose the works and split them. Notes for the user go to `say`.

    Raises:
        InputError: there are no works, or too few to train or to validate on.
        BadImagesError: more images are bad than allowed.
    """
    chosen = _choose(options, say, progress)
    if note := chosen.names_note():
        say(note)
    fingerprints, failures = _fingerprints(chosen, options.max_pixels, progress)
    _report_bad(failures, len(chosen.table), options.max_bad_images, say)
    works = replace(chosen, table=chosen.table.drop(index=list(failures)).reset_index(drop=True))
    near = find_near_duplicates(fingerprints)
    _say_all(lost_artists(chosen.table, works.table), say)
    _say_all(single_works(works.table), say)
    _say_all(shared_pictures(works.table, fingerprints, near), say)
    if isinstance(works, Selection):
        check_selection(works)
        return works
    groups = works.table["group"].to_numpy() if "group" in works.table.columns else None
    selection, notes = split(works, cluster_works(near, len(works.table), groups), options.seed)
    _say_all(notes, say)
    return selection


def _say_all(notes: Iterable[str], say: Say) -> None:
    for note in notes:
        say(note)


def _choose(options: SelectionOptions, say: Say, progress: Progress) -> Catalogue:
    """The chosen works: a `Selection` if their split is saved already."""
    counts = {"artists": options.num_of_artists, "works": options.num_of_images_per_artist}
    reading = Reading(say, options.columns, options.qualified)
    if options.read_prefetched_data:
        saved = read_selection(Path(options.data_file_path), options.data_dir, reading)
        return _unify_spellings(saved, options.merge_spellings, say)
    catalogue = read_catalogue(options.data_file_path, options.data_dir, reading, progress=progress, **counts)
    chosen, notes = choose(_unify_spellings(catalogue, options.merge_spellings, say), seed=options.seed, **counts)
    _say_all(notes, say)
    return chosen


def _unify_spellings(works: Catalogue, merge: bool, say: Say) -> Catalogue:
    """Report artists with several spellings, and merge the spellings on request."""
    found = find_spellings(works.table["artist"])
    if not found:
        return works
    note = f"{works.source}: {describe_spellings(found)}."
    if isinstance(works, Selection):
        remedy = "Correct the artists in the file, or make a new selection with --merge-spellings."
        if merge:
            raise InputError(f"{note} They can't be merged, because the works are already split. {remedy}")
        say(f"{note} Each spelling counts as an artist. {remedy}")
        return works
    if not merge:
        say(f"{note} Each spelling counts as an artist. --merge-spellings merges them.")
        return works
    say(f"{note} They are merged into the first spelling of each artist.")
    return replace(works, table=merge_spellings(works.table, found))


def _fingerprints(
    works: Catalogue, max_pixels: int, progress: Progress
) -> tuple[NDArray[np.uint64], dict[int, ImageError]]:
    """Fingerprints uint64 (N - failures,) of the readable works, and the errors of the others by row."""
    decoding = Pass()

    def read(path: Path) -> NDArray[np.uint8]:
        return DECODERS.load(path, FINGERPRINT_SIZE, max_pixels=max_pixels, owner=decoding)

    paths = works.paths(works.table)
    fingerprints: list[int] = []
    failures: dict[int, ImageError] = {}
    progress("reading", 0, len(paths))
    for number, pixels in enumerate(prefetch_images(paths, read, depth=64, stop=lambda: DECODERS.stop(decoding))):
        if isinstance(pixels, ImageError):
            failures[number] = pixels
        else:
            fingerprints.append(fingerprint(pixels))
        progress("reading", number + 1, len(paths))
    return np.array(fingerprints, dtype=np.uint64), failures


def _report_bad(failures: dict[int, ImageError], of: int, allowed: BadImageLimit, say: Say) -> None:
    if not failures:
        return
    reasons = first_few([str(error) for error in failures.values()], "; ")
    if len(failures) == of:
        raise InputError(f"None of the {of:,} images can be used: {reasons}. Check --data-dir.")
    if not allowed.accepts(len(failures), of):
        raise BadImagesError(
            f"{len(failures):,} of {of:,} images can't be used: {reasons}. Repair them, or raise --max-bad-images."
        )
    say(f"{len(failures):,} of {of:,} images can't be used and are left out:")
    for line in line_each([str(error) for error in failures.values()]):
        say(f"  {line}")
