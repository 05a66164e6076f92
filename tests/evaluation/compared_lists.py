"""Lists of scores of the same pairs, made without pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from artsim.evaluation.matching import ScoreList
from tests.evaluation.report.made_pairs import CRITERION, made_pairs


def made_list(name: str, apart: float, artists: int = 8, works: int = 5, *, with_artists: bool = True) -> ScoreList:
    """All pairs of works by some artists; `apart` is how much nearer those by the same artist are on average."""
    pairs, paintings = made_pairs(artists, works, apart)
    names = [paintings.artists[number] for number in paintings.artist.tolist()]
    return ScoreList(name, pairs, CRITERION, artists=names if with_artists else None)


def turned(scores: ScoreList, seed: int = 0) -> ScoreList:
    """The same list with rows in another order, and half of the pairs the other way round."""
    rng = np.random.default_rng(seed)
    pairs = scores.pairs.only(rng.permutation(len(scores.pairs)))
    swap = rng.random(len(pairs)) < 0.5
    first, second = np.where(swap, pairs.second, pairs.first), np.where(swap, pairs.first, pairs.second)
    return replace(scores, pairs=replace(pairs, first=first, second=second))
