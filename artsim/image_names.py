r"""The files that image names mean, for names that are no files as they are written.

A csv of another machine has `train\3.jpg`, `C:\Users\me\train\3.jpg`, `3.JPG`, `3.jpg ` or a decomposed umlaut. Such a
name means the one file in the data folder that has its last parts, apart from slashes, letter case, Unicode form,
spaces and quotes around parts, and percent-encoding. Where several files fit, it means none.

A name that exists as it is written is used as it is. The folder is listed once, and only for other names.
"""

from __future__ import annotations

import os
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote, urlsplit

from artsim.litter import is_litter
from artsim.messages import FEW, counted

MAX_FILES = 500_000  # of a folder; about 130 MB of names
MAX_HINTS = 20  # names for which similar ones are looked for, which takes some milliseconds each
MAX_FITTING = 1_000  # files that are compared further
HINT_FILES = 20_000  # among which they are looked for

_URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_ROOT = re.compile(r"[a-zA-Z]:|[\\/~]|\.\.[\\/]")
_AROUND = "\"'\ufeff\u200b"
_END, _AFTER_END = "\0", "\1"  # of a part in a key


class ImageNames:
    """Finds the files of image names in a folder, and remembers those that were not named as they are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listing: _Listing | None = None
        self._found: dict[str, str] = {}
        self._ways: dict[str, None] = {}
        self._missing: dict[str, list[str]] = {}  # the files that fit equally well
        self._hints = 0

    def path(self, name: str) -> Path | None:
        """The file of a name, `folder / name` if none is found; None for the empty name."""
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
        return {name: f"{name!r}: {fault}" for name, fault in found if fault}

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
        ways = ", ".join(self._ways)
        return f"{counted(len(self._found), 'name')} {verb} found apart from {ways}: {name!r} is {file!r}"

    def _fault(self, name: str) -> str | None:
        """What else is to say of a name whose file is missing: that it is a URL, which files fit, or a similar one."""
        if name in self._found:
            return None
        if url := _URL.match(name.strip()):
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
        return f"no such file, did you mean {_either(near)}?" if near else None

    def _meant(self, name: str) -> Path | None:
        plain = _path_of_url(name)
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
                return self._remember(name, fitting[0], [*_differences(spelling, fitting[0]), *decoded])
            if fitting:
                break
        self._missing[name] = fitting
        return None

    def _remember(self, name: str, file: str, ways: list[str]) -> Path:
        self._found[name] = file
        self._ways.update(dict.fromkeys(ways))
        return self._folder / file


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
                folders.add(_key(path.rpartition("/")[2]))
            else:
                files.append((_reversed_key(path.split("/")), path))
            if len(files) + len(folders) > MAX_FILES:
                return cls([], [], frozenset(), is_cut=True)
        files.sort()
        return cls([key for key, _ in files], [path for _, path in files], frozenset(folders))

    def find(self, name: str) -> list[str]:
        """The files that a name fits equally well: one, several or none."""
        parts = _parts(name)
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
        prefix = _reversed_key(parts)
        first = bisect_left(self.keys, prefix)
        return first, bisect_left(self.keys, prefix[:-1] + _AFTER_END, lo=first)

    def _fitting(self, name: str, parts: list[str], common: int, first: int, end: int) -> list[str]:
        """Of the files from `first` to `end`, which share so many parts with the name, those that it can mean."""
        fitting = self.files[first : min(end, first + MAX_FITTING)]  # those with no other folder above come first
        at_top = [file for file in fitting if file.count("/") == common - 1]
        is_whole, is_rooted = common == len(parts), _is_rooted(name)
        if not is_whole and _key(parts[-common - 1]) in self.folders and not (is_rooted and common > 1):
            return []  # the name says in which folder the file should be
        is_deeper = common > 1 if is_rooted else is_whole and not at_top
        files = fitting if is_deeper else at_top
        wanted = parts[len(parts) - common :]
        exact = [file for file in files if file.split("/")[-common:] == wanted]
        composed = list(map(_plain, wanted))
        return exact or [file for file in files if [*map(_plain, file.split("/")[-common:])] == composed] or files

    def near(self, name: str) -> list[str]:
        """Files with a similar name, the same last part first."""
        parts = _parts(name)
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


def _path_of_url(name: str) -> str | None:
    """The path of a file URL; any other name as it is; None for the URL of something else."""
    url = _URL.match(name.strip())
    if url is None:
        return name
    if url[1].lower() != "file":
        return None
    try:
        return unquote(urlsplit(name.strip()).path)
    except ValueError:
        return None


def _parts(name: str) -> list[str]:
    r"""The parts of a path, with `/` or `\`, without a drive, `.` and `..`."""
    found: list[str] = []
    for part in re.split(r"[\\/]+", re.sub(rf"^[\s{_AROUND}]*(?:[a-zA-Z]:)?", "", name)):
        plain = _plain(part)
        if plain == "..":
            found = found[:-1]
        elif plain not in ("", "."):
            found.append(part)
    return found


def _is_rooted(name: str) -> bool:
    """Whether a name begins at a root, a drive or a folder above, which are those of another machine."""
    return _ROOT.match(name.lstrip().lstrip(_AROUND)) is not None


def _plain(part: str) -> str:
    """A part without spaces and quotes around it, composed."""
    return unicodedata.normalize("NFC", part).strip().strip(_AROUND).strip()


def _key(part: str) -> str:
    """What parts have in common that differ only in letter case, Unicode form, and spaces around them."""
    folded = unicodedata.normalize("NFD", part).casefold()
    return _plain(unicodedata.normalize("NFC", folded))


def _reversed_key(parts: list[str]) -> str:
    return "".join(_key(part) + _END for part in reversed(parts))


def _differences(name: str, file: str) -> list[str]:
    """In what a name and the file that it means differ."""
    parts, found = _parts(name), file.split("/")
    common = min(len(parts), len(found))
    pairs = list(zip(parts[-common:], found[-common:], strict=True))
    ways = {
        "folder separators": "\\" in name,
        "the folders above": len(parts) != len(found) or _is_rooted(name),
        "spaces or quotes": any(part != part.strip().strip(_AROUND).strip() for part in parts),
        "Unicode form": any(_nfc(one) != one or _nfc(other) != other for one, other in pairs if one != other),
        "letter case": any(_plain(one) != _plain(other) for one, other in pairs),
    }
    return [way for way, differs in ways.items() if differs]


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _either(files: list[str]) -> str:
    shown = " or ".join(repr(file) for file in files[:FEW])
    return shown + (" or others" if len(files) > FEW else "")
