"""Pictures are turned upright as EXIF says, and damaged EXIF is ignored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artsim.images import load, opened, upright_size
from tests.images.makers import CUT_EXIF, WITH_METADATA, Pixels, assert_close, exif, quarters, saved

# Where the EXIF specification (CIPA DC-008, tag 0x0112) puts the first row and the first column of the stored pixels.
EDGES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def stored(upright: Pixels, orientation: int) -> Image.Image:
    """The picture as a file with this orientation stores it."""
    row, column = EDGES[orientation]
    pixels = upright if row in ("top", "bottom") else upright.transpose(1, 0, 2)
    pixels = pixels[::-1] if row in ("bottom", "right") else pixels
    pixels = pixels[:, ::-1] if column in ("bottom", "right") else pixels
    return Image.fromarray(np.ascontiguousarray(pixels))


# PNG tests all eight ways to turn. The other formats test that EXIF is found in them, by one way that a second
# turn would not undo. A TIFF differs most: Pillow turns it itself while it loads
# (https://github.com/python-pillow/Pillow/pull/4063), which once left its tag in place
# (https://github.com/python-pillow/Pillow/issues/7381).
@pytest.mark.parametrize(
    ("suffix", "orientation"), [*(("png", orientation) for orientation in EDGES), ("jpg", 6), ("tif", 6), ("webp", 6)]
)
def test_a_picture_is_turned_upright_as_exif_says(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"turned.{suffix}"
    # Up to 6 of 255: a resize rounds after each of its two passes, which are the other way round in a turned file.
    stored(quarters(), orientation).save(path, exif=exif(orientation), **WITH_METADATA[suffix])
    expected = load(quarters(), 24)
    assert_close(load(path, 24), expected, 6)
    with Image.open(path) as picture:
        assert_close(load(picture, 24), expected, 6)
    with opened(path) as picture:
        assert upright_size(picture) == (96, 64)


def test_the_wider_of_two_unequal_bars_is_below_the_upright_picture(tmp_path: Path) -> None:
    path = tmp_path / "turned.png"
    stored(quarters(90, 30), 6).save(path, exif=exif(6))
    assert_close(load(path, 32), load(quarters(90, 30), 32), 6)


# Pillow meets damaged EXIF with several types of exception: https://github.com/python-pillow/Pillow/issues/4852
# (SyntaxError), https://github.com/python-pillow/Pillow/issues/1950 (ValueError).
@pytest.mark.parametrize("block", [b"Exif\0\0rubbish", CUT_EXIF, b"\xff" * 50], ids=["rubbish", "cut", "no header"])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_damaged_exif_is_ignored(tmp_path: Path, suffix: str, block: bytes) -> None:
    path = saved(Image.fromarray(quarters()), tmp_path / f"exif.{suffix}", exif=block, **WITH_METADATA[suffix])
    assert_close(load(path, 24), load(quarters(), 24), 6)
    with opened(path) as picture:
        assert upright_size(picture) == (96, 64)


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_outside_1_to_8_is_ignored(tmp_path: Path, orientation: int) -> None:
    path = saved(Image.fromarray(quarters()), tmp_path / "odd.png", exif=exif(orientation))
    assert np.array_equal(load(path, 24), load(quarters(), 24))
