"""Paintings decoded once: uint8 (N, S, S, 3) RGB, in memory where they fit well, else on disk.

What lies on disk is read back through the page cache, which costs no memory that the system could not take back: a set
may be larger than memory.
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
from artsim.prefetch import prefetch_images

AHEAD = 64  # decoded images that wait to be stored
MEMORY_SHARE = 0.25  # of what is available; training wants the rest


@contextmanager
def decoded(
    paths: Sequence[Path],
    size: int,
    max_pixels: int,
    progress: Callable[[int, int], None],
    say: Callable[[str], None],
    *,
    memory: int | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """The paintings of these files, until the end of the block; how large they are and where is said first.

    Args:
        paths: (N,) files that have been read before.
        size: S, px.
        max_pixels: above which a file is not decoded.
        progress: told of (decoded, N).
        say: told of the cache, in a line.
        memory: bytes that it may take in memory; None: a quarter of what is available.

    Raises:
        ImageError: a file that can't be used (any more).
        OutputError: no room on disk.
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
    """A new file, mapped; its room is checked here, as a full disk ends a process that writes to a map."""
    free = shutil.disk_usage(folder).free
    if math.prod(shape) > free:
        raise OutputError(f"{folder}: no room for decoded paintings ({free / 1e6:,.0f} MB free); set TMPDIR.")
    try:
        return np.lib.format.open_memmap(folder / "pixels.npy", "w+", np.uint8, shape)
    except OSError as error:
        raise OutputError(f"{folder}: no room for decoded paintings ({error.strerror}); set TMPDIR.") from error


def _filled(
    pixels: NDArray[np.uint8], paths: Sequence[Path], max_pixels: int, progress: Callable[[int, int], None]
) -> NDArray[np.uint8]:
    size = pixels.shape[1]
    for number, row in enumerate(
        prefetch_images(paths, lambda path: images.load(path, size, max_pixels=max_pixels), AHEAD)
    ):
        if isinstance(row, ImageError):
            raise row
        pixels[number] = row
        progress(number + 1, len(paths))
    return pixels
