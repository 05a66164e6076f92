"""Folders of images: which files are works, what is passed over, and where the files of a table lie."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from artsim import images
from artsim.errors import InputError
from artsim.image_names import ImageNames
from artsim.litter import is_litter
from artsim.messages import counted, first_few, none_found, quoted
from artsim.tables.compression import split_suffix

COMMON = (".jpg", ".png", ".tif", ".webp")  # suffixes that a message names
LOOKED_UP = 20  # names of a table that are looked for under other spellings, to find its folder


@dataclass
class Listing:
    """The files of a folder.

    Attributes:
        names: the paths of the images within the folder, with `/`, sorted.
        broken: those of them that are links to files that are not there.
        litter: names of files and folders that are passed over as litter.
        others: the numbers of files that are passed over, by suffix.
        again: links to folders that are listed already.
    """

    names: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    litter: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    again: list[str] = field(default_factory=list)

    def notes(self, folder: Path) -> list[str]:
        """A line about what is passed over and why, and one about broken links; each only if there is any."""
        passed_over = [f"{number:,} {suffix or 'without a suffix'}" for suffix, number in self.others.most_common()]
        if self.litter:
            passed_over.append(f"{len(self.litter):,} hidden or left by programs ({first_few(self.litter)})")
        if self.again:
            passed_over.append(
                f"{counted(len(self.again), 'link')} to folders listed already ({first_few(self.again)})"
            )
        total = self.others.total() + len(self.litter) + len(self.again)
        notes = [f"{folder}: {total:,} passed over: {'; '.join(passed_over)}."] if total else []
        if self.broken:
            links = counted(len(self.broken), "image")
            notes.append(f"{folder}: {links} missing, links to files that are not there: {first_few(self.broken)}.")
        return notes


def list_folder(folder: Path) -> Listing:
    """List the images in a folder and its subfolders. Links are followed; each subfolder is entered once.

    Images are the files with a suffix of `images.suffixes`. A broken link with such a suffix is an image, too.

    Raises:
        InputError: there are no images, or a subfolder can't be read.
    """
    listing, suffixes = Listing(), images.suffixes()
    for path in _walk(folder, listing):
        name = path.relative_to(folder).as_posix()
        suffix = path.suffix.lower()
        if is_litter(path.name):
            listing.litter.append(name)
        elif suffix not in suffixes:
            listing.others[suffix] += 1
        else:
            listing.names.append(name)
            if path.is_symlink() and not path.exists():
                listing.broken.append(name)
    listing.names.sort()
    listing.broken.sort()
    if not listing.names:
        why = " ".join(["", *listing.notes(folder)])
        raise InputError(
            f"{folder}: the folder has no images, nor have its subfolders. Images are files such as "
            f"{', '.join(COMMON)} and {len(suffixes) - len(COMMON)} more kinds.{why}"
        )
    return listing


def artist_of(name: str) -> str:
    """The artist of an image in a folder: the first subfolder of its name. At the top it has none: the empty string."""
    return PurePath(name).parts[0] if "/" in name else ""


def check_text(names: Iterable[str], source: str) -> None:
    """Check that names can be written as UTF-8.

    Raises:
        InputError: some can't.
    """
    wrong = [ascii(name) for name in names if not _is_text(name)]
    if wrong:
        what = "file name is" if len(wrong) == 1 else "file names are"
        raise InputError(f"{source}: {len(wrong):,} {what} not UTF-8 text: {first_few(wrong)}. Rename these files.")


def check_own_files(names: Sequence[str], lookup: ImageNames, source: str) -> None:
    """Check that no two works have one file. `lookup` has found their files.

    Raises:
        InputError: some have.
    """
    shared = lookup.shared(names)
    if shared:
        both = [f"{quoted(other)} and {quoted(name)}" for other, name in shared]
        raise InputError(
            f"{source}: {counted(len(shared), 'work')} with the file of another work: {first_few(both, '; ')}. Remove "
            "one row of each file, or put the images into folders as they are named."
        )


def find_folder(path: Path, data_dir: Path | None, filenames: Iterable[str]) -> Path:
    """Find the folder of a table's files.

    It is `data_dir` if given. Otherwise it is the folder of the table, or, as in Painter by Numbers, the folder `train`
    next to `train_info.csv`. A folder is accepted if it has one of the files. The others are missing images.

    Raises:
        InputError: no folder has one of them.
    """
    names = list(filenames)
    plain = path.with_suffix("") if split_suffix(path)[1] else path
    candidates = [data_dir] if data_dir else [path.parent, path.parent / plain.stem.removesuffix("_info")]
    for folder in candidates:
        if any(os.path.isfile(folder / name) for name in names):  # noqa: PTH113 - Path's raises for a name too long
            return folder
    for folder in candidates:  # only now: a name that is a file as it is written says more
        lookup = ImageNames(folder)
        lookup.paths(names[:LOOKED_UP])
        if lookup.found:
            return folder
    searched = " or ".join(str(folder) for folder in candidates)
    raise InputError(none_found(str(path), names, searched))


def _walk(folder: Path, listing: Listing) -> Iterator[Path]:
    """Every file below a folder. Litter is not entered, and a subfolder is entered once by whatever links."""
    entered: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, followlinks=True, onerror=_unreadable):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in entered:
            listing.again.append(Path(place).relative_to(folder).as_posix())
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        listing.litter += [Path(place, name).relative_to(folder).as_posix() for name in folders if is_litter(name)]
        # Sorted, so that the order of entry does not depend on the file system.
        folders[:] = sorted(name for name in folders if not is_litter(name))
        yield from (Path(place, name) for name in sorted(files))


def _unreadable(error: OSError) -> None:
    raise InputError(f"{error.filename}: the folder can't be read ({error.strerror}).") from error


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
