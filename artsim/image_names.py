r"""The files that image names mean, for names that are no files as they are written.

A csv of another machine has `train\3.jpg`, `C:\Users\me\train\3.jpg`, `3.JPG`, `3.jpg ` or a decomposed umlaut. Such a
name means the one file in the data folder that has its last parts, apart from slashes, letter case, Unicode form,
spaces and quotes around parts, and percent-encoding. Where several files fit, it means none.

A name that exists as it is written is used as it is. The folder is listed once, and only for other names.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote

from artsim.errors import InputError
from artsim.litter import is_litter
from artsim.messages import FEW, counted, quoted
from artsim.name_spellings import (
    AFTER_END,
    URL,
    differences,
    has_root,
    key_of,
    parts_of,
    path_of_url,
    plain_part,
    reversed_key,
)

MAX_FILES = 500_000  # of a folder; about 130 MB of names
MAX_HINTS = 20  # names for which similar ones are looked for, which takes some milliseconds each
MAX_FITTING = 1_000  # files that are compared further
HINT_FILES = 20_000  # among which they are looked for


class ImageNames:
    """Finds the files of image names in a folder, and remembers those that were not named as they are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listing: _Listing | None = None
        self._found: dict[str, str] = {}
        self._ways: dict[str, None] = {}
        self._name_of: dict[str, str] = {}  # the longest name that each file at the top was found by
        self._missing: dict[str, list[str]] = {}  # the files that fit equally well
        self._name_by_file: dict[str, str] = {}  # of those that were found, the first one
        self._both: tuple[str, str] | None = None  # the first two of them that mean one file
        self._hints = 0

    def path(self, name: str) -> Path | None:
        """The file of a name, `folder / name` if none is found; None for the empty name.

        Raises:
            InputError: the name and an earlier one lie in different folders, and only one file fits both.
        """
        if not name:
            return None
        path = self._folder / name
        if os.path.lexists(path):
            return path
        return self._meant(name) or path

    def paths(self, names: Sequence[str]) -> dict[str, Path | None]:
        """The file of each name."""
        return {name: self.path(name) for name in names}

    def faults(self, names: Sequence[str]) -> dict[str, str]:
        """A sentence, after `paths`, for each name whose file is missing, where there is more to say than that."""
        found = ((name, self._fault(name)) for name in names)
        return {name: f"{quoted(name)}: {fault}" for name, fault in found if fault}

    @property
    def found(self) -> int:
        """The number of names that were found under another spelling."""
        return len(self._found)

    @property
    def note(self) -> str:
        """A line about these names; empty if there are none."""
        if not self._found:
            return ""
        name, file = next(iter(self._found.items()))
        verb = "was" if len(self._found) == 1 else "were"
        found = f"{counted(len(self._found), 'name')} {verb} found under another spelling ({', '.join(self._ways)})"
        both = f"; {quoted(self._both[0])} and {quoted(self._both[1])} are one file" if self._both else ""
        return f"{found}, such as {quoted(name)} as {quoted(file)}{both}"

    def shared(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """The names, after `paths`, whose file another one means too, each after that one."""
        by_spelling: dict[str, str] = {}
        by_file: dict[str, str] = {}
        both = []
        for name in names if self._found else _alike(names):
            file = os.path.normpath(self.path(name) or "")
            other = by_file.setdefault(file, name)
            alike = by_spelling.setdefault(_folded(name), name)
            if other is name and alike is not name and _is_same(file, str(self.path(alike))):
                other = alike
            if other is not name:
                both.append((other, name))
        return both

    def _fault(self, name: str) -> str | None:
        """What else is to say of a name whose file is missing: that it is a URL, which files fit, or a similar one."""
        if name in self._found:
            return None
        if url := URL.match(name.strip()):
            return f"a URL ({url[1].lower()}), and files are needed: download the image and name its file"
        if name not in self._missing or self._listing is None:
            return None
        if fitting := self._missing[name]:
            return f"no such file, and several fit: {_either(fitting)}"
        if self._listing.is_cut:
            return f"no such file, and {self._folder} has too many files to look for it (over {MAX_FILES:,})"
        if self._hints >= MAX_HINTS:
            return None
        self._hints += 1
        near = self._listing.near(name)
        return f"no such file (did you mean {_either(near)}?)" if near else None

    def _meant(self, name: str) -> Path | None:
        plain = path_of_url(name)
        if plain is None:
            return None
        if plain != name and Path(plain).is_absolute() and os.path.lexists(plain):
            return self._remember(name, plain, ["the form of a file URL"])
        if self._listing is None:
            self._listing = _Listing.of(self._folder)
        spellings = dict.fromkeys([plain, unquote(plain)])
        fitting: list[str] = []
        for spelling in spellings:
            fitting = self._listing.find(spelling)
            if len(fitting) == 1:
                decoded = ["percent-encoding"] if spelling != plain else []
                return self._remember(name, fitting[0], [*differences(spelling, fitting[0]), *decoded])
            if fitting:
                break
        self._missing[name] = fitting
        return None

    def _remember(self, name: str, file: str, ways: list[str]) -> Path:
        if "/" not in file:  # deeper files share at least one folder with the name, below another root
            self._name_of[file] = self._longer(name, self._name_of.get(file, name), file)
        other = self._name_by_file.setdefault(file, name)
        self._both = self._both or ((other, name) if other != name else None)
        self._found[name] = file
        self._ways.update(dict.fromkeys(ways))
        return self._folder / file

    def _longer(self, name: str, other: str, file: str) -> str:
        """Of two names of one file the one that names more folders; an InputError if their folders differ."""
        short, long = sorted((name, other), key=lambda each: len(parts_of(each)))
        if not reversed_key(parts_of(long)).startswith(reversed_key(parts_of(short))):
            raise InputError(
                f"{quoted(other)} and {quoted(name)} are in different folders, and of both only {quoted(file)} is in "
                f"{self._folder}. Put the images into folders as they are named, or name the files as they are."
            )
        return long


@dataclass(frozen=True)
class _Listing:
    """The files of a folder by their path within it, sorted by their keys, which begin with the last part.

    `folders` are the keys of the names of subfolders. `is_cut`: there are too many files, and none is listed.
    """

    keys: list[str]
    files: list[str]
    folders: frozenset[str]
    is_cut: bool = False

    @classmethod
    def of(cls, folder: Path) -> _Listing:
        """List a folder and its subfolders."""
        files: list[tuple[str, str]] = []
        folders: set[str] = set()
        for path, is_folder in _walk(folder):
            if is_folder:
                folders.add(key_of(path.rpartition("/")[2]))
            else:
                files.append((reversed_key(path.split("/")), path))
            if len(files) + len(folders) > MAX_FILES:
                return cls([], [], frozenset(), is_cut=True)
        files.sort()
        return cls([key for key, _ in files], [path for _, path in files], frozenset(folders))

    def find(self, name: str) -> list[str]:
        """The files that a name fits equally well: one, several or none."""
        parts = parts_of(name)
        shared = [(0, 0)]
        for start in range(len(parts) - 1, -1, -1):  # one part more each time, from the last on
            first, end = self._with_end(parts[start:])
            if first == end:
                break
            shared.append((first, end))
        common = len(shared) - 1
        return self._fitting(name, parts, common, *shared[-1]) if common else []

    def _with_end(self, parts: list[str]) -> tuple[int, int]:
        """The rows of the files whose paths end in some parts."""
        prefix = reversed_key(parts)
        first = bisect_left(self.keys, prefix)
        return first, bisect_left(self.keys, prefix[:-1] + AFTER_END, lo=first)

    def _fitting(self, name: str, parts: list[str], common: int, first: int, end: int) -> list[str]:
        """Of the files from `first` to `end`, which share so many parts with the name, those that it can mean."""
        fitting = self.files[first : min(end, first + MAX_FITTING)]  # those with no other folder above come first
        at_top = [file for file in fitting if file.count("/") == common - 1]
        is_whole, is_rooted = common == len(parts), has_root(name)
        if not is_whole and key_of(parts[-common - 1]) in self.folders and not (is_rooted and common > 1):
            return []  # the name says in which folder the file should be
        is_deeper = common > 1 if is_rooted else is_whole and not at_top
        files = fitting if is_deeper else at_top
        wanted = parts[len(parts) - common :]
        exact = [file for file in files if file.split("/")[-common:] == wanted]
        composed = list(map(plain_part, wanted))
        return exact or [file for file in files if [*map(plain_part, file.split("/")[-common:])] == composed] or files

    def near(self, name: str) -> list[str]:
        """Files with a similar name, the same last part first."""
        parts = parts_of(name)
        if not parts:
            return []
        first, end = self._with_end(parts[-1:])
        if first < end:
            return self.files[first : min(end, first + FEW)]
        last = {file.rpartition("/")[2]: file for file in self.files[:HINT_FILES]}
        return [last[match] for match in get_close_matches(parts[-1], last, n=1, cutoff=0.75)]


def _walk(folder: Path) -> Iterator[tuple[str, bool]]:
    """The files and the subfolders of a folder, by their paths within it. Links are followed, each folder once."""
    entered: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        place = waiting.pop()
        try:
            status = (folder / place).stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(folder / place), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if is_litter(entry.name):
                continue
            path = f"{place}/{entry.name}" if place else entry.name
            is_folder = _is_folder(entry)
            if is_folder:
                waiting.append(path)
            yield path, is_folder


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _folded(name: str) -> str:
    """A name without letter case, and with one kind of slash."""
    return name.replace("\\", "/").casefold()


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)  # noqa: PTH121 - Path's raises for a name too long
    except (OSError, ValueError):
        return False


def _alike(names: Sequence[str]) -> list[str]:
    """Those of some names that differ from another one only in letter case or slashes."""
    times = Counter(map(_folded, names))
    return [name for name in names if times[_folded(name)] > 1]


def _either(files: list[str]) -> str:
    shown = " or ".join(quoted(file) for file in files[:FEW])
    return shown + (" or others" if len(files) > FEW else "")
