"""Paintings decoded once: uint8 (N, S, S, 3) RGB, in memory if they fit, else in a file on disk.

The file is memory-mapped. The system can drop its pages from memory at any time, so a set may be larger than memory.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from artsim import images
from artsim.errors import ImageError, OutputError
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
        memory: the most bytes to take in memory; None is a quarter of what is available.

    Raises:
        ImageError: a file cannot be read or is too large.
        OutputError: the disk has no room.
    """
    shape = (len(paths), size, size, 3)
    needed = math.prod(shape)
    what = f"{len(paths):,} paintings decoded at {size} px: {needed / 1e6:,.0f} MB"
    if needed <= (MEMORY_SHARE * psutil.virtual_memory().available if memory is None else memory):
        say(f"{what} in memory")
        yield _filled(np.empty(shape, np.uint8), paths, max_pixels, progress)
        return
    with tempfile.TemporaryDirectory(prefix="artsim-") as folder:
        say(f"{what} on disk, in {folder}")
        yield _filled(_on_disk(Path(folder), shape), paths, max_pixels, progress)


def _on_disk(folder: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A new memory-mapped file. Its room is checked first: on a full disk, writing to a map kills the process."""
    free = shutil.disk_usage(folder).free
    if math.prod(shape) > free:
        raise OutputError(
            f"{folder}: no room for decoded paintings ({free / 1e6:,.0f} MB free); set TMPDIR to another disk."
        )
    try:
        return np.lib.format.open_memmap(folder / "pixels.npy", "w+", np.uint8, shape)
    except OSError as error:
        raise OutputError(
            f"{folder}: no room for decoded paintings ({error.strerror}); set TMPDIR to another disk."
        ) from error


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
        progress(number + 1, len(paths))
    return pixels
