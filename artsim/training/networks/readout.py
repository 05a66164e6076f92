"""Closed-form readout: pooled features -> embeddings, fitted in seconds without gradients.

    features (N, F) -> coordinates (N, K) -> embeddings (N, D), all float32

1. Compression: sign(f) log(1 + |f| slope), because ratios of a feature tell more than differences.
2. Standardisation, then projection on the K leading principal components.
3. Within-class covariance normalisation (WCCN; Hatch, Kajarekar and Stolcke 2006): the coordinates are multiplied by
   W^(-1/2). W is the covariance of the works of one artist around the artist's mean, averaged over artists. Directions
   in which one artist varies count less. The method is also known as relevant component analysis (RCA; Bar-Hillel,
   Hertz, Shental and Weinshall 2003).
4. Stretching: directions in which the training artists' means differ are multiplied by a factor. Seen artists are told
   apart better, and unseen ones as well as before. The recipe names the factor.

The works of one artist can include shifted views, which show them as other photographs would (shifted_views.py). They
differ from their artist's mean in the photograph, so that directions in which photographs differ count less. This is
what nuisance attribute projection does with recordings of one speaker by several microphones (Solomonoff, Campbell and
Boardman 2005), with weights instead of a projection.

W is shrunk towards a multiple of the identity, as Ledoit and Wolf (2004) do, but by a fixed amount. Linear discriminant
analysis would then keep only (artists - 1) directions. The readout keeps all of them, because unseen artists need the
others. Works are weighted so that artists with many works count no more than others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from artsim.collection.pairs import some_of_each
from artsim.training.networks.rows import Features, blocks_of, rows_of

SHRINKAGE = 0.5  # weight of the identity in the shrunk covariance within artists; a setting
# Where compression turns from linear to logarithmic, as a share of a feature's root mean square. docs/experiments.md
# compares it with other forms, in validation on 22 artists.
COMPRESSION_POINT = 0.3
# Works that the principal components are found on, with equal shares of the artists; a setting. Their features and the
# products of all pairs of them lie in memory at once. The whitening takes all works.
PROJECTION_WORKS = 4096
FULL_SHARE = 20  # works of one artist that count fully; of more works each counts less (docs/experiments.md)
# Features with a smaller ratio of standard deviation to root mean square are ignored: they amplify rounding errors.
SMALLEST_VARIATION = 0.01
SMALLEST_STRETCHED = 1e-6  # directions in which means differ by a smaller share of the largest are rounding errors
SMALLEST_SHARE = 1e-9  # axes with a smaller share of the largest variance are rounding errors and left out


@dataclass(frozen=True)
class Projection:
    """coordinates = compressed(features, slope) @ kernel + bias.

    Over the works that it was fitted on, the mean square of the coordinates is 1.
    """

    slope: NDArray[np.float32]  # (F,)
    kernel: NDArray[np.float32]  # (F, K)
    bias: NDArray[np.float32]  # (K,)

    def __call__(self, features: Features) -> NDArray[np.float32]:
        """Coordinates (N, K) of features (N, F)."""
        coordinates = np.empty((len(features), len(self.bias)), np.float32)
        for part, block in blocks_of(features):
            np.matmul(compressed(block, self.slope), self.kernel, out=coordinates[part])
        coordinates += self.bias
        return coordinates

    def then(self, matrix: NDArray[np.float32]) -> Projection:
        """The projection whose coordinates (N, D) are those of this one, (N, K), times a matrix (K, D)."""
        return Projection(self.slope, self.kernel @ matrix, self.bias @ matrix)


def compressed(features: NDArray[np.float32], slope: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compressed features sign(f) log(1 + |f| slope): (N, F) and slopes (F,) -> (N, F)."""
    size = np.abs(features)
    size *= slope
    np.log1p(size, out=size)  # in place: the features are the largest arrays of a run
    return np.copysign(size, features, out=size)


def weights_of(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights (N,) of works, 1 on average, for labels (N,).

    Works of one artist weigh as much as FULL_SHARE works together, or less if the artist has fewer.
    """
    _, number, count = np.unique(labels, return_inverse=True, return_counts=True)
    weights = (np.minimum(count, FULL_SHARE) / count)[number]
    return np.asarray(weights / weights.mean())


def works_to_project(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of at most PROJECTION_WORKS works for labels (N,): all works, or as many of each artist at random."""
    if len(labels) <= PROJECTION_WORKS:
        return np.arange(len(labels))
    count = np.unique(labels, return_counts=True)[1]
    shares = np.arange(1, PROJECTION_WORKS + 1)
    taken = np.array([np.minimum(count, share).sum() for share in shares])
    share = int(shares[taken <= PROJECTION_WORKS].max(initial=1))
    return np.sort(some_of_each(labels, share, seed=0)[:PROJECTION_WORKS])


def fit_projection(features: Features, labels: NDArray[np.int64], components: int) -> Projection:
    """Compress and standardise features, and find the principal components of `works_to_project`.

    Args:
        features: (N, F).
        labels: (N,), one number an artist.
        components: K. With fewer features or works there are fewer.
    """
    rows = works_to_project(labels)
    features, weights = rows_of(features, rows), weights_of(labels[rows])
    compact = np.empty(features.shape, np.float32)
    for part, block in blocks_of(features):
        compact[part] = block
    mean, square = _moments(compact, weights)
    size = np.sqrt(square)
    varies = square - mean**2 > (SMALLEST_VARIATION * size) ** 2
    slope = (varies / np.where(varies, COMPRESSION_POINT * size, 1.0)).astype(np.float32)
    for _, block in blocks_of(compact):
        block[:] = compressed(block, slope)
    mean, square = _moments(compact, weights)
    scale = varies / np.where(varies, np.sqrt(square - mean**2), 1.0)
    compact -= mean.astype(np.float32)
    compact *= scale.astype(np.float32)
    compact *= np.sqrt(weights).astype(np.float32)[:, None]
    axes = _principal_axes(compact, components)
    axes /= np.sqrt(np.mean(np.square(compact @ axes.astype(np.float32))))
    kernel = axes * scale[:, None]
    return Projection(slope, kernel.astype(np.float32), (-mean @ kernel).astype(np.float32))


def fit_whitening(
    coordinates: NDArray[np.float32],
    labels: NDArray[np.int64],
    width: int,
    *,
    views: NDArray[np.float32] | None = None,
    view_weight: float = 0.0,
    stretch: float = 1.0,
) -> NDArray[np.float32]:
    """WCCN matrix (K, D): the first D coordinates times the inverse square root of their covariance within artists.

    Then the directions in which the artists' means differ are stretched.

    Args:
        coordinates: (N, K) of training works, the leading principal component first.
        labels: (N,), one number an artist. At least one artist has two works.
        width: D, at most K.
        views: (N, K) of one shifted view of each work; None: there are none.
        view_weight: of the views' covariance; that of the works has weight 1.
        stretch: factor of the directions in which the artists' means differ, at most (artists - 1) of D.
    """
    leading = coordinates[:, :width].astype(np.float64)
    means = _artist_means(leading, labels)
    within = _covariance_within(leading, means, labels)
    if views is not None:
        shifted = _covariance_within(views[:, :width].astype(np.float64), means, labels)
        within = (within + view_weight * shifted) / (1 + view_weight)
    identity = np.eye(width) * np.trace(within) / width
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * within + SHRINKAGE * identity)
    whitening = vectors / np.sqrt(values) @ vectors.T  # symmetric inverse square root
    kernel = np.zeros((coordinates.shape[1], width))
    kernel[:width] = whitening @ _stretching(means @ whitening, stretch)
    return kernel.astype(np.float32)


def _artist_means(values: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Means (A, K) of the values (N, K) of each of A artists, in the order of their labels."""
    _, number, count = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(count), values.shape[1]))
    np.add.at(sums, number, values)
    return np.asarray(sums / count[:, None])


def _covariance_within(
    values: NDArray[np.float64], means: NDArray[np.float64], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Weighted covariance (K, K) of values (N, K) around their artists' means (A, K)."""
    _, first, number = np.unique(labels, return_index=True, return_inverse=True)
    weights = weights_of(labels)
    deviation = values - means[number]
    degrees = len(labels) - weights[first].sum()
    return np.asarray(deviation.T @ (deviation * weights[:, None]) / degrees)


def _stretching(means: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """The matrix (D, D) that multiplies directions in which means (A, D) differ by a factor, and leaves the others."""
    _, sizes, directions = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    differ = directions[sizes > SMALLEST_STRETCHED * sizes.max(initial=0.0)]
    return np.asarray(np.eye(means.shape[1]) + (factor - 1) * differ.T @ differ)


def _moments(values: NDArray[np.float32], weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Means (F,) of values (N, F) and of their squares, with weights (N,) of mean 1."""
    mean = np.einsum("n,nf->f", weights, values) / len(values)
    return mean, np.einsum("n,nf,nf->f", weights, values, values) / len(values)


def _principal_axes(standard: NDArray[np.float32], components: int) -> NDArray[np.float64]:
    """Directions of most variance (F, K) of standardised values (N, F), from the smaller of the two Gram matrices."""
    count, width = standard.shape
    if count >= width:
        return _leading(standard.T @ standard, components)[1]
    values, vectors = _leading(standard @ standard.T, components)
    return (standard.T @ (vectors / np.sqrt(values)).astype(np.float32)).astype(np.float64)


def _leading(gram: NDArray[np.float32], components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The largest eigenvalues (K,) of a Gram matrix (M, M), in descending order, and their vectors (M, K)."""
    size = len(gram)
    values, vectors = eigh(gram.astype(np.float64), subset_by_index=[max(0, size - components), size - 1])
    kept = np.flatnonzero(values > SMALLEST_SHARE * max(float(values[-1]), 0.0))[::-1]
    return values[kept], vectors[:, kept]
