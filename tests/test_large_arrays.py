from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from artsim.errors import OutputError
from artsim.large_arrays import has_room, is_on_disk, new_array, release_pages

SHAPE = (5, 6)
BYTES = 5 * 6 * 4


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("most", "on_disk"), [(BYTES, False), (BYTES - 1, True), (None, False)])
def test_an_array_above_the_bound_lies_on_disk(folder: Path, most: int | None, on_disk: bool) -> None:
    array = new_array(SHAPE, np.float32, "numbers", most)
    assert is_on_disk(array) == is_on_disk(array[1:3]) == on_disk
    assert array.shape == SHAPE
    assert array.dtype == np.float32


@pytest.mark.parametrize("most", [BYTES, 0])
def test_released_pages_keep_their_numbers(folder: Path, most: int) -> None:
    array = new_array(SHAPE, np.float32, "numbers", most)
    array[:] = np.arange(30).reshape(SHAPE)
    release_pages(array[2:])
    np.testing.assert_array_equal(array.ravel(), np.arange(30))


def test_the_file_has_no_name_that_could_be_left_behind(folder: Path) -> None:
    array = new_array(SHAPE, np.float32, "numbers", 0)
    array[:] = 1
    assert not list(folder.iterdir())


def test_a_full_disk_is_an_output_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=BYTES - 1))
    with pytest.raises(OutputError, match=r"no room for numbers .* set TMPDIR"):
        new_array(SHAPE, np.float32, "numbers", 0)


def test_there_is_room_if_half_of_the_disk_stays_free(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2 * BYTES))
    assert has_room(BYTES - 1)
    assert not has_room(BYTES)


def test_a_folder_that_cannot_be_written_is_an_output_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    with pytest.raises(OutputError, match="Permission denied"):
        new_array(SHAPE, np.float32, "numbers", 0)
