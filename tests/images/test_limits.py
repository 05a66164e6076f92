"""The limit of pixels is artsim's own: it holds for every source, and Pillow's lower one stays as it was."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from artsim.errors import TooLargeImageError, UnreadableImageError
from artsim.images import MAX_PIXELS, load
from tests.images.makers import RED, painting, quarters, saved, tiff_header


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


HEADERS = {
    "png": png_header(30_000, 30_000),
    "tif": tiff_header({256: 30_000, 257: 30_000, 262: 1, 273: 8}),  # width, height, grey, where the pixels are
}


@pytest.mark.parametrize("suffix", HEADERS)
def test_too_many_pixels_are_refused_before_memory_is_allocated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"bomb.{suffix}"
    path.write_bytes(HEADERS[suffix])
    allocated: list[object] = []
    monkeypatch.setattr(ImageFile.ImageFile, "load_prepare", lambda picture: allocated.append(picture))
    limit = Image.MAX_IMAGE_PIXELS
    with pytest.raises(TooLargeImageError) as error:
        load(path, 64)
    assert not allocated
    assert limit == Image.MAX_IMAGE_PIXELS
    for part in (str(path), "30000 x 30000", "900,000,000", "500,000,000", "--max-pixels"):
        assert part in str(error.value)


def test_as_many_pixels_as_the_limit_are_allowed(tmp_path: Path) -> None:
    path = saved(Image.new("RGB", (40, 30), RED), tmp_path / "limit.png")
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


FORMATS: dict[str, dict[str, Any]] = {
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
AN_ERROR, A_WARNING = 100, 4000  # Pillow's answer to 6,144 pixels at these limits


# Formats differ in where Pillow checks its limit: in `Image.open` for all, and once more while a WebP is opened
# and a TIFF is decoded. A warning is given in `Image.open` alone.
@pytest.mark.parametrize(
    ("suffix", "pillows_limit"), [*((suffix, AN_ERROR) for suffix in FORMATS), ("jpg", A_WARNING), ("tif", A_WARNING)]
)
def test_an_image_above_pillows_limit_is_read_and_the_limit_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, pillows_limit: int
) -> None:
    path = saved(Image.fromarray(quarters()), tmp_path / f"scan.{suffix}", **FORMATS[suffix])
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
