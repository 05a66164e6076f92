"""The closed-form readout: from pooled features (N, F) to embeddings (N, D), fitted in seconds, without gradients.

Features are standardised, projected on their leading principal components, and whitened by how works of one artist
scatter around their artist: directions in which one hand varies count little, directions in which hands differ count
much. It is linear discriminant analysis without its last step, which would keep only as many directions as there
are artists less one; artists who are not in the training set need the others. The covariance within artists is
shrunk towards a multiple of the identity (Ledoit and Wolf 2004 give the reason; the amount here is a setting).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMALLEST_DEVIATION = 1e-6  # of a feature that never varies; it then counts for nothing


@dataclass(frozen=True)
class Readout:
    """embeddings = ((features - mean) / deviation) @ projection, before they are scaled to length 1."""

    mean: NDArray[np.float32]  # (F,)
    deviation: NDArray[np.float32]  # (F,)
    projection: NDArray[np.float32]  # (F, D)


def fit_readout(features: NDArray[np.float32], labels: NDArray[np.int64], components: int, shrinkage: float) -> Readout:
    """Fit the readout on training works alone.

    Args:
        features: (N, F).
        labels: (N,) one number an artist; one of them at least has two works.
        components: D, principal components to keep; fewer, where N or F allows no more.
        shrinkage: 0 trusts the scatter within artists as it was found, 1 not at all.
    """
    mean = features.mean(axis=0, dtype=np.float64)
    deviation = features.std(axis=0, dtype=np.float64)
    varies = deviation > SMALLEST_DEVIATION
    deviation = np.where(varies, deviation, 1.0)
    standard = ((features - mean) / deviation * varies).astype(np.float32)
    axes = _principal_axes(standard, components)  # (F, D)
    whitening = _whitening(standard @ axes, labels, shrinkage)
    projection = (axes @ whitening) * varies[:, None]
    return Readout(mean.astype(np.float32), deviation.astype(np.float32), projection.astype(np.float32))


def _principal_axes(standard: NDArray[np.float32], components: int) -> NDArray[np.float64]:
    """(F, D) the directions of most variance, by whichever Gram matrix is the smaller."""
    count, width = standard.shape
    if count < width:
        values, vectors = np.linalg.eigh((standard @ standard.T).astype(np.float64))
        kept = _leading(values, components)
        return np.asarray(standard.T @ (vectors[:, kept] / np.sqrt(values[kept])))
    values, vectors = np.linalg.eigh((standard.T @ standard).astype(np.float64))
    return np.asarray(vectors[:, _leading(values, components)])


def _leading(values: NDArray[np.float64], components: int) -> NDArray[np.int64]:
    order = np.argsort(values)[::-1][:components]
    return order[values[order] > 1e-9 * max(float(values.max()), 0.0)]


def _whitening(projected: NDArray[np.float64], labels: NDArray[np.int64], shrinkage: float) -> NDArray[np.float64]:
    """(D, D) the symmetric root of the inverse of the shrunk covariance within artists."""
    _, number = np.unique(labels, return_inverse=True)
    count = np.bincount(number)
    sums = np.zeros((len(count), projected.shape[1]))
    np.add.at(sums, number, projected)
    apart = projected - (sums / count[:, None])[number]
    within = apart.T @ apart / max(len(labels) - len(count), 1)
    identity = np.eye(len(within)) * np.trace(within) / len(within)
    values, vectors = np.linalg.eigh((1 - shrinkage) * within + shrinkage * identity)
    return np.asarray(vectors / np.sqrt(values) @ vectors.T)
