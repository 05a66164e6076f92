"""The closed-form readout: from pooled features to embeddings, fitted in seconds, without gradients.

    features (N, F) -> coordinates (N, K) -> embeddings (N, D)

Features are compressed, as a logarithm does, since a channel's strength and its variation tell by ratios rather than by
differences; then standardised and projected on their leading principal axes; the coordinates are then whitened by how
works of one artist scatter around their artist: directions in which one hand varies count little, directions in which
hands differ count much. It is linear discriminant analysis without its last step, which would keep only as many
directions as there are artists less one; artists who are not in the training set need the others. The covariance
within artists is shrunk towards a multiple of the identity (Ledoit and Wolf 2004 give the reason; the amount here is a
setting).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

SHRINKAGE = 0.5  # of the covariance within artists
BEND = 0.3  # of a feature's root mean square: well below it compression changes little, above it is a logarithm
SMALLEST_VARIATION = 0.01  # of a feature, to its root mean square; what varies less would multiply rounding errors
SMALLEST_SHARE = 1e-9  # of the largest variance along an axis; what varies less is rounding


@dataclass(frozen=True)
class Projection:
    """coordinates = compressed(features, slope) @ kernel + bias; their mean square over the works fitted on is 1."""

    slope: NDArray[np.float32]  # (F,)
    kernel: NDArray[np.float32]  # (F, K)
    bias: NDArray[np.float32]  # (K,)

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, F) -> (N, K)."""
        return compressed(features, self.slope) @ self.kernel + self.bias

    def then(self, matrix: NDArray[np.float32]) -> Projection:
        """The same, its coordinates (N, K) multiplied by a matrix (K, D)."""
        return Projection(self.slope, self.kernel @ matrix, self.bias @ matrix)


def compressed(features: NDArray[np.float32], slope: NDArray[np.float32]) -> NDArray[np.float32]:
    """sign(f) log(1 + |f| slope) of each feature, (N, F) -> (N, F)."""
    return np.sign(features) * np.log1p(np.abs(features) * slope)


def fit_projection(features: NDArray[np.float32], components: int) -> Projection:
    """Compress and standardise features (N, F) and keep K principal components: `components`, or all if fewer."""
    size = np.sqrt(np.mean(np.square(features), axis=0, dtype=np.float64))
    varies = features.std(axis=0, dtype=np.float64) > SMALLEST_VARIATION * size
    slope = (varies / np.where(varies, BEND * size, 1.0)).astype(np.float32)
    bent = compressed(features, slope)
    mean = bent.mean(axis=0, dtype=np.float64)
    scale = varies / np.where(varies, bent.std(axis=0, dtype=np.float64), 1.0)
    standard = ((bent - mean) * scale).astype(np.float32)
    axes = _principal_axes(standard, components)
    axes /= np.sqrt(np.mean(np.square(standard @ axes)))
    kernel = axes * scale[:, None]
    return Projection(slope, kernel.astype(np.float32), (-mean @ kernel).astype(np.float32))


def fit_whitening(coordinates: NDArray[np.float32], labels: NDArray[np.int64], width: int) -> NDArray[np.float32]:
    """(K, D) the readout of coordinates (N, K) of training works: the first D of them, whitened within artists.

    Args:
        coordinates: on principal axes, the leading one first.
        labels: (N,) one number an artist; one of them at least has two works.
        width: D, at most K.
    """
    leading = coordinates[:, :width].astype(np.float64)
    _, number = np.unique(labels, return_inverse=True)
    count = np.bincount(number)
    sums = np.zeros((len(count), width))
    np.add.at(sums, number, leading)
    apart = leading - (sums / count[:, None])[number]
    within = apart.T @ apart / max(len(labels) - len(count), 1)
    identity = np.eye(width) * np.trace(within) / width
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * within + SHRINKAGE * identity)
    kernel = np.zeros((coordinates.shape[1], width))
    kernel[:width] = vectors / np.sqrt(values) @ vectors.T  # the symmetric root of the inverse
    return kernel.astype(np.float32)


def _principal_axes(standard: NDArray[np.float32], components: int) -> NDArray[np.float64]:
    """(F, K) the directions of most variance, by whichever Gram matrix is the smaller."""
    count, width = standard.shape
    if count >= width:
        return _leading(standard.T @ standard, components)[1]
    values, vectors = _leading(standard @ standard.T, components)
    return np.asarray(standard.T @ (vectors / np.sqrt(values)))


def _leading(gram: NDArray[np.float32], components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The largest eigenvalues (K,), in descending order, and their vectors (M, K)."""
    size = len(gram)
    values, vectors = eigh(gram.astype(np.float64), subset_by_index=[max(0, size - components), size - 1])
    kept = np.flatnonzero(values > SMALLEST_SHARE * max(float(values[-1]), 0.0))[::-1]
    return values[kept], vectors[:, kept]
