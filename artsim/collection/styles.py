"""The styles of works: the column `style`, in which commas separate several styles."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMN = "style"


def styles_of(works: pd.DataFrame) -> NDArray[np.bool_]:
    """The styles of N works, bool (N, S). S is 0 without a column `style`.

    Letter case and outer spaces do not matter. A work without a style shares none.
    """
    if COLUMN not in works.columns:
        return np.zeros((len(works), 0), dtype=np.bool_)
    names = [_names(text) for text in works[COLUMN].fillna("").astype(str)]
    number = {name: index for index, name in enumerate(sorted(set().union(*names)))}
    styles = np.zeros((len(works), len(number)), dtype=np.bool_)
    for row, own in enumerate(names):
        styles[row, [number[name] for name in own]] = True
    return styles


def share_a_style(styles: NDArray[np.bool_], others: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each of N works shares a style with each of M others, bool (N, M), from styles (N, S) and (M, S)."""
    common = styles.astype(np.float32) @ others.astype(np.float32).T
    return np.asarray(common > 0)


def _names(text: str) -> set[str]:
    return {name for part in text.split(",") if (name := part.strip().casefold())}
