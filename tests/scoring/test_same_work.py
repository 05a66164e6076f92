"""Two photographs of one painting are told from two works, whatever was done to one of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from artsim.images import load
from artsim.scoring.same_work import SIDE, Thumbnail, is_same_work, likeness, thumbnail
from benchmarks.copies import COPIES
from tests.images.makers import painting

SIZE = 128


def of(picture: Image.Image) -> Thumbnail:
    return thumbnail(load(picture, SIZE))


def work(number: int, width: int = 240, height: int = 180) -> Image.Image:
    return Image.fromarray(painting(width, height, seed=number))


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_made_copies_are_found(make: Callable[[Image.Image], Image.Image]) -> None:
    for number, size in ((0, (240, 180)), (1, (150, 240)), (2, (200, 200))):
        picture = work(number, *size)
        assert is_same_work(of(picture), of(make(picture)))
        assert not is_same_work(of(work(number + 10, *size)), of(make(picture)))


def test_likeness_does_not_depend_on_the_order() -> None:
    first, second = of(work(1)), of(work(2, 100, 240))
    assert likeness(first, second) == likeness(second, first)
    assert likeness(first, first) == pytest.approx(1, abs=1e-3)


def test_flat_pictures_are_like_nothing() -> None:
    """A wall, or a black frame of a film, shows no painting."""
    grey, white = (of(Image.new("RGB", (90, 60), colour)) for colour in ("grey", "white"))
    for other in (grey, white, of(work(0)), of(Image.new("RGB", (4, 3)))):
        assert not is_same_work(grey, other)
        assert not is_same_work(other, white)


@given(width=st.integers(1, 300), height=st.integers(1, 300), other=st.integers(1, 300))
@settings(max_examples=40)
def test_pictures_of_any_size_can_be_compared(width: int, height: int, other: int) -> None:
    random = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    first, second = of(Image.fromarray(random)), of(work(1, other, 40))
    assert max(first.shape) == max(second.shape) == SIDE
    assert -1 <= likeness(first, second) <= 1.001
