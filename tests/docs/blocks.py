"""The blocks of commands in the project's documents."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tests.command import ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "examples/*.md")
GENERATED = "docs/cli.md"  # its usage lines are templates, not commands
_PROGRAM = re.compile(r"^(artsim|artsim-score|mlflow|cat|cp|curl|pip|python3?|export|git|unzip)\b", flags=re.MULTILINE)
# A command of artsim, at the beginning of a line or in a pipe, up to a redirection or the next command.
_COMMAND = re.compile(r"(?:^|\| |&& )(artsim(?:-score)? .*?)(?= [|>] | && |$)", flags=re.MULTILINE)
# A block between fences, or one that is indented by four spaces, as deep as the list item that it belongs to.
_BLOCK = re.compile(
    r"^```[^\n]*\n(?P<fenced>.*?)^```$|(?P<indented>(?:^ {4,}\S[^\n]*\n(?:\n(?= {4,}\S))?)+)", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """Commands that follow each other without other text, as bash takes them."""

    document: str
    line: int  # of its first command, from 1
    script: str

    def __str__(self) -> str:
        """The place of the block."""
        return f"{self.document}:{self.line}"

    def words(self) -> Iterator[list[str]]:
        """The words of each command of artsim in the block, from the program's name to the end or a redirection."""
        for command in _COMMAND.findall(self.script.replace("\\\n", " ")):
            yield shlex.split(command, comments=True)


def blocks() -> list[Block]:
    """All blocks of commands, document by document."""
    paths = sorted({path for pattern in DOCUMENTS for path in ROOT.glob(pattern)} - {ROOT / GENERATED})
    return [block for path in paths for block in _blocks_of(path)]


def _blocks_of(path: Path) -> Iterator[Block]:
    text = path.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        kind = "indented" if found["fenced"] is None else "fenced"
        script = dedent(found[kind])
        if _PROGRAM.match(script):
            yield Block(path.relative_to(ROOT).as_posix(), text.count("\n", 0, found.start(kind)) + 1, script)
