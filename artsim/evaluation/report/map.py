"""The map of the paintings: their embeddings in two dimensions, by scikit-learn's t-SNE with a fixed seed.

t-SNE keeps neighbours together (van der Maaten & Hinton 2008). How far apart two groups lie, and how wide they are,
means nothing in it. With few paintings, principal components are used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

FEW = 12  # paintings, below which t-SNE has no neighbourhoods
MOST_PERPLEXITY = 30.0  # scikit-learn's default
NEIGHBOURS = 5  # of which the trustworthiness is told


@dataclass(frozen=True)
class EmbeddingMap:
    """Places (P, 2) of paintings, 0 to 1 in both directions, and how they were found; NaN where there is no embedding.

    `neighbours` (P, K) are the nearest paintings by their embeddings, the nearest first.

    `trust` is the trustworthiness (Venna & Kaski 2001): 1 if neighbours on the map are neighbours by their embeddings.
    None: too few paintings to tell.
    """

    places: NDArray[np.float64]
    neighbours: list[NDArray[np.int64]]
    method: str
    trust: float | None

    def of(self, painting: int) -> list[float] | None:
        """The place of a painting; None if it has none."""
        place = self.places[painting]
        return None if np.isnan(place).any() else [float(value) for value in place]


def map_of(embeddings: NDArray[np.float32], known: NDArray[np.bool_]) -> EmbeddingMap | None:
    """The map of embeddings (P, D), where they are known (P,); None if no two are."""
    rows = np.flatnonzero(known)
    if len(rows) < 2:
        return None
    values = embeddings[rows].astype(np.float64)
    # One thread: the sums have one order, and on a busy machine threads that wait for each other take 15 times as long.
    with threadpool_limits(1):
        found, method, trust = _projected(values)
        search = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(rows) - 1)).fit(values)
        nearest = search.kneighbors(return_distance=False)  # (R, K)
    places = np.full((len(embeddings), 2), np.nan)
    places[rows] = found
    neighbours = [np.empty(0, np.int64) for _ in embeddings]
    for row, near in zip(rows.tolist(), nearest, strict=True):
        neighbours[row] = rows[near]
    return EmbeddingMap(places, neighbours, method, trust)


def _projected(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], str, float | None]:
    """Places (P, 2) of embeddings (P, D), the method, and the trustworthiness if it can be told."""
    count = len(values)
    if count < FEW or not np.ptp(values, axis=0).any():
        return _fitted(_principal(values)), "principal components", None
    perplexity = min(MOST_PERPLEXITY, (count - 1) / 3)
    projection = TSNE(perplexity=perplexity, init="pca", learning_rate="auto", random_state=0)
    places = _fitted(projection.fit_transform(values))
    return places, "t-SNE", float(trustworthiness(values, places, n_neighbors=NEIGHBOURS))


def _principal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(P, 2) the first two principal components; zeros where there are not so many."""
    places = np.zeros((len(values), 2))
    components = min(2, *values.shape, max(1, len(values) - 1))
    if len(values) > 1 and np.ptp(values, axis=0).any():
        places[:, :components] = PCA(components, svd_solver="full").fit_transform(values)
    return places


def _fitted(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift and scale both directions to 0 … 1, by four decimals."""
    spread = np.ptp(places, axis=0)
    shifted = (places - places.min(axis=0)) / np.where(spread > 0, spread, 1.0)
    return np.asarray(np.round(np.where(spread > 0, shifted, 0.5), 4), dtype=np.float64)


def map_note(found: EmbeddingMap | None, paintings: int) -> str:
    """How the map was made, how far it can be trusted, and what it leaves out; or why there is none."""
    if found is None:
        return "There is no map: the tower of these scores is not known, or fewer than two paintings could be read."
    shown = int(np.count_nonzero(~np.isnan(found.places).any(axis=1)))
    note = f"The map is made by {found.method} of scikit-learn, with a fixed seed."
    if found.trust is not None:
        note += f" Its trustworthiness is {found.trust:.2f}: at 1, all neighbours on the map are alike for the tower."
    left_out = paintings - shown
    return note + (f" {left_out:,} of {paintings:,} paintings are not on it." if left_out else "")
