"""No command overwrites what it reads, or writes two outputs to one file.

Files are compared, not names: links, hard links, `./` and, where the file system ignores it, letter case make no
difference. An output to a device overwrites nothing. Standard output may be a file.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from artsim.errors import UsageError
from artsim.files import is_stream

# What a flag names: one file, several, or none.
Named: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None

_STDIN = "/dev/stdin"
_STDOUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_STREAMS = ("/dev/std", "/dev/fd/", "/proc/self/fd/")
_PICTURES = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    b"GIF8",
    b"II*\0",  # TIFF
    b"MM\0*",
    b"II+\0",  # BigTIFF
    b"MM\0+",
    b"8BPS",  # PSD
    b"qoif",
    b"\0\0\0\x0cjP  ",  # JPEG 2000
    b"\xff\x4f\xff\x51",
)
_SUFFIXES = {
    ".avif", ".bmp", ".gif", ".heic", ".heif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".keras", ".onnx",
    ".png", ".ppm", ".psd", ".qoi", ".tif", ".tiff", ".webp",
}  # fmt: skip


def check_overwrites(inputs: Mapping[str, Named], outputs: Mapping[str, Named], *, makes_tower: bool = False) -> None:
    """Check that no output is an input, another output, or a file that artsim does not write there.

    Args:
        inputs: what the command reads, by flag.
        outputs: what it writes, by flag. One that exists may be replaced, unless it is a picture or a tower.
        makes_tower: whether the command writes towers, and so may replace one.

    Raises:
        UsageError: naming both flags, or the file.
    """
    read = [(flag, Path(_STDIN if name == "-" else name)) for flag, name in _names(inputs)]
    written: list[tuple[str, Path]] = []
    for flag, name in _names(outputs):
        if name in _STDOUT:
            _check_standard_output(read)
        if _is_no_file(name):
            continue
        path = Path(name)
        for others, verb in ((read, "reads"), (written, "writes")):
            for other, taken in others:
                if is_same_file(path, taken):
                    raise UsageError(
                        f"{flag} {path}: is the file that {other} {verb} ({taken}). Name another file by {flag}."
                    )
        if what := _precious(path, makes_tower):
            raise UsageError(f"{flag} {path}: is {what}, and would be overwritten. Name another file by {flag}.")
        written.append((flag, path))


def is_same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, or would lead to it once it is written. Links are followed."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # one of them does not exist, or has an impossible name
        pass
    try:
        first, second = (Path(os.path.realpath(path)) for path in (one, other))
        if not first.parent.samefile(second.parent):
            return False
    except (OSError, ValueError):
        return False
    if first.name == second.name:
        return True
    return first.name.casefold() == second.name.casefold() and _ignores_case(first.parent)


def is_picture(start: bytes) -> bool:
    """Whether a file with these first 16 bytes is a picture."""
    is_webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    return start.startswith(_PICTURES) or is_webp or start[4:8] == b"ftyp"


def _check_standard_output(read: Sequence[tuple[str, Path]]) -> None:
    """Check that standard output, where it is a file, is none that is read."""
    try:
        status = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):  # closed, or in memory
        return
    for flag, path in read if stat.S_ISREG(status.st_mode) else []:
        with suppress(OSError, ValueError):
            if os.path.samestat(status, path.stat()):
                raise UsageError(f"standard output is the file that {flag} reads ({path}). Send it to another file.")


def _names(named: Mapping[str, Named]) -> Iterator[tuple[str, str]]:
    for flag, value in named.items():
        paths = [] if value is None else [value] if isinstance(value, str | os.PathLike) else value
        yield from ((flag, os.fspath(path)) for path in paths)


def _is_no_file(output: str) -> bool:
    """Whether an output is `-`, a pipe, a device, or a standard stream by its path, which may lead to a file."""
    try:
        return output.startswith(_STREAMS) or is_stream(output)
    except (OSError, ValueError):
        return False


def _ignores_case(folder: Path) -> bool:
    """Whether names in a folder that differ in letter case are one file; the folder's own name shows it."""
    for place in (folder, *folder.parents):
        other = place.with_name(place.name.swapcase()) if place.name else place
        if other.name != place.name:
            try:
                return place.samefile(other)
            except OSError:
                return False
    return False


def _precious(path: Path, makes_tower: bool) -> str | None:
    """What an existing file is that no output replaces; None: it may be replaced."""
    try:
        if not path.is_file() or not path.stat().st_size:
            return None
        with path.open("rb") as file:
            start = file.read(16)
    except (OSError, ValueError):
        return None  # an error of its own, once it is opened
    suffix = path.suffix.lower()
    if is_picture(start):
        return "a picture"
    if suffix not in _SUFFIXES or (makes_tower and suffix == ".onnx"):
        return None
    return {".onnx": "a tower", ".keras": "a checkpoint"}.get(suffix, "a picture")
