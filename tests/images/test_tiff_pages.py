"""Of a TIFF with many pages the largest is read, wherever it lies, and hostile directories end soon."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from artsim.errors import ImageError, TooLargeImageError, UnreadableImageError
from artsim.images import load, opened
from artsim.tiff import MAX_TAGS, Page, pages
from tests.images.makers import assert_close, painting, tiff_header

PICTURE = painting(48, 40)
THUMBNAIL: NDArray[np.uint8] = 255 - PICTURE[::4, ::4]


def test_a_thumbnail_before_the_picture_is_not_the_picture(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "scan.tif") as file:
        file.write(THUMBNAIL, photometric="rgb", subfiletype=1, metadata=None)
        file.write(PICTURE, photometric="rgb", compression="lzw", metadata=None)
        file.write(THUMBNAIL, photometric="rgb", metadata=None)
    assert_close(load(tmp_path / "scan.tif", 48), load(PICTURE, 48))


@pytest.mark.parametrize("is_big", [False, True])
def test_the_largest_of_a_pyramid_is_read_also_below_another_page(tmp_path: Path, is_big: bool) -> None:
    with tifffile.TiffWriter(tmp_path / "pyramid.tif", bigtiff=is_big) as file:
        file.write(PICTURE, photometric="rgb", subifds=1, tile=(16, 16), metadata=None)
        file.write(THUMBNAIL, photometric="rgb", subfiletype=1, metadata=None)
    with tifffile.TiffWriter(tmp_path / "reversed.tif", bigtiff=is_big) as file:
        file.write(THUMBNAIL, photometric="rgb", subifds=1, metadata=None)
        file.write(PICTURE, photometric="rgb", tile=(16, 16), metadata=None)
    for name in ("pyramid.tif", "reversed.tif"):
        assert_close(load(tmp_path / name, 48), load(PICTURE, 48))
        with opened(tmp_path / name) as picture:
            assert picture.size == (48, 40)


def test_of_pages_of_one_size_the_first_is_read_and_a_mask_is_none(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "pages.tif") as file:
        file.write(np.zeros((80, 96), np.bool_), subfiletype=4, metadata=None)
        file.write(PICTURE, photometric="rgb", metadata=None)
        file.write(255 - PICTURE, photometric="rgb", metadata=None)
    assert_close(load(tmp_path / "pages.tif", 48), load(PICTURE, 48))


def test_the_limit_of_pixels_is_that_of_the_page_that_is_read(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "scan.tif") as file:
        file.write(THUMBNAIL, photometric="rgb", metadata=None)
        file.write(PICTURE, photometric="rgb", metadata=None)
    with pytest.raises(TooLargeImageError, match="48 x 40"):
        load(tmp_path / "scan.tif", 8, max_pixels=1000)


def found(path: Path) -> list[Page]:
    with path.open("rb") as file:
        return list(pages(file))


def test_a_circle_of_directories_ends(tmp_path: Path) -> None:
    path = tmp_path / "circle.tif"
    header = tiff_header({256: 4, 257: 4})
    path.write_bytes(header[:-4] + struct.pack("<I", 8))
    assert [page.pixels for page in found(path)] == [16]


@pytest.mark.parametrize(
    "content",
    [
        b"II*\0",
        b"II*\0\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0" + struct.pack("<H", MAX_TAGS + 1) + bytes(12 * (MAX_TAGS + 1)),
        b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" + b"\xff" * 8,
        b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHII", 258, 3, 2**32 - 1, 2**32 - 1),
        tiff_header({262: 1}),
    ],
    ids=["4 bytes", "no directory", "many tags", "2^64 tags", "a tag beyond the end", "no size"],
)
def test_damaged_directories_are_an_image_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.tif"
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError, match=r"bad\.tif"):
        load(path, 8)


def test_ten_thousand_pages_cost_no_more_than_the_first_thousand(tmp_path: Path) -> None:
    """Each of the directories is one of the file's, at another place: 2 bytes further on."""
    path = tmp_path / "many.tif"
    entry = struct.pack("<HHII", 256, 4, 1, 5) + struct.pack("<HHII", 257, 4, 1, 5)
    size = 2 + len(entry) + 4
    starts = [8 + number * size for number in range(10_000)]
    path.write_bytes(
        struct.pack("<4sI", b"II*\0", 8)
        + b"".join(struct.pack("<H", 2) + entry + struct.pack("<I", start + size) for start in starts)
    )
    assert len(found(path)) == 1000
    with pytest.raises(ImageError):
        load(path, 8)
