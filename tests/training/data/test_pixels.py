from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from artsim import images
from artsim.errors import ImageError, OutputError
from artsim.large_arrays import is_on_disk
from artsim.training.data.pixels import decoded
from tests.towers import write_paintings

SIZE = 24
FITS, TOO_MUCH = 5 * SIZE * SIZE * 3, 5 * SIZE * SIZE * 3 - 1  # bytes of memory for five paintings


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    names = [f"{number}.png" for number in range(5)]
    write_paintings(tmp_path, *names)
    return [tmp_path / name for name in names]


@pytest.mark.parametrize(("memory", "where"), [(FITS, "in memory"), (TOO_MUCH, "on disk, in "), (None, "in memory")])
def test_decoded_works_equal_loaded_images_in_order(paths: list[Path], memory: int | None, where: str) -> None:
    told: list[object] = []
    with decoded(paths, SIZE, 10**6, lambda *at: told.append(at), told.append, memory=memory) as pixels:
        for path, row in zip(paths, pixels, strict=True):
            np.testing.assert_array_equal(row, images.load(path, SIZE))
        assert is_on_disk(pixels) == where.startswith("on disk")
    assert f"5 paintings decoded at 24 px: 0 MB {where}" in str(told[0])
    assert told[1:] == [(number, 5) for number in range(6)]  # what it takes is said before anything is decoded


def test_a_full_disk_is_an_output_error(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=TOO_MUCH))
    nothing = decoded(paths, SIZE, 10**6, lambda *_: None, lambda _: None, memory=0)
    with pytest.raises(OutputError, match="set TMPDIR"), nothing:
        pytest.fail("there must be nothing to train on")


@pytest.mark.parametrize("memory", [0, None])
def test_a_work_deleted_meanwhile_is_an_error(paths: list[Path], memory: int | None) -> None:
    nothing = decoded([*paths, paths[0].with_name("gone.png")], SIZE, 10**6, lambda *_: None, print, memory=memory)
    with pytest.raises(ImageError, match=r"gone\.png"), nothing:
        pytest.fail("there must be nothing to train on")
