"""Progress bars: shown on a terminal while a stage runs, with the rate and the time left."""

from __future__ import annotations

import io
import sys

import pytest

from artsim import progress_bars
from artsim.progress_bars import Pace, shown, stage_bars


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_while_its_stage_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with stage_bars(quiet=False) as progress:
        for done in (0, 1, 2):
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


def test_the_pace_is_known_from_the_first_item_on() -> None:
    times = iter([10.0, 10.0, 10.5, 14.0])
    pace = Pace(0, lambda: next(times))
    assert pace.text(0, 21) == "starting …"
    assert pace.text(1, 21) == "2.0/s  0:10 left"
    assert pace.text(15, 22) == "4.0/s  0:02 left", "the time before the first item counts no longer"


def test_what_an_earlier_run_has_done_does_not_count_for_the_pace() -> None:
    times = iter([0.0, 1.0])
    assert Pace(1000, lambda: next(times)).text(1010, 8210) == "10.0/s  12:00 left"


def test_what_went_fast_long_ago_does_not_count_for_the_pace() -> None:
    times = iter([0.0, 0.1, 1.0, 30.0, 40.0])
    pace = Pace(0, lambda: next(times))
    texts = [pace.text(done, 10_000) for done in (500, 1000, 1029, 1039)]
    assert texts[0].startswith("5,000/s")
    assert texts[-1].startswith("1.0/s  2:29:2")


def test_a_function_gets_the_progress_that_a_caller_asks_for() -> None:
    seen: list[tuple[str, int, int]] = []
    with shown(lambda *at: seen.append(at)) as progress:
        progress("images", 1, 2)
    assert seen == [("images", 1, 2)]


def test_a_notebook_shows_one_line_for_each_stage(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_bars, "_is_notebook", lambda: True)
    with shown(True) as progress:
        for done in (0, 1, 2):
            progress("images", done, 2)
        progress("pairs", 0, 9)
    first, second = capsys.readouterr().err.split("\n")
    assert first.startswith("\rimages 0/2  starting …")
    assert "\rimages 2/2  " in first
    assert second.strip() == "pairs 0/9  starting …"


def test_no_progress_is_shown_unless_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_bars, "_is_notebook", lambda: True)
    with shown(False) as progress:
        progress("images", 1, 2)
    assert capsys.readouterr().err == ""
