"""Pairs as a request holds them: each picture is bytes, base64 or a path; and their scores.

    two columns of N cells  ->  files  ->  embeddings  ->  scores and a status for each row

A path leads to a file below one folder. A cell that names no such file is a missing picture, like a file that does not
exist. So a request learns nothing of files elsewhere. Pictures are decoded in worker processes, as those of files are.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from artsim.scoring.adaptation import adapter_of
from artsim.scoring.embed_images import embed_named
from artsim.scoring.scorer import Scorer
from artsim.scoring.scores import Criterion, Scores
from artsim.scoring.status import pair_status

LONGEST_PATH = 4096  # characters, Linux's own limit; a longer text is no path
SHORTEST_BASE64 = 40  # characters. No picture is shorter, and few paths without a dot are longer
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_DATA_URL = re.compile(r"data:[\w/+.-]*;base64,", re.IGNORECASE)


@dataclass(frozen=True)
class ScoredRequest:
    """The scores of N pairs, which count only where `good`, and the status of each pair."""

    scores: Scores
    good: NDArray[np.bool_]  # (N,)
    status: list[str]


def score_request(
    scorer: Scorer,
    image1: Sequence[object],
    image2: Sequence[object],
    folder: Path | None = None,
    threshold: float | None = None,
    prior: float | None = None,
) -> ScoredRequest:
    """Score N pairs. A picture that cannot be used costs its rows their scores, and nothing else.

    Args:
        scorer: the opened tower.
        image1: N cells: bytes of an image file, the same in base64 (also as a data URL), or a path below `folder`.
        image2: N cells of the same kinds.
        folder: the folder of the paths; None: every path is missing.
        threshold: `prediction` is 1 for distances below it; None: the tower's threshold.
        prior: the share of same-artist pairs; None: the tower's.

    Raises:
        UsageError: the threshold or the prior has an invalid value.
        DeviceError, ModelError: see `Tower`.
    """
    criterion = Criterion.of(scorer.card, threshold, prior)
    with TemporaryDirectory(prefix="artsim-") as scratch:
        files = _Files(folder, Path(scratch))
        first, second = (np.array([files.number(cell) for cell in column], np.int64) for column in (image1, image2))
        embedded = embed_named(scorer, files.paths).adapted(adapter_of(scorer.card, None))
    scores = criterion.scores(embedded.vectors, first, second, embedded.factor)
    statuses = embedded.status[first], embedded.status[second]
    good = (statuses[0] == 0) & (statuses[1] == 0)
    return ScoredRequest(scores, good, pair_status(*statuses).to_pylist())


class _Files:
    """The files of the different cells, by the number of the cell."""

    def __init__(self, folder: Path | None, scratch: Path) -> None:
        self.paths: dict[str, Path | None] = {}
        self._numbers: dict[object, int] = {}
        self._folder = None if folder is None else folder.resolve()
        self._scratch = scratch

    def number(self, cell: object) -> int:
        """The number of a cell; equal cells have one number."""
        key = bytes(cell) if isinstance(cell, bytes | bytearray | memoryview) else cell if isinstance(cell, str) else ""
        number = self._numbers.setdefault(key, len(self._numbers))
        if number == len(self.paths):
            self.paths[str(number)] = self._file(key, number)
        return number

    def _file(self, cell: bytes | str, number: int) -> Path | None:
        if isinstance(cell, str):
            path = None if self._folder is None else file_below(self._folder, cell)
            if path is not None:
                return path
        data = cell if isinstance(cell, bytes) else from_base64(cell)
        if data is None:
            return None
        path = self._scratch / str(number)
        path.write_bytes(data)
        return path


def file_below(folder: Path, name: str) -> Path | None:
    """The file that a name means in a resolved folder; None: there is none, or it lies elsewhere.

    Absolute paths, `..` and links that lead out of the folder lie elsewhere.
    """
    if not name or len(name) > LONGEST_PATH or ".." in Path(name).parts or Path(name).is_absolute():
        return None
    try:
        path = (folder / name).resolve(strict=True)
        return path if path.is_relative_to(folder) and path.is_file() else None
    except (OSError, ValueError):  # a ValueError is a null byte in the name
        return None


def from_base64(text: str) -> bytes | None:
    """The bytes of a text in base64, with or without line breaks, also as a data URL; None: it is none."""
    is_url = _DATA_URL.match(text[:100])
    compact = "".join(text[is_url.end() if is_url else 0 :].split())
    if len(compact) < SHORTEST_BASE64 or not _BASE64.fullmatch(compact):
        return None
    try:
        return base64.b64decode(compact, validate=True)
    except binascii.Error:
        return None
