"""Features of a frozen network, computed once for all trainings of a sweep and kept in a folder.

A file is named by the digest of everything that its features depend on: the works, their views, and the network with
its weights. Processes take turns: the first computes the features, and the others read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artsim._version import __version__
from artsim.files import writing
from artsim.locking import only_one
from artsim.messages import Say
from artsim.training.loop.journal import Arrays, Journal

PATIENCE = 86_400  # seconds to wait for another process that computes the same features
BLOCK = 64  # works whose digest is computed at once, as they may lie on disk


class FeatureCache:
    """Arrays by digest, in a folder and, those last used, in memory."""

    def __init__(self, folder: Path, say: Say) -> None:
        """`folder` is made when the first arrays are kept."""
        self._folder = folder
        self._journal = Journal(folder, say)
        self._last: tuple[str, Arrays] | None = None

    def get(self, digest: str, compute: Callable[[], Arrays]) -> Arrays:
        """The arrays of a digest: those that are kept, or new ones.

        Raises:
            OutputError: the folder cannot be written.
        """
        if self._last is None or self._last[0] != digest:
            self._last = None  # before others take its memory
            self._last = digest, self._read_or_compute(digest, compute)
        return self._last[1]

    def _read_or_compute(self, digest: str, compute: Callable[[], Arrays]) -> Arrays:
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        with only_one(self._folder / digest, patience=PATIENCE):
            kept = self._journal.read(digest)
            if kept is not None:
                return kept
            arrays = compute()
            self._journal.write(digest, arrays)
            return arrays


def digest_of(texts: Iterable[str], arrays: Iterable[NDArray[Any]]) -> str:
    """The SHA-256 of this version of artsim, some texts, and the shapes, types and values of arrays."""
    digest = sha256(repr((__version__, *texts)).encode())
    for array in arrays:
        digest.update(repr((array.shape, str(array.dtype))).encode())
        for start in range(0, max(1, len(array) if array.ndim else 1), BLOCK):
            digest.update(np.ascontiguousarray(array[start : start + BLOCK] if array.ndim else array).tobytes())
    return digest.hexdigest()
