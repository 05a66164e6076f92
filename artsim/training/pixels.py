"""Paintings decoded once, kept on disk: uint8 (N, S, S, 3) RGB, read back through the page cache.

A memory map costs no memory that the system could not take back, so a set may be larger than memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artsim import images
from artsim.errors import ImageError, OutputError
from artsim.scoring.embedding import decode

AHEAD = 64  # decoded images that wait to be stored


@contextmanager
def decoded(
    paths: Sequence[Path], size: int, max_pixels: int, progress: Callable[[int, int], None]
) -> Iterator[NDArray[np.uint8]]:
    """The paintings of these files, in a temporary file that goes with the block.

    Args:
        paths: (N,) files that have been read before.
        size: S, px.
        max_pixels: above which a file is not decoded.
        progress: told of (decoded, N).

    Raises:
        ImageError: a file that can't be used (any more).
        OutputError: no room for the temporary file.
    """
    with tempfile.TemporaryDirectory(prefix="artsim-") as folder:
        shape = (len(paths), size, size, 3)
        try:
            pixels = np.lib.format.open_memmap(Path(folder) / "pixels.npy", "w+", np.uint8, shape)
        except OSError as error:
            raise OutputError(f"{folder}: no room for decoded paintings ({error.strerror}); set TMPDIR.") from error
        for number, row in enumerate(decode(paths, lambda path: images.load(path, size, max_pixels=max_pixels), AHEAD)):
            if isinstance(row, ImageError):
                raise row
            pixels[number] = row
            progress(number + 1, len(paths))
        yield pixels
