"""Two runs never write one output; a run that died keeps nobody out."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Timer

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


def test_one_that_waits_gets_its_turn(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    with holder(path) as process:
        with pytest.raises(OutputError), only_one(path, patience=0.1):
            pass
        assert process.stdin is not None
        Timer(0.2, process.stdin.close).start()
        with only_one(path, patience=60):
            assert refused(path)
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


@pytest.mark.parametrize("make", [
    lambda lock, other: lock.symlink_to(other),
    lambda lock, other: lock.hardlink_to(other),
    lambda lock, _: lock.mkdir(),
    lambda lock, _: os.mkfifo(lock),
], ids=["a link", "a hard link", "a folder", "a pipe"])  # fmt: skip
def test_what_is_in_the_locks_place_and_no_lock_is_refused(
    tmp_path: Path, make: Callable[[Path, Path], object]
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("mine")
    make(hidden_lock(tmp_path / "scores.csv"), other)
    with pytest.raises(OutputError, match=r"\.lock: is in the way.*Remove it"), only_one(tmp_path / "scores.csv"):
        pass
    assert other.read_text() == "mine"


def test_another_users_lock_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden_lock(tmp_path / "scores.csv").touch()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(OutputError, match="belongs to another user"), only_one(tmp_path / "scores.csv"):
        pass


def hidden_lock(path: Path) -> Path:
    """The file of a lock."""
    with only_one(path):
        (hidden,) = path.parent.glob(".*.lock")
        return hidden


@pytest.fixture(params=["ENOLCK", "EOPNOTSUPP", "ENOSYS"])
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks."""

    def refuse(*_: object) -> None:
        raise OSError(getattr(errno, request.param), os.strerror(getattr(errno, request.param)))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("no_locks")
def test_without_locks_of_the_system_a_file_is_the_lock_and_one_line_says_so(tmp_path: Path) -> None:
    path, said = tmp_path / "scores.csv", list[str]()
    with only_one(path, said.append):
        assert refused(path)
        assert not refused(tmp_path / "others.csv")
    assert not refused(path)
    assert said == [f"{path}: its file system has no locks. Do not let two computers write this output at once."]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_locks")
def test_a_soft_lock_of_a_killed_process_keeps_nobody_out_and_one_of_a_living_one_does(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    code = HOLDER.replace("import sys\n", f"import fcntl, sys\n{NO_FLOCK}\n")
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(OutputError, match=r"another run is writing it.*remove .*\.softlock"), only_one(path):
            pass
        process.kill()
        process.wait()
    assert not refused(path)


NO_FLOCK = """
def refuse(*_):
    raise OSError(37, "No locks available")
fcntl.flock = refuse"""


def test_a_platform_without_o_nofollow_and_owners_has_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("O_NOFOLLOW", "geteuid"):
        monkeypatch.delattr(os, name)
    path = tmp_path / "scores.csv"
    with only_one(path):
        assert refused(path)
    assert not refused(path)
