"""Two runs never write one output; a run that died keeps nobody out."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from artsim.errors import OutputError
from artsim.locking import only_one
from tests.command import ROOT

HOLDER = """
import sys
from pathlib import Path
from artsim.locking import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds the lock until its standard input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def refused(path: Path) -> bool:
    try:
        with only_one(path):
            return False
    except OutputError:
        return True


def test_the_second_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    with holder(path):
        with pytest.raises(OutputError, match=r"scores\.csv: another run is writing it"), only_one(path):
            pass
        assert not refused(tmp_path / "others.csv")
    assert not refused(path)
    assert list(tmp_path.iterdir()) == []


def test_one_that_was_killed_keeps_nobody_out(tmp_path: Path) -> None:
    with holder(tmp_path / "scores.csv") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not refused(tmp_path / "scores.csv")
    assert list(tmp_path.iterdir()) == []


def test_it_holds_within_a_process_and_ends_with_an_error(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    with pytest.raises(ZeroDivisionError), only_one(path):
        assert refused(path)
        raise ZeroDivisionError
    assert not refused(path)


def test_a_link_and_what_it_points_to_are_one_output(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "elsewhere" / "scores.csv")
    with only_one(tmp_path / "link.csv"):
        assert refused(tmp_path / "elsewhere" / "scores.csv")


def test_the_longest_names_can_be_locked(tmp_path: Path) -> None:
    assert not refused(tmp_path / ("\u00fc" * 127 + "x"))


def test_a_folder_that_is_not_there_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"), only_one(tmp_path / "nowhere" / "scores.csv"):
        pass
    assert list(tmp_path.iterdir()) == []
