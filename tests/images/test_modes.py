"""Every mode and depth that Pillow opens becomes 8-bit RGB, alpha over white."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artsim.errors import UnreadableImageError
from artsim.images import load
from tests.images.makers import (
    BLACK,
    BLUE,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    Colour,
    assert_close,
    colours_of_halves,
    halves,
    palette_halves,
    saved,
)

Source = Callable[[Path], Path | Image.Image]


def as_file(mode: str, left: Any, right: Any, suffix: str, **options: Any) -> Source:
    return lambda folder: saved(halves(mode, left, right), folder / f"halves.{suffix}", **options)


def in_memory(mode: str, left: Any, right: Any) -> Source:
    return lambda _: halves(mode, left, right)


def palette(suffix: str = "png", **options: Any) -> Source:
    return lambda folder: saved(palette_halves(RED, GREEN), folder / f"palette.{suffix}", **options)


def palette_with_alpha(folder: Path) -> Image.Image:
    picture = halves("PA", (0, 255), (1, 0))
    picture.putpalette([*RED, *GREEN])
    return picture


def portable_greymap(folder: Path) -> Path:
    path = folder / "deep.pgm"
    path.write_bytes(b"P5 40 20 65535\n" + (struct.pack(">H", 20_000) * 20 + b"\xff\xff" * 20) * 20)
    return path


GREY_78, GREY_50, GREY_200 = (78, 78, 78), (50, 50, 50), (200, 200, 200)
# Of each: the picture, its two colours in RGB, and how far off they may be. A key is a transparent colour.
MODES: dict[str, tuple[Source, Colour, Colour, int]] = {
    "1": (as_file("1", 0, 1, "png"), BLACK, WHITE, 1),
    "1, TIFF": (as_file("1", 0, 1, "tif"), BLACK, WHITE, 1),
    "1, key": (as_file("1", 0, 1, "png", transparency=0), WHITE, WHITE, 1),
    "L": (as_file("L", 50, 200, "png"), GREY_50, GREY_200, 1),
    "L, key": (as_file("L", 50, 200, "png", transparency=50), WHITE, GREY_200, 1),
    "LA": (as_file("LA", (50, 255), (50, 0), "png"), GREY_50, WHITE, 1),
    "La": (in_memory("La", (50, 255), (25, 128)), GREY_50, (152, 152, 152), 2),
    "P": (palette(), RED, GREEN, 1),
    "P, GIF": (palette("gif"), RED, GREEN, 1),
    "P, key": (palette(transparency=1), RED, WHITE, 1),
    "P, key, GIF": (palette("gif", transparency=1), RED, WHITE, 1),
    "P, alpha of each index": (palette(transparency=b"\xff\x80"), RED, (127, 255, 127), 1),
    "PA": (palette_with_alpha, RED, WHITE, 1),
    "RGB": (as_file("RGB", (10, 20, 30), YELLOW, "bmp"), (10, 20, 30), YELLOW, 1),
    "RGB, JPEG": (as_file("RGB", (10, 20, 30), YELLOW, "jpg"), (10, 20, 30), YELLOW, 4),
    "RGB, JPEG 2000": (as_file("RGB", (10, 20, 30), YELLOW, "jp2"), (10, 20, 30), YELLOW, 1),
    "RGB, key": (as_file("RGB", RED, YELLOW, "png", transparency=RED), WHITE, YELLOW, 1),
    "RGBA": (as_file("RGBA", (255, 0, 0, 128), (0, 0, 255, 0), "png"), (255, 127, 127), WHITE, 1),
    "RGBA, WebP": (as_file("RGBA", (*RED, 128), (*BLUE, 0), "webp", lossless=True), (255, 127, 127), WHITE, 1),
    "RGBa": (in_memory("RGBa", (128, 0, 0, 128), (0, 0, 0, 0)), (255, 127, 127), WHITE, 1),
    "RGBX": (in_memory("RGBX", (*RED, 0), (*BLUE, 255)), RED, BLUE, 1),
    "CMYK": (as_file("CMYK", (0, 255, 255, 0), (0, 0, 0, 255), "tif"), RED, BLACK, 1),
    # Pillow writes and reads CMYK JPEGs inverted, as Adobe Photoshop does (libjpeg.txt, "Special color spaces").
    "CMYK, JPEG": (as_file("CMYK", (0, 255, 255, 0), (0, 0, 0, 0), "jpg"), RED, WHITE, 4),
    "YCbCr": (in_memory("YCbCr", (76, 85, 255), (255, 128, 128)), RED, WHITE, 2),
    "LAB": (as_file("LAB", (136, 209, 198), (255, 128, 128), "tif"), RED, WHITE, 6),
    "HSV": (in_memory("HSV", (0, 255, 255), (170, 255, 255)), RED, BLUE, 1),
    # Pillow clips 16 bits at 255 where it converts them to 8: https://github.com/python-pillow/Pillow/issues/3159
    "I;16": (as_file("I;16", 20_000, 65_535, "png"), GREY_78, WHITE, 1),
    "I;16, TIFF": (as_file("I;16", 20_000, 65_535, "tif"), GREY_78, WHITE, 1),
    "I;16, dark": (as_file("I;16", 0, 2_570, "png"), BLACK, (10, 10, 10), 1),
    "I;16B, TIFF": (as_file("I;16B", 20_000, 65_535, "tif"), GREY_78, WHITE, 1),
    "I, 16 bits": (portable_greymap, GREY_78, WHITE, 1),
    "I, 8 bits": (as_file("I", 50, 200, "tif"), GREY_50, GREY_200, 1),
    "I, 20 bits": (as_file("I", 0, 1_000_000, "tif"), BLACK, WHITE, 1),
    "I, negative": (as_file("I", -5, 200, "tif"), BLACK, GREY_200, 1),
    "F, 0 to 1": (as_file("F", 50 / 255, 200 / 255, "tif"), GREY_50, GREY_200, 1),
    "F, 0 to 255": (as_file("F", 50.0, 200.0, "tif"), GREY_50, GREY_200, 1),
    "F, 16 bits": (as_file("F", 20_000.0, 65_535.0, "tif"), GREY_78, WHITE, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", MODES)
def test_every_mode_becomes_rgb(tmp_path: Path, name: str) -> None:
    source, left, right, tolerance = MODES[name]
    found_left, found_right = colours_of_halves(load(source(tmp_path), 20))
    assert_close(found_left, left, tolerance)
    assert_close(found_right, right, tolerance)


def test_a_picture_with_nan_pixels_is_refused(tmp_path: Path) -> None:
    values = np.ones((20, 20), np.float32)
    values[3, 3] = np.nan
    with pytest.raises(UnreadableImageError, match="NaN"):
        load(saved(Image.fromarray(values), tmp_path / "nan.tif"), 8)
