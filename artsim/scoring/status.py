"""The status of an image and of a pair of images, as the scores say it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from artsim.errors import MissingImageError, TooLargeImageError, UnreadableImageError
from artsim.scoring.scores import OK, words_of_pair
from artsim.tables.arrow import numbers_of, of_numbers, of_texts

# An image's status is an index into these. The order is part of the fingerprint of unfinished outputs.
STATUSES = (OK, MissingImageError.status, UnreadableImageError.status, TooLargeImageError.status)


def status_numbers(words: pa.StringArray) -> NDArray[np.uint8]:
    """The index into STATUSES, (N,), of each word."""
    return numbers_of(pc.index_in(words, _WORDS)).astype(np.uint8)


def pair_status(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> pa.StringArray:
    """`ok`, or the fault of each bad image, such as `image1: missing; image2: unreadable`; from indices (B,)."""
    return _PAIR_WORDS.take(of_numbers(first.astype(np.int64) * len(STATUSES) + second))


_WORDS = of_texts(STATUSES)
_PAIR_WORDS = of_texts([words_of_pair(first, second) for first, second in product(STATUSES, repeat=2)])
