"""JPEGs are decoded at a reduced scale, which is faster and looks the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from artsim.images import load
from tests.images.makers import RED, Pixels, assert_close, exif, painting, saved


@pytest.fixture
def decoded_sizes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes at which JPEGs are decoded from now on."""
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
def test_a_jpeg_is_decoded_at_a_reduced_scale_never_below_twice_the_target(
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


def decoded_in_full(path: Path, size: int) -> Pixels:
    """Decoded whole, resized in one step and letterboxed."""
    with Image.open(path) as picture:
        whole = picture.convert("RGB")
    scale = size / max(whole.size)
    small = whole.resize((round(whole.width * scale), round(whole.height * scale)), Image.Resampling.LANCZOS)
    square = Image.new("RGB", (size, size))
    square.paste(small, ((size - small.width) // 2, (size - small.height) // 2))
    return np.asarray(square)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_reduced_jpeg_looks_as_decoded_in_full(tmp_path: Path, seed: int) -> None:
    path = saved(Image.fromarray(painting(1100, 843, seed)), tmp_path / "painting.jpg", quality=95)
    difference = np.abs(load(path, 128).astype(int) - decoded_in_full(path, 128))
    assert difference.mean() < 2


def test_real_paintings_look_as_decoded_in_full() -> None:
    if not os.environ.get("ARTSIM_DATA"):
        pytest.skip("ARTSIM_DATA is not set: no real paintings here")
    paths = sorted(Path(os.environ["ARTSIM_DATA"], "gallery").glob("*.jpg"))
    assert paths
    for path in paths[:24]:
        difference = np.abs(load(path, 256).astype(int) - decoded_in_full(path, 256))
        assert difference.mean() < 3, path
