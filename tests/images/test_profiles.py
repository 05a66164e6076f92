"""The ICC profile of a file is applied: colours come out in sRGB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from artsim.images import load
from tests.icc import cmyk_profile, grey_profile, rgb_profile
from tests.images.makers import (
    GREEN,
    RED,
    WHITE,
    WITH_METADATA,
    assert_close,
    colours_of_halves,
    halves,
    painting,
    palette_halves,
    quarters,
    saved,
)

LINEAR, LINEAR_GREY = rgb_profile(1.0), grey_profile(1.0)


def srgb_encoded(linear: float) -> int:
    """IEC 61966-2-1."""
    value = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(255 * value)


GREY_50_LINEAR = [srgb_encoded(50 / 255)] * 3


@pytest.mark.parametrize("suffix", WITH_METADATA)
def test_a_profile_with_another_gamma_is_applied(tmp_path: Path, suffix: str) -> None:
    picture = halves("RGB", (50, 50, 50), (128, 200, 20))
    path = saved(picture, tmp_path / f"linear.{suffix}", icc_profile=LINEAR, **WITH_METADATA[suffix])
    left, right = colours_of_halves(load(path, 20))
    assert_close(left, GREY_50_LINEAR, 3)
    assert_close(right, [srgb_encoded(value / 255) for value in (128, 200, 20)], 3)


def test_a_profile_with_other_primaries_is_applied(tmp_path: Path) -> None:
    red_and_green_swapped = rgb_profile(2.2, order=(1, 0, 2))
    path = saved(halves("RGB", RED, GREEN), tmp_path / "swapped.png", icc_profile=red_and_green_swapped)
    left, right = colours_of_halves(load(path, 20))
    assert_close(left, GREEN, 2)
    assert_close(right, RED, 2)


def test_a_grey_profile_is_applied_to_8_bits_16_bits_and_beside_alpha(tmp_path: Path) -> None:
    pictures = {
        "grey.png": halves("L", 50, 255),
        "deep.tif": halves("I;16", 50 * 257, 65_535),
        "alpha.png": halves("LA", (50, 255), (0, 0)),
    }
    for name, picture in pictures.items():
        left, right = colours_of_halves(load(saved(picture, tmp_path / name, icc_profile=LINEAR_GREY), 20))
        assert_close(left, GREY_50_LINEAR, 2)
        assert_close(right, WHITE)


def test_an_rgb_profile_is_applied_to_a_grey_picture(tmp_path: Path) -> None:
    path = saved(halves("L", 50, 255), tmp_path / "grey.png", icc_profile=LINEAR)
    assert_close(colours_of_halves(load(path, 20))[0], GREY_50_LINEAR, 2)


def test_a_profile_is_applied_to_the_colours_of_a_palette(tmp_path: Path) -> None:
    path = saved(palette_halves((50, 50, 50), WHITE), tmp_path / "palette.png", icc_profile=LINEAR)
    assert_close(colours_of_halves(load(path, 20))[0], GREY_50_LINEAR, 2)


@pytest.mark.parametrize("suffix", ["tif", "jpg"])  # a JPEG stores the inks inverted
def test_a_cmyk_profile_is_applied_to_the_inks(tmp_path: Path, suffix: str) -> None:
    picture = halves("CMYK", (255, 0, 0, 0), (0, 0, 0, 0))
    left, right = colours_of_halves(load(saved(picture, tmp_path / f"inks.{suffix}", icc_profile=cmyk_profile()), 20))
    assert_close(left, RED, 10)
    assert_close(right, WHITE, 3)


@pytest.mark.parametrize(
    "icc",
    [b"rubbish", LINEAR[:200], b"\0" * 128, LINEAR_GREY, cmyk_profile()],
    ids=["rubbish", "cut", "zeros", "grey", "cmyk"],
)
def test_a_profile_that_is_broken_or_for_another_mode_is_ignored(tmp_path: Path, icc: bytes) -> None:
    path = saved(Image.fromarray(quarters()), tmp_path / "broken.png", icc_profile=icc)
    assert np.array_equal(load(path, 24), load(quarters(), 24))


def test_an_srgb_profile_changes_nothing(tmp_path: Path) -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = saved(Image.fromarray(painting(120, 90)), tmp_path / "srgb.png", icc_profile=icc)
    assert np.array_equal(load(path, 64), load(painting(120, 90), 64))
