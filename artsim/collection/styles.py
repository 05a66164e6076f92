"""Styles of works, from the column `style`. A work may have several styles, separated by commas."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMN = "style"


def styles_of(works: pd.DataFrame) -> NDArray[np.bool_]:
    """(N, S) whether each of N works has each of S styles. S is 0 without a column `style`.

    Letter case and surrounding spaces are ignored.
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
    """(N, M) whether each of N works shares a style with each of M others, given their styles (N, S) and (M, S)."""
    common = styles.astype(np.float32) @ others.astype(np.float32).T
    return np.asarray(common > 0)


def _names(text: str) -> set[str]:
    return {name for part in text.split(",") if (name := part.strip().casefold())}
