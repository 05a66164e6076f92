"""The columns that a user can ask for, after the status: the likelihood ratio, and the unfamiliar photographs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from artsim.scoring.scores import Criterion
from artsim.tables.arrow import of_numbers, of_texts
from artsim.tables.pairs_file import EVIDENCE_COLUMN, SAME_WORK_COLUMN, UNFAMILIAR_COLUMN

OfPair: TypeAlias = tuple[NDArray[np.bool_], NDArray[np.bool_]]

_UNFAMILIAR_WORDS = of_texts(["", "image2", "image1", "image1; image2"])


def optional_columns(
    names: Sequence[str],
    criterion: Criterion,
    distance: NDArray[np.float32],
    good: NDArray[np.bool_],
    unfamiliar: OfPair | None,
    same_work: tuple[NDArray[np.int8], NDArray[np.bool_]] | None = None,
) -> dict[str, pa.Array]:
    """The columns of these names for B pairs.

    Args:
        names: of the columns, in their order.
        criterion: gives the likelihood ratios.
        distance: (B,) of the pairs.
        good: (B,) whether a pair has scores.
        unfamiliar: (B,) and (B,) whether the first and the second photograph are unfamiliar; None: it is not known.
        same_work: (B,) 1 for two photographs of one painting, else 0; and (B,) whether that is known.
    """
    columns = {EVIDENCE_COLUMN: of_numbers(criterion.log10_lr(distance), good)} if EVIDENCE_COLUMN in names else {}
    if UNFAMILIAR_COLUMN in names and unfamiliar is not None:
        columns[UNFAMILIAR_COLUMN] = unfamiliar_words(*unfamiliar)
    if same_work is not None:
        columns[SAME_WORK_COLUMN] = of_numbers(*same_work)
    return {name: columns[name] for name in names}


def unfamiliar_words(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> pa.StringArray:
    """Empty, `image1`, `image2` or `image1; image2`, (B,)."""
    return _UNFAMILIAR_WORDS.take(of_numbers(2 * first.astype(np.int64) + second))
