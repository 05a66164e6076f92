"""Outputs that are whole or not there."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from artsim.errors import OutputError
from artsim.tables.output import check_place, open_output
from tests.command import ROOT


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_its_place_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("old")
    with open_output(str(path)) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["scores.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_of_what_failed(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("old")
    with pytest.raises(error), open_output(str(path)) as file:
        file.write(b"half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["scores.csv"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    link = tmp_path / "scores.csv"
    link.symlink_to("real.csv")
    with open_output(str(link)) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


def test_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with open_output(str(tmp_path / "scores.csv")):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "scores.csv").stat().st_mode) == 0o644


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_a_named_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with open_output(str(pipe)) as file:
        file.write(b"scores")
    reader.join()
    assert read == ["scores"]
    assert names(tmp_path) == ["pipe"]


def test_places_that_can_not_be_written_are_found_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match="no folder"):
        check_place(str(tmp_path / "none" / "scores.csv"))
    with pytest.raises(OutputError, match="is a folder"):
        check_place(str(tmp_path))
    with pytest.raises(OutputError, match="can't be written"):
        check_place(str(tmp_path / ("a" * 300)))
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="permission"):
        check_place(str(tmp_path / "scores.csv"))
    assert names(tmp_path) == []


def on_terminal(data: list[bytes]) -> str:
    """What standard output shows of some bytes if it is a terminal."""
    parent, child = os.openpty()
    code = (
        "from artsim.tables.output import open_output\nwith open_output('-') as file:\n"
        f"    for part in {data!r}:\n        file.write(part)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=child, check=True)
    assert done.returncode == 0
    os.close(child)
    shown = os.read(parent, 10_000)
    os.close(parent)
    return shown.decode().replace("\r\n", "\n")


def test_a_terminal_gets_no_control_characters_of_names() -> None:
    parts = ["image1,image2\na\x1b[2J.jpg,é\r.jpg\n".encode(), "葛".encode()[:2], "葛".encode()[2:], b"\xff\n"]
    assert on_terminal(parts) == "image1,image2\na\\u001b[2J.jpg,é\\r.jpg\n葛\\udcff\n"


def test_ctrl_c_says_that_nothing_was_written(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    with pytest.raises(KeyboardInterrupt) as caught, open_output(str(path)):
        raise KeyboardInterrupt
    assert caught.value.__notes__ == [f"{path} was not written."]
