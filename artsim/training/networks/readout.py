"""The closed-form readout: from pooled features to embeddings, fitted in seconds, without gradients.

    features (N, F) -> coordinates (N, K) -> embeddings (N, D)

Features are compressed, as a logarithm does, since a channel's strength and its variation tell by ratios rather than by
differences; then standardised and projected on their leading principal axes; the coordinates are then whitened by how
works of one artist scatter around their artist: directions in which one hand varies count little, directions in which
hands differ count much. It is linear discriminant analysis without its last step, which would keep only as many
directions as there are artists less one; artists who are not in the training set need the others. The covariance
within artists is shrunk towards a multiple of the identity (Ledoit and Wolf 2004 give the reason; the amount here is a
setting). Artists with many works count no more than others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

SHRINKAGE = 0.5  # of the covariance within artists
BEND = 0.3  # of a feature's root mean square: well below it compression changes little, above it is a logarithm
FULL_SHARE = 20  # works with which an artist counts fully; more of them count for less each
SMALLEST_VARIATION = 0.01  # of a feature, to its root mean square; what varies less would multiply rounding errors
SMALLEST_SHARE = 1e-9  # of the largest variance along an axis; what varies less is rounding


@dataclass(frozen=True)
class Projection:
    """coordinates = compressed(features, slope) @ kernel + bias; their mean square over the artists fitted on is 1."""

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


def weights_of(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N,) how much each work counts, 1 on average, so that artists (N,) count alike: at most FULL_SHARE works each."""
    _, number, count = np.unique(labels, return_inverse=True, return_counts=True)
    weights = (np.minimum(count, FULL_SHARE) / count)[number]
    return np.asarray(weights / weights.mean())


def fit_projection(features: NDArray[np.float32], labels: NDArray[np.int64], components: int) -> Projection:
    """Compress and standardise features and keep their principal components.

    Args:
        features: (N, F) of works.
        labels: (N,) one number an artist.
        components: K, of which there are fewer where features or works are.
    """
    weights = weights_of(labels)
    mean, square = _moments(features, weights)
    size = np.sqrt(square)
    varies = square - mean**2 > (SMALLEST_VARIATION * size) ** 2
    slope = (varies / np.where(varies, BEND * size, 1.0)).astype(np.float32)
    bent = compressed(features, slope)
    mean, square = _moments(bent, weights)
    scale = varies / np.where(varies, np.sqrt(square - mean**2), 1.0)
    weighted = ((bent - mean) * scale * np.sqrt(weights)[:, None]).astype(np.float32)
    axes = _principal_axes(weighted, components)
    axes /= np.sqrt(np.mean(np.square(weighted @ axes)))
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
    _, first, number, count = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    weights = weights_of(labels)
    sums = np.zeros((len(count), width))
    np.add.at(sums, number, leading)
    apart = leading - (sums / count[:, None])[number]
    within = apart.T @ (apart * weights[:, None]) / (len(labels) - weights[first].sum())
    identity = np.eye(width) * np.trace(within) / width
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * within + SHRINKAGE * identity)
    kernel = np.zeros((coordinates.shape[1], width))
    kernel[:width] = vectors / np.sqrt(values) @ vectors.T  # the symmetric root of the inverse
    return kernel.astype(np.float32)


def _moments(values: NDArray[np.float32], weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The means (F,) of values (N, F) and of their squares, by weights (N,) of mean 1."""
    mean = np.einsum("n,nf->f", weights, values) / len(values)
    return mean, np.einsum("n,nf,nf->f", weights, values, values) / len(values)


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
