"""The column `sameArtist` of a pairs file: 1 for the same artist, 0 for different ones, empty where it is unknown.

pandas writes a column with empty cells as 0.0 and 1.0, and a column of booleans as True and False. Programs write NA,
None or null for an empty cell. Each of these is read in every format.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from artsim.errors import InputError
from artsim.messages import FEW, first_few, quoted
from artsim.tables.arrow import as_texts, numbers_of

LABEL_COLUMN = "sameArtist"
UNLABELLED = 2

_NUMBER = re.compile(r"([01])(\.0*)?")
_WORDS = {**dict.fromkeys(["", "nan", "na", "n/a", "<na>", "none", "null"], UNLABELLED), "false": 0, "true": 1}
_NONE = 3


class LabelReader:
    """Reads labels a block at a time, and remembers the rows whose label is none."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._first: list[str] = []
        self.faults = 0

    def read(self, column: pa.Array, rows_before: int) -> NDArray[np.uint8]:
        """The labels (B,) of a block: 0, 1 or UNLABELLED; where one is none, the result is not to be used."""
        codes = as_texts(column).dictionary_encode()
        meanings = np.array([_label_of(text) for text in codes.dictionary.to_pylist()], dtype=np.uint8)
        labels: NDArray[np.uint8] = meanings[numbers_of(codes.indices)]
        wrong = np.flatnonzero(labels == _NONE)
        self.faults += len(wrong)
        for row in wrong[: FEW - len(self._first)].tolist():
            self._first.append(f"row {rows_before + row + 1} has the label {quoted(column[row].as_py())}")
        return labels

    def check(self) -> None:
        """Name the first faulty rows.

        Raises:
            InputError: there are faulty rows.
        """
        if self.faults:
            raise InputError(
                f"{self._name}, {first_few(self._first, '; ', of=self.faults)}: {LABEL_COLUMN} should be 0 or 1 (0.0, "
                "1.0, False and True are the same), or empty where it is unknown."
            )


def _label_of(text: str) -> int:
    """The label that a text spells, or _NONE."""
    word = text.strip().lower()
    number = _NUMBER.fullmatch(word)
    return int(number[1]) if number else _WORDS.get(word, _NONE)
