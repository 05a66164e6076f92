"""The columns about the works of a pair: their artists and styles, by the table of works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from artsim.tables.arrow import of_numbers, of_texts
from artsim.tables.pairs_file import WORK_COLUMNS


@dataclass(frozen=True)
class WorkTexts:
    """What is known of M images: `artists` and `styles` (M,), None where nothing is."""

    artists: Sequence[str | None]
    styles: Sequence[str | None]

    def columns(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> dict[str, pa.Array]:
        """The columns of B pairs, by the rows (B,) of their images."""
        texts = [of_texts(self.artists), of_texts(self.styles)]
        found = [text.take(of_numbers(rows)) for text in texts for rows in (first, second)]
        return dict(zip(WORK_COLUMNS, found, strict=True))
