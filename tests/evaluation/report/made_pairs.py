"""Scored pairs of paintings by a few artists, made without pictures."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from artsim.evaluation.report.paintings import Paintings
from artsim.scoring.contract import Calibration
from artsim.scoring.scores import Criterion
from artsim.tables.scores_file import ScoredPairs

CRITERION = Criterion("rms", threshold=1.0, calibration=Calibration(-4.0, 4.0), prior=0.5)


def made_pairs(artists: int = 4, works: int = 5, apart: float = 0.6, seed: int = 0) -> tuple[ScoredPairs, Paintings]:
    """All pairs of works by some artists; `apart` is how much nearer those by the same artist are on average."""
    table = pd.DataFrame(
        [
            {
                "filename": f"{artist}-{work}.png",
                "artist": f"Artist {artist}",
                "style": "Old, Dutch" if artist % 2 else "",
            }
            for artist in range(artists)
            for work in range(works)
        ]
    )
    names = list(table["filename"])
    paintings = Paintings.of(names, table)
    first, second = np.array(list(combinations(range(len(names)), 2)), dtype=np.int64).T
    same = (paintings.artist[first] == paintings.artist[second]).astype(np.uint8)
    noise = np.random.default_rng(seed).normal(scale=0.25, size=len(first))
    distance = np.clip(1 + apart / 2 - apart * same + noise, 0.01, None).astype(np.float32)
    probability, prediction = CRITERION.probability(distance), CRITERION.prediction(distance).astype(np.uint8)
    nothing = np.zeros(len(first), np.bool_)
    return ScoredPairs(names, names, first, second, distance, probability, prediction, same, nothing), paintings
