"""The sheet of pictures and the map."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artsim import images
from artsim.evaluation.report import pictures
from artsim.evaluation.report.map import map_note, map_of
from artsim.evaluation.report.pictures import make_sheet, without_bars


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (30, 30), (41, 20), (7, 50), (50, 1)])
def test_the_bars_of_a_letterbox_are_left_out(size: tuple[int, int]) -> None:
    square = images.load(Image.new("RGB", size, (200, 10, 10)), 64)
    left, top, width, height = without_bars(square)
    assert (width, height) == images.fit(size, 64)
    assert (square[top : top + height, left : left + width] > 0).any(axis=2).all()


def test_a_black_picture_keeps_its_square() -> None:
    assert without_bars(np.zeros((8, 8, 3), np.uint8)) == (0, 0, 8, 8)


def test_the_sheet_has_every_picture_that_can_be_read(tmp_path: Path) -> None:
    for number, colour in enumerate([(255, 0, 0), (0, 255, 0), (0, 0, 255)]):
        Image.new("RGB", (60, 30), colour).save(tmp_path / f"{number}.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    paths = [str(tmp_path / name) for name in ("0.png", "bad.png", "1.png", "none.png", "2.png")]
    done: list[int] = []
    sheet = make_sheet([*paths, ""], lambda at, _: done.append(at))
    assert done == [1, 2, 3, 4, 5, 6]
    assert [box is None for box in sheet.boxes] == [False, True, False, True, False, True]
    data = base64.b64decode(sheet.uri.removeprefix("data:image/webp;base64,"))
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (sheet.columns * sheet.cell, sheet.rows * sheet.cell)
        for channel, box in enumerate(box for box in sheet.boxes if box):
            left, top, width, height = box
            pixel = picture.convert("RGB").getpixel((left + width // 2, top + height // 2))
            assert isinstance(pixel, tuple)
            assert pixel[channel] > 200


def test_the_sheet_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    paths = [str(tmp_path / "noise.png")] * 20
    monkeypatch.setattr(pictures, "SHEET_PIXELS", 80_000)
    large = make_sheet(paths, lambda *_: None)
    assert large.cell**2 * 20 <= 80_000
    monkeypatch.setattr(pictures, "MOST_BYTES", 3 * len(large.uri) // 5)
    assert len(make_sheet(paths, lambda *_: None).uri) < len(large.uri)


def test_the_map_keeps_groups_together_and_is_the_same_each_time() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(3), 10)
    embeddings = (rng.normal(size=(30, 8)) + 12 * rng.normal(size=(3, 8))[group]).astype(np.float32)
    known = np.arange(30) != 4
    found = map_of(embeddings, known)
    again = map_of(embeddings, known)
    assert found is not None
    assert again is not None
    assert np.array_equal(found.places, again.places, equal_nan=True)
    assert found.of(4) is None
    assert np.nanmin(found.places) == 0
    assert np.nanmax(found.places) == 1
    assert all((group[near] == group[row]).all() for row, near in enumerate(found.neighbours))
    assert "1 of 30 paintings are not on it" in map_note(found, 30)


def test_a_map_is_made_where_pictures_were_read_in_the_same_process() -> None:
    images.load(Image.new("RGB", (4, 4)), 4)  # leaves a filter of warnings, which scikit-learn copies
    embeddings = np.random.default_rng(0).normal(size=(13, 4)).astype(np.float32)
    found = map_of(embeddings, np.ones(13, np.bool_))
    assert found is not None
    assert found.trust is not None


@pytest.mark.parametrize("count", [2, 3, 11])
def test_few_or_equal_paintings_have_a_map_too(count: int) -> None:
    for embeddings in (np.ones((count, 4), np.float32), np.eye(count, 4, dtype=np.float32)):
        found = map_of(embeddings, np.ones(count, np.bool_))
        assert found is not None
        assert np.isfinite(found.places).all()
    assert map_of(np.ones((count, 4), np.float32), np.arange(count) == 0) is None
