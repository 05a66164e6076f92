"""Every picture becomes a square: letterboxed, centred, resized with an average of all its pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from artsim.images import load
from tests.images.makers import BLUE, GREEN, RED, YELLOW, Colour, assert_close, halves, quarters, saved


@given(width=st.integers(1, 300), height=st.integers(1, 300), size=st.integers(1, 200))
@settings(max_examples=200)
def test_any_size_is_letterboxed_and_centred(width: int, height: int, size: int) -> None:
    square = load(np.full((height, width), 255, np.uint8), size)
    assert square.shape == (size, size, 3)
    assert square.dtype == np.uint8
    rows, columns = np.flatnonzero(square.any(axis=(1, 2))), np.flatnonzero(square.any(axis=(0, 2)))
    for inside, side in ((rows, height), (columns, width)):
        exact = size * side / max(width, height)
        assert abs(len(inside) - max(exact, 1)) <= 0.5
        before, after = inside[0], size - 1 - inside[-1]
        assert after - before in (0, 1)
    content = square[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert (content == 255).all()
    assert square.sum(dtype=int) == content.sum(dtype=int)


@pytest.mark.parametrize("suffix", ["png", "jpg"])  # a JPEG is decoded at a reduced scale
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 2), (1, 10_000), (10_000, 1), (7_000, 3)])
def test_the_short_side_of_a_thin_picture_keeps_at_least_one_pixel(
    tmp_path: Path, width: int, height: int, suffix: str
) -> None:
    square = load(saved(Image.new("RGB", (width, height), "white"), tmp_path / f"thin.{suffix}"), 64)
    rows, columns = square.any(axis=(1, 2)).sum(), square.any(axis=(0, 2)).sum()
    assert (rows, columns) == (
        max(1, round(64 * height / max(width, height))),
        max(1, round(64 * width / max(width, height))),
    )
    assert square.max() == 255


def test_small_images_are_enlarged() -> None:
    square = load(quarters(2, 2), 100)
    assert_close([square[5, 5], square[5, 95], square[95, 5], square[95, 95]], [RED, GREEN, BLUE, YELLOW], 12)


def test_the_result_can_be_written_to() -> None:
    load(quarters(), 16)[:] = 7


# In the modes "1" and "P" Pillow resizes to the nearest pixel, whatever filter is asked for:
# https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.resize
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_a_fine_pattern_becomes_its_average(tmp_path: Path, mode: str) -> None:
    board = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    picture = Image.fromarray(board.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(board).convert(mode)
    square = load(saved(picture, tmp_path / "board.tif"), 50)
    assert_close(square[2:-2, 2:-2], 127.5, 8)


@pytest.mark.parametrize("hue", [(254, 255, 255), (1, 255, 255)])
def test_the_average_of_two_reds_in_hsv_is_red(hue: Colour) -> None:
    """The hues 254 and 1 are neighbours on the circle; the mean of the two numbers is the hue of cyan."""
    square = load(halves("HSV", (254, 255, 255), hue), 10)
    assert square[3:7, :, 0].min() > 240
    assert square[3:7, :, 1:].max() < 30


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_the_colour_of_transparent_pixels_does_not_reach_visible_ones(mode: str) -> None:
    hidden, shown = ((0, 255, 0, 0), (255, 0, 0, 255)) if mode == "RGBA" else ((0, 0), (255, 255))
    content = load(halves(mode, hidden, shown).rotate(30), 16)[4:12].astype(int)
    if mode == "RGBA":
        assert_close(content[..., 1], content[..., 2], 1)
        assert content[..., 0].min() >= 254
    else:
        assert content.min() >= 254
