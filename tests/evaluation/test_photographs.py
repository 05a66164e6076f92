"""The cues of a photograph: what is read from its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artsim.errors import TooLargeImageError, UnreadableImageError
from artsim.evaluation.photographs import NOT_JPEG, cues_of, read_photograph, read_photographs
from tests.images.makers import BLUE, RED, exif, painting, saved


def framed(width: int, height: int, frame: int) -> Image.Image:
    """A red picture in a blue frame of so many pixels."""
    picture = Image.new("RGB", (width, height), BLUE)
    picture.paste(RED, (frame, frame, width - frame, height - frame))
    return picture


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_the_size_is_that_of_the_upright_picture(tmp_path: Path, suffix: str) -> None:
    path = saved(Image.new("RGB", (160, 90), RED), tmp_path / f"turned.{suffix}", exif=exif(6))
    found = read_photograph(path)
    assert (found.width, found.height) == (90, 160)
    assert (found.border_colour[0] > 240, found.border_colour[2] < 15) == (True, True)  # no black bar is the border


@pytest.mark.parametrize("quality", [1, 10, 35, 50, 75, 90, 95, 100])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_quality_is_the_one_that_a_jpeg_was_saved_with(tmp_path: Path, quality: int, mode: str) -> None:
    path = saved(Image.fromarray(painting(40, 30)).convert(mode), tmp_path / "saved.jpg", quality=quality)
    assert read_photograph(path).jpeg_quality == quality


def test_another_programs_tables_get_the_nearest_quality(tmp_path: Path) -> None:
    coarse, fine = ([[step] * 64, [step] * 64] for step in (40, 2))
    qualities = [
        read_photograph(saved(Image.fromarray(painting(40, 30)), tmp_path / f"{step}.jpg", qtables=tables)).jpeg_quality
        for step, tables in ((40, coarse), (2, fine))
    ]
    assert 1 <= qualities[0] < 80 < qualities[1] <= 100


@pytest.mark.parametrize(("suffix", "options"), [("png", {}), ("webp", {"quality": 80}), ("tif", {})])
def test_another_format_has_no_quality_of_jpeg(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    path = saved(Image.fromarray(painting(40, 30)), tmp_path / f"other.{suffix}", **options)
    assert read_photograph(path).jpeg_quality == NOT_JPEG


@pytest.mark.parametrize("size", [(600, 400), (400, 600), (500, 500), (600, 40)])
def test_the_border_is_the_frame_and_the_mean_is_mostly_the_picture(tmp_path: Path, size: tuple[int, int]) -> None:
    found = read_photograph(saved(framed(*size, frame=15), tmp_path / "framed.png"))
    np.testing.assert_allclose(found.border_colour, BLUE, atol=8)
    share = (size[0] - 30) * (size[1] - 30) / (size[0] * size[1])
    np.testing.assert_allclose(found.mean_colour, [255 * share, 0, 255 * (1 - share)], atol=8)


def test_a_black_frame_is_a_border_too(tmp_path: Path) -> None:
    picture = Image.new("RGB", (300, 200), "black")
    picture.paste("white", (20, 20, 280, 180))
    np.testing.assert_allclose(read_photograph(saved(picture, tmp_path / "black.png")).border_colour, 0, atol=4)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 2)])
def test_a_tiny_or_narrow_picture_has_all_cues(tmp_path: Path, size: tuple[int, int]) -> None:
    found = read_photograph(saved(Image.new("RGB", size, RED), tmp_path / "tiny.png"))
    np.testing.assert_allclose([found.border_colour, found.mean_colour], [RED, RED], atol=1)


def test_cues_are_in_the_order_of_the_files_and_progress_is_reported(tmp_path: Path) -> None:
    widths = [10, 1000, 100]
    paths = [saved(Image.new("RGB", (width, 10)), tmp_path / f"{width}.png") for width in widths]
    seen: list[tuple[int, int]] = []
    cues = cues_of(read_photographs(paths, 10**6, lambda done, total: seen.append((done, total))))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    np.testing.assert_allclose(cues["width"][:, 0], np.log(widths), rtol=1e-6)
    assert {name: values.shape for name, values in cues.items()} == {
        "width": (3, 1), "height": (3, 1), "jpeg_quality": (3, 1), "border_colour": (3, 3), "mean_colour": (3, 3)
    }  # fmt: skip


def test_bad_images_are_refused_as_everywhere(tmp_path: Path) -> None:
    large = saved(Image.new("RGB", (20, 20)), tmp_path / "large.png")
    with pytest.raises(TooLargeImageError, match="--max-pixels"):
        read_photographs([large], 399, lambda *_: None)
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(UnreadableImageError, match=r"text\.jpg"):
        read_photographs([large, tmp_path / "text.jpg"], 400, lambda *_: None)
