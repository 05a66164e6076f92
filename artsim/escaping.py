"""Text from outside that is shown: passwords are masked, and control characters and markup are escaped.

File names, artists, columns and messages of libraries may hold anything. A terminal acts on control characters, and
bidirectional overrides show a text in another order than it has.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from urllib.parse import unquote

MASK = "***"

# C0 and C1 controls, DEL, soft hyphen, marks without width, bidirectional controls, line and paragraph separators,
# the byte order mark, interlinear marks, tags, and halves of surrogate pairs (bytes of a name that are not UTF-8).
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff\ud800-\udfff]"
)
_OWN_BREAK = re.compile(r"\n(?=  )")  # artsim's own lists: the next line is indented by two spaces
_MARKDOWN = re.compile(r"([\\`*\[\]|~&<>])")
# user:password@ of an address. A colon followed by a port number and a slash begins no password.
_USER_INFO = re.compile(r"(://[^\s:/@]*:)(?!\d+[/?#])[^\s'\"]+@")
_SECRET_PARAMETER = re.compile(
    r"(?i)([?&](?:[\w-]*(?:password|passwd|secret|token|api_?key|access_?key|signature)|pwd|sig)=)[^&\s'\"]+"
)
# Variables of MLflow that hold a secret, and those that hold an address with one.
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
_ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
_PASSWORD = re.compile(r"://[^\s:/@]*:(.+)@")
_SHORTEST_SECRET = 4  # a shorter one would be masked inside ordinary words


def one_line(text: str) -> str:
    """Escape every control character, line breaks too: the text takes one line of a terminal."""
    return _UNSAFE.sub(_escape, text)


def printable(text: str) -> str:
    """A message for the terminal: passwords are masked and control characters escaped.

    A line break stays only before two spaces, as in artsim's own lists. So no line of a name looks like a message.
    """
    return "\n".join(one_line(line) for line in _OWN_BREAK.split(masked(text)))


def printable_lines(text: str) -> str:
    """The same for a text that artsim has laid out: all of its line breaks stay."""
    return printable_text(masked(text))


def printable_text(text: str) -> str:
    """Escape the control characters of rows for a terminal. Line breaks and tabs stay."""
    return re.sub(r"[^\n\t]+", lambda part: one_line(part[0]), text)


def masked(text: str, *addresses: str) -> str:
    """Mask the passwords of addresses such as scheme://user:password@host, and those that MLflow's variables hold.

    The passwords of `addresses` are masked also where they stand by themselves.
    """
    text = _SECRET_PARAMETER.sub(rf"\g<1>{MASK}", _USER_INFO.sub(rf"\g<1>{MASK}@", text))
    for secret in _known_secrets(addresses):
        text = text.replace(secret, MASK)
    return text


def markdown(text: str) -> str:
    """Escape a text for a line of Markdown or a cell of its tables: it is shown as it is, without markup or HTML."""
    return _MARKDOWN.sub(r"\\\1", one_line(masked(text)))


def _known_secrets(addresses: Sequence[str]) -> list[str]:
    """The secrets of addresses and of the environment, longest first: as written, and without percent encoding."""
    named = [match[1] for each in (*addresses, *map(_variable, _ADDRESSES)) if (match := _PASSWORD.search(each))]
    found = {form for secret in (*named, *map(_variable, _SECRETS)) for form in (secret, unquote(secret))}
    return sorted((each for each in found if len(each) >= _SHORTEST_SECRET), key=len, reverse=True)


def _variable(name: str) -> str:
    return os.environ.get(name, "")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    known = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
    return known.get(match[0], f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")
