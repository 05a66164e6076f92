"""artsim.images: every way a picture can be stored ends in the same square of pixels, or in a clear error."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading
import time
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageFile, JpegImagePlugin

from artsim.errors import ImageError, MissingImageError, TooLargeImageError, UnreadableImageError, UsageError
from artsim.images import MAX_PIXELS, load

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

RED, GREEN, BLUE, YELLOW, WHITE, BLACK = (
    (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 255, 255), (0, 0, 0),
)  # fmt: skip


def quarters(width: int = 96, height: int = 64) -> Pixels:
    """Four flat colours: every flip and turn of it looks different."""
    pixels = np.zeros((height, width, 3), np.uint8)
    down, right = height // 2, width // 2
    pixels[:down, :right], pixels[:down, right:] = RED, GREEN
    pixels[down:, :right], pixels[down:, right:] = BLUE, YELLOW
    return pixels


def painting(width: int, height: int, seed: int = 0) -> Pixels:
    """Strokes of many sizes: detail at every scale, as in a photograph of a painting."""
    random = np.random.default_rng(seed)
    layers = [random.integers(0, 256, (max(2, height // step), max(2, width // step), 3)) for step in (2, 8, 32, 128)]
    enlarged = [Image.fromarray(layer.astype(np.uint8)).resize((width, height)) for layer in layers]
    mean: NDArray[np.float64] = np.stack([np.asarray(layer) for layer in enlarged]).mean(axis=0)
    return mean.astype(np.uint8)


def halves(mode: str, left: Any, right: Any) -> Image.Image:
    picture = Image.new(mode, (40, 20), left)
    picture.paste(Image.new(mode, (20, 20), right), (20, 0))
    return picture


def saved(picture: Image.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def colours_of_halves(square: Pixels) -> tuple[list[int], list[int]]:
    """The colour in the middle of either half of a picture twice as wide as high."""
    size = len(square)
    return square[size // 2, size // 4].tolist(), square[size // 2, 3 * size // 4].tolist()


def assert_close(found: Any, expected: Any, tolerance: float = 1) -> None:
    difference = np.abs(np.asarray(found, np.float64) - np.asarray(expected, np.float64))
    assert difference.max() <= tolerance, (found, expected)


# Geometry


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


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 2), (1, 10_000), (10_000, 1), (7_000, 3)])
def test_extreme_proportions_keep_a_pixel(tmp_path: Path, width: int, height: int, suffix: str) -> None:
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


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
def test_fine_patterns_are_averaged(tmp_path: Path, mode: str) -> None:
    board = (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8)
    picture = Image.fromarray(board.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(board).convert(mode)
    square = load(saved(picture, tmp_path / "board.tif"), 50)
    assert_close(square[2:-2, 2:-2], 127.5, 8)


@pytest.mark.parametrize("hue", [(254, 255, 255), (1, 255, 255)])
def test_hues_are_not_averaged_around_the_circle(hue: Colour) -> None:
    square = load(halves("HSV", (254, 255, 255), hue), 10)
    assert square[3:7, :, 0].min() > 240
    assert square[3:7, :, 1:].max() < 30


# Modes and alpha

Stored = Callable[[Path], Path | Image.Image]


def as_file(mode: str, left: Any, right: Any, suffix: str, **options: Any) -> Stored:
    return lambda folder: saved(halves(mode, left, right), folder / f"halves.{suffix}", **options)


def in_memory(mode: str, left: Any, right: Any) -> Stored:
    return lambda _: halves(mode, left, right)


def palette(transparency: int | bytes | None, suffix: str = "png") -> Stored:
    def store(folder: Path) -> Path:
        picture = halves("P", 0, 1)
        picture.putpalette([*RED, *GREEN])
        options = {} if transparency is None else {"transparency": transparency}
        return saved(picture, folder / f"palette.{suffix}", **options)

    return store


def palette_with_alpha(folder: Path) -> Image.Image:
    picture = halves("PA", (0, 255), (1, 0))
    picture.putpalette([*RED, *GREEN])
    return picture


def portable_greymap(folder: Path) -> Path:
    path = folder / "deep.pgm"
    path.write_bytes(b"P5 40 20 65535\n" + (struct.pack(">H", 20_000) * 20 + b"\xff\xff" * 20) * 20)
    return path


GREY_78, GREY_50, GREY_200 = (78, 78, 78), (50, 50, 50), (200, 200, 200)
MODES: dict[str, tuple[Stored, Colour, Colour, int]] = {
    "1": (as_file("1", 0, 1, "png"), BLACK, WHITE, 1),
    "1, TIFF": (as_file("1", 0, 1, "tif"), BLACK, WHITE, 1),
    "1, key": (as_file("1", 0, 1, "png", transparency=0), WHITE, WHITE, 1),
    "L": (as_file("L", 50, 200, "png"), GREY_50, GREY_200, 1),
    "L, key": (as_file("L", 50, 200, "png", transparency=50), WHITE, GREY_200, 1),
    "LA": (as_file("LA", (50, 255), (50, 0), "png"), GREY_50, WHITE, 1),
    "La": (in_memory("La", (50, 255), (25, 128)), GREY_50, (152, 152, 152), 2),
    "P": (palette(None), RED, GREEN, 1),
    "P, GIF": (palette(None, "gif"), RED, GREEN, 1),
    "P, index": (palette(1), RED, WHITE, 1),
    "P, index, GIF": (palette(1, "gif"), RED, WHITE, 1),
    "P, bytes": (palette(b"\xff\x80"), RED, (127, 255, 127), 1),
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
    "CMYK, Adobe's inverted JPEG": (as_file("CMYK", (0, 255, 255, 0), (0, 0, 0, 0), "jpg"), RED, WHITE, 4),
    "YCbCr": (in_memory("YCbCr", (76, 85, 255), (255, 128, 128)), RED, WHITE, 2),
    "LAB": (as_file("LAB", (136, 209, 198), (255, 128, 128), "tif"), RED, WHITE, 6),
    "HSV": (in_memory("HSV", (0, 255, 255), (170, 255, 255)), RED, BLUE, 1),
    "I;16": (as_file("I;16", 20_000, 65_535, "png"), GREY_78, WHITE, 1),
    "I;16, TIFF": (as_file("I;16", 20_000, 65_535, "tif"), GREY_78, WHITE, 1),
    "I;16, dark": (as_file("I;16", 0, 2_570, "png"), BLACK, (10, 10, 10), 1),
    "I;16B": (as_file("I;16B", 20_000, 65_535, "tif"), GREY_78, WHITE, 1),
    "I;16L": (in_memory("I;16L", 20_000, 65_535), GREY_78, WHITE, 1),
    "I;16N": (in_memory("I;16N", 20_000, 65_535), GREY_78, WHITE, 1),
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
    store, left, right, tolerance = MODES[name]
    found_left, found_right = colours_of_halves(load(store(tmp_path), 20))
    assert_close(found_left, left, tolerance)
    assert_close(found_right, right, tolerance)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_hidden_colours_do_not_bleed_over_the_edge_of_alpha(mode: str) -> None:
    hidden, shown = ((0, 255, 0, 0), (255, 0, 0, 255)) if mode == "RGBA" else ((0, 0), (255, 255))
    square = load(halves(mode, hidden, shown).rotate(30), 16)
    content = square[4:12].astype(int)
    if mode == "RGBA":
        assert_close(content[..., 1], content[..., 2], 1)
        assert content[..., 0].min() >= 254
    else:
        assert content.min() >= 254


def test_floats_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    values = np.ones((20, 20), np.float32)
    values[3, 3] = np.nan
    with pytest.raises(UnreadableImageError, match="NaN"):
        load(saved(Image.fromarray(values), tmp_path / "nan.tif"), 8)


# Orientation

# Where the EXIF specification (CIPA DC-008, tag 0x0112) puts the first row and the first column of what is stored.
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
LOSSLESS_ENOUGH: dict[str, dict[str, Any]] = {
    "jpg": {"quality": 100, "subsampling": 0},
    "png": {},
    "tif": {},
    "webp": {"lossless": True},
}


def stored(upright: Pixels, orientation: int) -> Image.Image:
    row, column = EDGES[orientation]
    pixels = upright if row in ("top", "bottom") else upright.transpose(1, 0, 2)
    pixels = pixels[::-1] if row in ("bottom", "right") else pixels
    pixels = pixels[:, ::-1] if column in ("bottom", "right") else pixels
    return Image.fromarray(np.ascontiguousarray(pixels))


def exif(orientation: Any) -> Image.Exif:
    tags = Image.Exif()
    tags[ExifTags.Base.Orientation] = orientation
    return tags


@pytest.mark.parametrize("suffix", LOSSLESS_ENOUGH)
@pytest.mark.parametrize("orientation", EDGES)
def test_orientation(tmp_path: Path, orientation: int, suffix: str) -> None:
    path = tmp_path / f"turned.{suffix}"
    # Up to 6 of 255: a resize rounds after each of its two passes, which are the other way round in a turned file.
    stored(quarters(), orientation).save(path, exif=exif(orientation), **LOSSLESS_ENOUGH[suffix])
    expected = load(quarters(), 24)
    assert_close(load(path, 24), expected, 6)
    with Image.open(path) as picture:
        assert_close(load(picture, 24), expected, 6)


def test_orientation_with_an_odd_bar(tmp_path: Path) -> None:
    """Of bars that can't be equal the wider one is below, in the picture as it is seen."""
    path = tmp_path / "turned.png"
    stored(quarters(90, 30), 6).save(path, exif=exif(6))
    assert_close(load(path, 32), load(quarters(90, 30), 32), 6)


@pytest.mark.parametrize("block", [b"Exif\0\0rubbish", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12", b"\xff" * 50])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_damaged_exif_is_ignored(tmp_path: Path, suffix: str, block: bytes) -> None:
    path = saved(Image.fromarray(quarters()), tmp_path / f"exif.{suffix}", exif=block, **LOSSLESS_ENOUGH[suffix])
    assert_close(load(path, 24), load(quarters(), 24), 6)


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_is_none_is_ignored(tmp_path: Path, orientation: int) -> None:
    path = saved(Image.fromarray(quarters()), tmp_path / "odd.png", exif=exif(orientation))
    assert np.array_equal(load(path, 24), load(quarters(), 24))


# Colour profiles


def s15(*numbers: float) -> bytes:
    return b"".join(struct.pack(">i", round(number * 65_536)) for number in numbers)


def profile(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """An ICC profile of version 2, just complete enough for Little CMS."""
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"t\0" + bytes(78),
        b"wtpt": xyz(0.9642, 1, 0.8249),
    } | tags
    table, data = b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    head = (
        bytes(8)
        + b"\x02\x40\0\0"
        + kind
        + space
        + connection
        + bytes(12)
        + b"acsp"
        + bytes(28)
        + s15(0.9642, 1, 0.8249)
    )
    body = head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data
    return struct.pack(">I", len(body)) + body[4:]


def xyz(*numbers: float) -> bytes:
    return b"XYZ " + bytes(4) + s15(*numbers)


def gamma(exponent: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(exponent * 256)) + bytes(2)


PRIMARIES = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))  # of sRGB, adapted to D50


def rgb_profile(exponent: float, order: tuple[int, int, int] = (0, 1, 2)) -> bytes:
    colorants = {name: xyz(*PRIMARIES[index]) for name, index in zip((b"rXYZ", b"gXYZ", b"bXYZ"), order, strict=True)}
    return profile(b"RGB ", colorants | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma(exponent)))


def cmyk_profile() -> bytes:
    """An odd press: cyan ink prints sRGB's red, anything else but bare paper prints black."""
    corners = [(255, 128, 128)] + [(0, 128, 128)] * 15
    corners[0b1000] = (138, 209, 198)  # Lab 54, 81, 70
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + s15(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += ramp * 4 + b"".join(map(bytes, corners)) + ramp * 3
    return profile(b"CMYK", {b"A2B0": table, b"A2B1": table}, b"Lab ", b"prtr")


def srgb_encoded(linear: float) -> int:
    """IEC 61966-2-1."""
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * value)


LINEAR = rgb_profile(1.0)
LINEAR_GREY = profile(b"GRAY", {b"kTRC": gamma(1.0)})


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
def test_a_profile_of_another_gamma(tmp_path: Path, suffix: str) -> None:
    picture = halves("RGB", (50, 50, 50), (128, 200, 20))
    path = saved(picture, tmp_path / f"linear.{suffix}", icc_profile=LINEAR, **LOSSLESS_ENOUGH[suffix])
    left, right = colours_of_halves(load(path, 20))
    assert_close(left, [srgb_encoded(50 / 255)] * 3, 3)
    assert_close(right, [srgb_encoded(value / 255) for value in (128, 200, 20)], 3)


def test_a_profile_of_other_primaries(tmp_path: Path) -> None:
    swapped = rgb_profile(2.2, order=(1, 0, 2))
    path = saved(halves("RGB", RED, GREEN), tmp_path / "swapped.png", icc_profile=swapped)
    left, right = colours_of_halves(load(path, 20))
    assert_close(left, GREEN, 2)
    assert_close(right, RED, 2)


def test_a_grey_profile(tmp_path: Path) -> None:
    expected = [srgb_encoded(50 / 255)] * 3
    grey = saved(halves("L", 50, 255), tmp_path / "grey.png", icc_profile=LINEAR_GREY)
    with_alpha = saved(halves("LA", (50, 255), (0, 0)), tmp_path / "alpha.png", icc_profile=LINEAR_GREY)
    deep = saved(halves("I;16", 50 * 257, 65_535), tmp_path / "deep.tif", icc_profile=LINEAR_GREY)
    for path in (grey, with_alpha, deep):
        left, right = colours_of_halves(load(path, 20))
        assert_close(left, expected, 2)
        assert_close(right, WHITE)


def test_a_grey_picture_with_an_rgb_profile(tmp_path: Path) -> None:
    path = saved(halves("L", 50, 255), tmp_path / "grey.png", icc_profile=LINEAR)
    assert_close(colours_of_halves(load(path, 20))[0], [srgb_encoded(50 / 255)] * 3, 2)


def test_a_palette_with_a_profile(tmp_path: Path) -> None:
    picture = halves("P", 0, 1)
    picture.putpalette([50, 50, 50, *WHITE])
    path = saved(picture, tmp_path / "palette.png", icc_profile=LINEAR)
    assert_close(colours_of_halves(load(path, 20))[0], [srgb_encoded(50 / 255)] * 3, 2)


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_a_cmyk_profile_is_applied_to_the_inks(tmp_path: Path, suffix: str) -> None:
    picture = halves("CMYK", (255, 0, 0, 0), (0, 0, 0, 0))
    left, right = colours_of_halves(load(saved(picture, tmp_path / f"inks.{suffix}", icc_profile=cmyk_profile()), 20))
    assert_close(left, RED, 10)
    assert_close(right, WHITE, 3)


@pytest.mark.parametrize("icc", [b"rubbish", LINEAR[:200], b"\0" * 128, LINEAR_GREY, cmyk_profile()])
def test_a_profile_that_is_broken_or_of_another_space_is_ignored(tmp_path: Path, icc: bytes) -> None:
    path = saved(Image.fromarray(quarters()), tmp_path / "broken.png", icc_profile=icc)
    assert np.array_equal(load(path, 24), load(quarters(), 24))


def test_an_srgb_profile_changes_nothing(tmp_path: Path) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = saved(Image.fromarray(painting(120, 90)), tmp_path / "srgb.png", icc_profile=icc)
    assert np.array_equal(load(path, 64), load(painting(120, 90), 64))


# Sources


def test_path_array_and_pillow_image_agree(tmp_path: Path) -> None:
    pixels = painting(150, 110)
    path = saved(Image.fromarray(pixels), tmp_path / "same.png")
    expected = load(path, 70)
    assert np.array_equal(load(str(path), 70), expected)
    assert np.array_equal(load(pixels, 70), expected)
    assert np.array_equal(load(pixels[:, ::-1][:, ::-1], 70), expected)
    with Image.open(path) as picture:
        assert np.array_equal(load(picture, 70), expected)


def test_arrays_may_be_grey_or_have_alpha() -> None:
    grey = painting(30, 20)[..., 0]
    assert np.array_equal(load(grey, 16), load(np.repeat(grey[..., None], 3, axis=2), 16))
    assert np.array_equal(load(grey, 16), load(grey[..., None], 16))
    clear = np.zeros((20, 30, 4), np.uint8)
    assert (load(clear, 30)[5:25] == 255).all()


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
def test_other_arrays_are_refused(array: Any) -> None:
    with pytest.raises(UnreadableImageError, match=r"array of shape \("):
        load(array, 8)


@pytest.mark.parametrize("source", [None, 3, b"bytes.png", ["a.png"]])
def test_what_can_not_be_an_image_is_a_usage_error(source: Any) -> None:
    with pytest.raises(UsageError, match=type(source).__name__):
        load(source, 8)


@pytest.mark.parametrize("size", [0, -1])
def test_a_size_below_one_is_a_usage_error(size: int) -> None:
    with pytest.raises(UsageError, match=str(size)):
        load(quarters(), size)


def test_an_open_image_is_neither_changed_nor_closed(tmp_path: Path) -> None:
    path = saved(Image.fromarray(painting(600, 400)), tmp_path / "open.jpg")
    with Image.open(path) as picture, Image.open(path) as untouched:
        load(picture, 20)
        assert (picture.size, picture.mode, picture.info) == (untouched.size, untouched.mode, untouched.info)
        assert picture.tobytes() == untouched.tobytes()


def test_an_open_palette_keeps_its_palette() -> None:
    picture = halves("P", 0, 1)
    picture.putpalette([*RED, *GREEN])
    picture.info["transparency"] = 1
    load(picture, 10)
    assert picture.getpalette("RGBA") == [*RED, 255, *GREEN, 255]
    assert picture.info["transparency"] == 1


def test_an_open_animation_is_taken_where_it_stands(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, GREEN, BLUE)]
    with Image.open(saved(frames[0], tmp_path / "open.gif", save_all=True, append_images=frames[1:])) as picture:
        picture.seek(1)
        assert_close(load(picture, 4), np.full((4, 4, 3), GREEN))
        assert picture.tell() == 1
        picture.seek(2)
        assert_close(load(picture, 4), np.full((4, 4, 3), BLUE))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif", "avif"])
def test_of_a_moving_picture_the_first_frame_counts(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, GREEN, BLUE)]
    path = saved(frames[0], tmp_path / f"moving.{suffix}", save_all=True, append_images=frames[1:])
    assert_close(load(path, 8), np.full((8, 8, 3), RED), 8)


def test_of_a_multi_picture_jpeg_the_first_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (400, 400), colour) for colour in (RED, BLUE)]
    path = saved(frames[0], tmp_path / "two.jpg", format="MPO", save_all=True, append_images=frames[1:])
    assert_close(load(path, 8), np.full((8, 8, 3), RED), 4)


# JPEGs at a reduced scale


@pytest.fixture
def decoded_sizes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    sizes: list[tuple[int, int]] = []
    load_jpeg = JpegImagePlugin.JpegImageFile.load

    def spy(picture: JpegImagePlugin.JpegImageFile) -> Any:
        sizes.append(picture.size)
        return load_jpeg(picture)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", spy)
    return sizes


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(
    ("width", "height", "size", "expected"),
    [
        (1600, 1200, 100, (200, 150)),
        (1600, 1200, 101, (400, 300)),
        (1200, 1600, 400, (600, 800)),
        (1023, 700, 256, (1023, 700)),
        (1024, 700, 256, (512, 350)),
        (4000, 10, 16, (1000, 3)),
    ],
)
def test_jpegs_are_decoded_reduced_but_never_below_twice_the_target(
    tmp_path: Path, decoded_sizes: list[tuple[int, int]], orientation: int, width: int, height: int, size: int,
    expected: tuple[int, int],
) -> None:  # fmt: skip
    path = saved(Image.new("RGB", (width, height), RED), tmp_path / "big.jpg", exif=exif(orientation))
    square = load(path, size)
    assert decoded_sizes[0] == expected
    content = square[..., 0] > 128
    seen_width, seen_height = (width, height) if orientation == 1 else (height, width)
    longest = max(width, height)
    assert content.any(axis=0).sum() == max(1, round(size * seen_width / longest))
    assert content.any(axis=1).sum() == max(1, round(size * seen_height / longest))


def test_a_reduced_jpeg_is_not_shifted(tmp_path: Path) -> None:
    """At 1/8 of 129 pixels the 17th and last is mostly padding, which is not part of the picture."""
    ramp = np.broadcast_to(np.linspace(0, 255, 129).astype(np.uint8), (129, 129))
    path = saved(Image.fromarray(ramp), tmp_path / "ramp.jpg", quality=100)
    assert_close(load(path, 8), load(ramp, 8), 3)


def full_quality(picture: Image.Image, size: int) -> Pixels:
    """Decoded whole and resized in one step."""
    whole = picture.convert("RGB")
    scale = size / max(whole.size)
    small = whole.resize((round(whole.width * scale), round(whole.height * scale)), Image.Resampling.LANCZOS)
    square = Image.new("RGB", (size, size))
    square.paste(small, ((size - small.width) // 2, (size - small.height) // 2))
    return np.asarray(square)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_short_way_looks_like_the_long_way(tmp_path: Path, seed: int) -> None:
    path = saved(Image.fromarray(painting(1100, 843, seed)), tmp_path / "painting.jpg", quality=95)
    with Image.open(path) as picture:
        difference = np.abs(load(path, 128).astype(int) - full_quality(picture, 128))
    assert difference.mean() < 2


def test_real_paintings_look_as_decoded_in_full() -> None:
    if not os.environ.get("ARTSIM_DATA"):
        pytest.skip("ARTSIM_DATA is not set: no real paintings here")
    paths = sorted(Path(os.environ["ARTSIM_DATA"], "gallery").glob("*.jpg"))
    assert paths
    for path in paths[:24]:
        with Image.open(path) as picture:
            difference = np.abs(load(path, 256).astype(int) - full_quality(picture, 256))
        assert difference.mean() < 3, path


# Bad files


def test_missing_files(tmp_path: Path) -> None:
    file = saved(Image.new("L", (4, 4)), tmp_path / "file.png")
    broken, loop = tmp_path / "broken.png", tmp_path / "loop.png"
    broken.symlink_to(tmp_path / "nowhere.png")
    loop.symlink_to(loop)
    reasons: dict[str | Path, str] = {
        tmp_path / "none.png": "no such file",
        file / "below.png": "no such file",
        tmp_path / ("long" * 100): "no such file",
        str(tmp_path) + "/nul\0byte.png": "no such file",
        tmp_path: "a folder",
        broken: "a link to a file that is not there",
        loop: "a link to a file that is not there",
    }
    for path, reason in reasons.items():
        with pytest.raises(MissingImageError, match=reason) as error:
            load(path, 8)
        assert os.fspath(path)[-20:].replace("\0", "\\x00") in str(error.value)


def test_an_empty_name_is_missing() -> None:
    with pytest.raises(MissingImageError, match="empty"):
        load("", 8)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.timeout(10)
def test_a_pipe_is_refused_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    with pytest.raises(UnreadableImageError, match=r"pipe\.png: not a regular file"):
        load(pipe, 8)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(Image.new("L", (4, 4)), tmp_path / "locked.png")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnreadableImageError, match=r"locked\.png: can't be opened: Permission denied"):
        load(path, 8)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\0", "not an image"),
        (b"index,image1,image2\n0,a.jpg,b.jpg\n", "not an image"),
        (b"\xff\xd8\xff", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not an image of a kind"),
    ],
)
def test_files_that_are_no_images(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "wrong.jpg"
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError, match=reason) as error:
        load(path, 8)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "webp", "tif", "jp2", "avif"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated_files(tmp_path: Path, suffix: str, share: float) -> None:
    path = saved(Image.fromarray(painting(200, 150)), tmp_path / f"cut.{suffix}")
    load(path, 8)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UnreadableImageError, match=r"cut\."):
        load(path, 8)


@pytest.mark.parametrize("failure", [struct.error, ZeroDivisionError, MemoryError, AssertionError, EOFError])
def test_a_decoder_may_fail_with_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(UnreadableImageError, match=rf"a\.png.*{failure.__name__}") as error:
        load(saved(Image.new("L", (4, 4)), tmp_path / "a.png"), 8)
    assert isinstance(error.value.__cause__, failure)


@given(data=st.data())
@settings(max_examples=150)
def test_a_damaged_file_gives_pixels_or_an_image_error(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    picture = Image.new("L", (1, 1))
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "GIF", "WEBP")) as picture:
            square = load(picture, 8, max_pixels=100_000)
    except (ImageError, OSError, ValueError, Image.DecompressionBombError):
        return
    assert square.shape == (8, 8, 3)


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(painting(24, 16)).save(buffer, kind)
    return buffer.getvalue()


SAMPLES = [encoded(kind) for kind in ("JPEG", "PNG", "GIF", "WEBP")]


# Too many pixels


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


def test_too_many_pixels_are_refused_from_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(30_000, 30_000))
    decoded: list[object] = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda picture: decoded.append(picture))
    limit, start = Image.MAX_IMAGE_PIXELS, time.perf_counter()
    with pytest.raises(TooLargeImageError) as error:
        load(path, 64)
    assert time.perf_counter() - start < 1
    assert not decoded
    assert limit == Image.MAX_IMAGE_PIXELS
    for part in (str(path), "30000 x 30000", "900,000,000", "500,000,000", "--max-pixels"):
        assert part in str(error.value)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_the_limit_itself_is_allowed(tmp_path: Path, suffix: str) -> None:
    path = saved(Image.new("RGB", (40, 30), RED), tmp_path / f"limit.{suffix}")
    load(path, 8, max_pixels=1200)
    with pytest.raises(TooLargeImageError, match="1,200 pixels, above the limit of 1,199"):
        load(path, 8, max_pixels=1199)


def test_the_limit_holds_for_arrays_and_open_images() -> None:
    for source in (quarters(), Image.fromarray(quarters())):
        with pytest.raises(TooLargeImageError, match="6,144"):
            load(source, 8, max_pixels=1000)


def test_the_default_limit_is_above_pillows() -> None:
    assert Image.MAX_IMAGE_PIXELS is not None
    assert MAX_PIXELS > 2 * Image.MAX_IMAGE_PIXELS


BEYOND_PILLOW: dict[str, dict[str, Any]] = {
    "jpg": {},
    "png": {},
    "tif": {},
    "lzw.tif": {"compression": "tiff_lzw"},
    "webp": {},
    "gif": {},
    "bmp": {},
    "jp2": {},
    "avif": {},
}


@pytest.mark.parametrize("suffix", BEYOND_PILLOW)
@pytest.mark.parametrize("pillows_limit", [100, 4000])
def test_images_beyond_pillows_limit_are_read_and_the_limit_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pillows_limit: int, suffix: str
) -> None:
    """6,144 pixels: an error to Pillow at 100, a warning at 4,000."""
    path = saved(Image.fromarray(quarters()), tmp_path / f"scan.{suffix}", **BEYOND_PILLOW[suffix])
    expected = load(path, 16)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pillows_limit)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        assert np.array_equal(load(path, 16), expected)
    assert pillows_limit == Image.MAX_IMAGE_PIXELS
    assert not heard


def test_pillows_limit_stays_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(Image.fromarray(painting(200, 150)), tmp_path / "cut.tif")
    path.write_bytes(path.read_bytes()[:5000])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UnreadableImageError):
        load(path, 8)
    assert Image.MAX_IMAGE_PIXELS == 100


# Threads and the terminal


def assorted(folder: Path) -> list[Path]:
    pixels = Image.fromarray(painting(300, 200))
    return [
        saved(pixels, folder / "plain.jpg"),
        saved(pixels, folder / "linear.jpg", icc_profile=LINEAR),
        saved(pixels, folder / "linear.png", icc_profile=LINEAR),
        saved(pixels.convert("L"), folder / "grey.png", icc_profile=LINEAR_GREY),
        saved(pixels.convert("CMYK"), folder / "inks.tif", icc_profile=cmyk_profile()),
        saved(pixels.convert("P"), folder / "palette.png", transparency=bytes(range(256))),
        saved(pixels, folder / "turned.webp", exif=exif(6)),
        saved(pixels, folder / "turned.tif", exif=exif(8), compression="tiff_lzw"),
    ]


def test_many_threads_give_the_bytes_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = assorted(tmp_path)
    expected = [load(path, 64).tobytes() for path in paths]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda path: load(path, 64).tobytes(), paths * 12))
    assert found == expected * 12
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_nothing_of_pillows_reaches_the_terminal(tmp_path: Path) -> None:
    """Odd files read in threads of a fresh process that shows every warning."""
    saved(Image.fromarray(quarters()), tmp_path / "exif.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")
    saved(Image.fromarray(quarters()).convert("P"), tmp_path / "palette.png", transparency=bytes(range(256)))
    header = struct.pack("<4sIH", b"II*\0", 8, 4)
    tags = ((256, 1), (257, 1), (262, 1), (277, 100))  # a pixel of 100 samples, which Pillow logs as an error
    odd = header + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags) + bytes(4)
    (tmp_path / "odd.tif").write_bytes(odd)
    (tmp_path / "cut.tif").write_bytes(odd[:30])
    program = """
import sys, pathlib, concurrent.futures
from PIL import Image
from artsim import images, errors
Image.MAX_IMAGE_PIXELS = 4000
def word(path):
    try:
        return str(images.load(path, 8).shape)
    except errors.ImageError as error:
        return error.status
with concurrent.futures.ThreadPoolExecutor(4) as threads:
    print(sorted(threads.map(word, pathlib.Path(sys.argv[1]).iterdir())))
"""
    command = [sys.executable, "-W", "always", "-c", program, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['(8, 8, 3)', '(8, 8, 3)', 'unreadable', 'unreadable']"
    assert done.stderr == ""


def test_other_threads_and_other_code_keep_pillows_warnings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(Image.fromarray(quarters()), tmp_path / "scan.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    load_jpeg = JpegImagePlugin.JpegImageFile.load

    def open_elsewhere(picture: JpegImagePlugin.JpegImageFile) -> Any:
        elsewhere = threading.Thread(target=lambda: Image.open(path).close())
        elsewhere.start()
        elsewhere.join()
        return load_jpeg(picture)

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with monkeypatch.context() as patch:
            patch.setattr(JpegImagePlugin.JpegImageFile, "load", open_elsewhere)
            load(path, 8)
        assert {warning.category for warning in heard} == {Image.DecompressionBombWarning}
        heard.clear()
        Image.open(path).close()
        assert len(heard) == 1
