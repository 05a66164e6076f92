from __future__ import annotations

import io
import sys

import pytest

from artsim.cli.progress import stage_bars


class Terminal(io.StringIO):
    """What a terminal is to a program: a stream that says so."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_each_stage_and_then_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with stage_bars(quiet=False) as tell:
        for done in (1, 2):
            tell("reading", done, 2)
        sys.stderr.write("between two stages\n")
        tell("writing", 1, 2)
    assert "reading" in terminal.getvalue()
    before, between, after = terminal.getvalue().partition("between two stages\n")
    assert between
    assert before.endswith(("\x1b[2K", "\r", "\x1b[?25h")), "the bar must be gone before others write"
    assert "writing" in after
    assert "reading" not in after


@pytest.mark.parametrize("quiet", [False, True])
def test_nobody_looks_or_nobody_wants_to(
    quiet: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    if quiet:
        monkeypatch.setattr(sys, "stderr", terminal)
    with stage_bars(quiet=quiet) as tell:
        tell("reading", 1, 2)
    assert capsys.readouterr().err == terminal.getvalue() == ""
