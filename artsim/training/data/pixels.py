"""Paintings decoded once: uint8 (N, S, S, 3) RGB, in memory if they are few, else in a temporary file on disk."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from artsim import images
from artsim.errors import ImageError
from artsim.large_arrays import MOST_IN_MEMORY, is_on_disk, new_array, release_pages
from artsim.messages import Say
from artsim.prefetch import prefetch_images

PREFETCH_DEPTH = 64  # images that are decoded ahead of the one that is stored; a setting
MEMORY_SHARE = 0.25  # of the available memory; training needs the rest. A setting


@contextmanager
def decoded(
    paths: Sequence[Path],
    size: int,
    max_pixels: int,
    progress: Callable[[int, int], None],
    say: Say,
    *,
    memory: int | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Decoded paintings uint8 (N, S, S, 3) of these files, until the end of the block.

    Args:
        paths: N image files.
        size: S in px.
        max_pixels: files with more pixels are not decoded.
        progress: receives the number of paintings decoded, and N.
        say: receives one line on the size and place of the decoded paintings.
        memory: the most bytes to take in memory; None is MOST_IN_MEMORY, or a quarter of what is available if that is
            less.

    Raises:
        ImageError: a file cannot be read or is too large.
        OutputError: the disk has no room.
    """
    shape = (len(paths), size, size, 3)
    if memory is None:
        memory = min(MOST_IN_MEMORY, round(MEMORY_SHARE * psutil.virtual_memory().available))
    pixels = new_array(shape, np.uint8, "decoded paintings", memory)
    place = f"on disk, in {tempfile.gettempdir()}" if is_on_disk(pixels) else "in memory"
    say(f"{len(paths):,} paintings decoded at {size} px: {math.prod(shape) / 1e6:,.0f} MB {place}")
    yield _filled(pixels, paths, max_pixels, progress)


def _filled(
    pixels: NDArray[np.uint8], paths: Sequence[Path], max_pixels: int, progress: Callable[[int, int], None]
) -> NDArray[np.uint8]:
    size = pixels.shape[1]
    progress(0, len(paths))
    for number, row in enumerate(
        prefetch_images(paths, lambda path: images.load(path, size, max_pixels=max_pixels), PREFETCH_DEPTH)
    ):
        if isinstance(row, ImageError):
            raise row
        pixels[number] = row
        release_pages(pixels)
        progress(number + 1, len(paths))
    return pixels
