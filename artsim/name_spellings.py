r"""The parts of an image's name, and what makes two spellings of one name alike.

Alike are names that differ in `\` for `/`, letter case, Unicode form, and spaces or quotes around parts.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, urlsplit

URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
END, AFTER_END = "\0", "\1"  # of a part in a key

_ROOT = re.compile(r"[a-zA-Z]:|[\\/~]|\.\.[\\/]")
_AROUND = "\"'\ufeff\u200b"


def path_of_url(name: str) -> str | None:
    """The path of a file URL; any other name as it is; None for the URL of something else."""
    url = URL.match(name.strip())
    if url is None:
        return name
    if url[1].lower() != "file":
        return None
    try:
        return unquote(urlsplit(name.strip()).path)
    except ValueError:
        return None


def parts_of(name: str) -> list[str]:
    r"""The parts of a path, with `/` or `\`, without a drive, `.` and `..`."""
    found: list[str] = []
    for part in re.split(r"[\\/]+", re.sub(rf"^[\s{_AROUND}]*(?:[a-zA-Z]:)?", "", name)):
        plain = plain_part(part)
        if plain == "..":
            found = found[:-1]
        elif plain not in ("", "."):
            found.append(part)
    return found


def has_root(name: str) -> bool:
    """Whether a name begins at a root, a drive or a folder above, which are those of another machine."""
    return _ROOT.match(name.lstrip().lstrip(_AROUND)) is not None


def plain_part(part: str) -> str:
    """A part without spaces and quotes around it, composed."""
    return unicodedata.normalize("NFC", part).strip().strip(_AROUND).strip()


def key_of(part: str) -> str:
    """What parts have in common that differ only in letter case, Unicode form, and spaces around them."""
    folded = unicodedata.normalize("NFD", part).casefold()
    return plain_part(unicodedata.normalize("NFC", folded))


def reversed_key(parts: list[str]) -> str:
    """The keys of parts, the last one first, each with an end."""
    return "".join(key_of(part) + END for part in reversed(parts))


def differences(name: str, file: str) -> list[str]:
    """In what a name and the file that it means differ."""
    parts, found = parts_of(name), file.split("/")
    common = min(len(parts), len(found))
    pairs = list(zip(parts[-common:], found[-common:], strict=True))
    ways = {
        "folder separators": "\\" in name,
        "the folders above": len(parts) != len(found) or has_root(name),
        "spaces or quotes": any(part != part.strip().strip(_AROUND).strip() for part in parts),
        "Unicode form": any(_nfc(one) != one or _nfc(other) != other for one, other in pairs if one != other),
        "letter case": any(plain_part(one) != plain_part(other) for one, other in pairs),
    }
    return [way for way, differs in ways.items() if differs]


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
