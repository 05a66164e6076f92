"""Paths, arrays and open Pillow images give the same pixels, and of many frames one is read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artsim.errors import UnreadableImageError, UsageError
from artsim.images import load, opened
from tests.images.makers import BLUE, GREEN, RED, assert_close, painting, palette_halves, quarters, saved


def test_path_array_and_pillow_image_agree(tmp_path: Path) -> None:
    pixels = painting(150, 110)
    path = saved(Image.fromarray(pixels), tmp_path / "same.png")
    expected = load(path, 70)
    assert np.array_equal(load(str(path), 70), expected)
    assert np.array_equal(load(pixels, 70), expected)
    assert np.array_equal(load(pixels[:, ::-1][:, ::-1], 70), expected)
    with Image.open(path) as picture:
        assert np.array_equal(load(picture, 70), expected)


def test_an_opened_file_is_not_decoded_and_its_faults_are_bad_images(tmp_path: Path) -> None:
    cut = tmp_path / "cut.jpg"
    Image.fromarray(painting(150, 110)).save(cut, quality=90)
    cut.write_bytes(cut.read_bytes()[:800])
    with opened(cut) as picture:
        assert picture.size == (150, 110)
    with pytest.raises(UnreadableImageError, match=r"cut\.jpg: damaged"), opened(cut) as picture:
        picture.load()


def test_arrays_may_be_grey_or_have_alpha() -> None:
    grey = painting(30, 20)[..., 0]
    assert np.array_equal(load(grey, 16), load(np.repeat(grey[..., None], 3, axis=2), 16))
    assert np.array_equal(load(grey, 16), load(grey[..., None], 16))
    transparent = np.zeros((20, 30, 4), np.uint8)
    assert (load(transparent, 30)[5:25] == 255).all()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 3), np.int64),
        np.zeros(4, np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 0), np.uint8),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_of_another_type_or_shape_is_refused(array: Any) -> None:
    with pytest.raises(UnreadableImageError, match=r"array of shape \("):
        load(array, 8)


@pytest.mark.parametrize("source", [None, 3, ["a.png"], io.StringIO("a.png")])
def test_an_object_that_is_no_image_is_a_usage_error(source: Any) -> None:
    with pytest.raises(UsageError, match=type(source).__name__):
        load(source, 8)


@pytest.mark.parametrize("size", [0, -1])
def test_a_size_below_one_is_a_usage_error(size: int) -> None:
    with pytest.raises(UsageError, match=str(size)):
        load(quarters(), size)


def test_an_open_image_is_neither_changed_nor_closed(tmp_path: Path) -> None:
    """Pillow's `draft` would leave a JPEG at its reduced scale."""
    path = saved(Image.fromarray(painting(600, 400)), tmp_path / "open.jpg")
    with Image.open(path) as picture, Image.open(path) as untouched:
        load(picture, 20)
        assert (picture.size, picture.mode, picture.info) == (untouched.size, untouched.mode, untouched.info)
        assert picture.tobytes() == untouched.tobytes()


def test_an_open_palette_image_keeps_its_palette() -> None:
    """Pillow's `convert("RGBA")` writes alpha into the palette of its source.

    Pillow's issues were searched for "convert P RGBA changes palette of original": none tells of it.
    """
    picture = palette_halves(RED, GREEN)
    picture.info["transparency"] = 1
    load(picture, 10)
    assert picture.getpalette("RGBA") == [*RED, 255, *GREEN, 255]
    assert picture.info["transparency"] == 1


def test_an_open_animation_is_read_at_its_current_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, GREEN, BLUE)]
    with Image.open(saved(frames[0], tmp_path / "open.gif", save_all=True, append_images=frames[1:])) as picture:
        picture.seek(1)
        assert_close(load(picture, 4), np.full((4, 4, 3), GREEN))
        assert picture.tell() == 1
        picture.seek(2)
        assert_close(load(picture, 4), np.full((4, 4, 3), BLUE))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif", "avif"])
def test_the_first_frame_of_an_animation_is_read(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, GREEN, BLUE)]
    path = saved(frames[0], tmp_path / f"moving.{suffix}", save_all=True, append_images=frames[1:])
    assert_close(load(path, 8), np.full((8, 8, 3), RED), 8)


def test_the_first_picture_of_a_multi_picture_jpeg_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (400, 400), colour) for colour in (RED, BLUE)]
    path = saved(frames[0], tmp_path / "two.jpg", format="MPO", save_all=True, append_images=frames[1:])
    assert_close(load(path, 8), np.full((8, 8, 3), RED), 4)
