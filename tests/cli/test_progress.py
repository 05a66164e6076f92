from __future__ import annotations

import io
import sys

import pytest

from artsim.cli.progress import stage_bars


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_while_its_stage_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with stage_bars(quiet=False) as progress:
        for done in (1, 2):
            progress("reading", done, 2)
        sys.stderr.write("between two stages\n")
        progress("writing", 1, 2)
    assert "reading" in terminal.getvalue()
    before, between, after = terminal.getvalue().partition("between two stages\n")
    assert between
    assert before.endswith(("\x1b[2K", "\r", "\x1b[?25h")), "the bar must be removed before others write"
    assert "writing" in after
    assert "reading" not in after


@pytest.mark.parametrize("quiet", [False, True])
def test_no_bar_without_a_terminal_or_with_quiet(
    quiet: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    if quiet:
        monkeypatch.setattr(sys, "stderr", terminal)
    with stage_bars(quiet=quiet) as progress:
        progress("reading", 1, 2)
    assert capsys.readouterr().err == terminal.getvalue() == ""
