"""Regular files only, and permissions that stay when a file is replaced."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from artsim.errors import OutputError
from artsim.files import check_own, open_regular, replacing


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_a_regular_file_is_opened_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"abc"
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(OSError, match="not a regular file"):
            open_regular(path)
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")


@pytest.mark.parametrize("permissions", [0o600, 0o640, 0o664])
def test_the_permissions_of_a_replaced_file_stay(tmp_path: Path, permissions: int) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("old")
    path.chmod(permissions)
    with replacing(path) as file:
        file.write("new")
        file.flush()
        assert {mode(each) for each in tmp_path.iterdir()} == {permissions}  # before the move, too
    assert (path.read_text(), mode(path)) == ("new", permissions)


def test_a_new_file_has_those_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "scores.csv") as file:
            file.write("new")
    finally:
        os.umask(before)
    assert mode(tmp_path / "scores.csv") == 0o640


def test_what_is_a_link_or_anothers_is_not_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    check_own(tmp_path / "file")
    check_own(tmp_path, is_folder=True)
    for path, is_folder in ((tmp_path / "link", False), (tmp_path, False), (tmp_path / "file", True)):
        with pytest.raises(OutputError, match="is in the way"):
            check_own(path, is_folder=is_folder)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(OutputError, match="belongs to another user"):
        check_own(tmp_path / "file")
