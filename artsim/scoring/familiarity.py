"""How far a photograph is from those that a tower was trained on, and what that does to distances.

Photographs of another museum, camera or size are near each other, because they share what the tower has not learned to
ignore. Their distances are therefore too small. Two measures of an embedding describe such photographs.

- The unfamiliarity looks only at the directions in which shifted views (`artsim.shifted_views`) differ most from works
  of the training collection. So an unusual painting is rarely unfamiliar. The unfamiliarity decides whether a
  photograph is corrected.
- The remoteness is the squared Mahalanobis distance to a Gaussian of the training embeddings (Lee, Lee, Lee and Shin
  2018). The remoteness decides by how much.

The distances of an unfamiliar photograph are multiplied by a factor of 1 or more, which is fitted on works and on
shifted views. The factor depends on the photograph alone. It is exactly 1 for familiar photographs.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

DIRECTIONS = 256  # of the Gaussian with variances of their own; all others share one. A setting
WORKS_PER_DIRECTION = 4  # at least; fewer would measure noise. A setting
# Directions in which shifted views differ most from works. Settings, chosen in docs/experiments.md.
VIEW_DIRECTIONS = 8
VIEW_SHRINKAGE = 0.3  # share of the works' mean variance that is added to their variance along each direction
FAMILIAR_SHARE = 0.95  # of photographs like the training photographs are familiar; a setting
# By how much a remoteness above the onset counts at most: validation has nothing beyond its shifted views. A setting
MOST_EXCESS = 0.3
MOST_OTHERS = 20  # works by an artist in `EmbeddedFold.others`; a setting
MOST_SLOPE = 3.0  # of a factor for each unit of remoteness, in the fit and in a card. A setting
# The smallest variance along a direction, as a share of the mean variance. In directions that no embedding fills, the
# rounding of the stored directions, about 1e-7 of the mean variance, would otherwise decide. A setting
SMALLEST_SHARE = 1e-4
SMALLEST_LIMIT, LARGEST_LIMIT = 1e-30, 1e30  # of unfamiliarity: their ratio is finite
SMALLEST_VARIANCE = 1e-12  # also if all embeddings are the same
ORTHOGONAL = 1e-3  # largest error of stored directions; float32 causes about 1e-7
BLOCK = 32  # embeddings at once; the last block is filled up, so that all blocks are computed in the same way


@dataclass(frozen=True)
class TrainingEmbeddings:
    """The training photographs' embeddings, and how shifted views differ from them.

    Arrays are base64 of little-endian float32. `mean` is (D,). `directions` (R, D) of the Gaussian are orthogonal and
    of length 1. `variances` (R,) are the variances along them, and `rest` is the variance in each other direction.
    `view_directions` are (V, D). The training photographs have the variance 1 along each, or less in directions that
    they do not fill.
    """

    mean: str = field(repr=False)
    directions: str = field(repr=False)
    variances: str = field(repr=False)
    rest: float
    view_directions: str = field(repr=False)

    @classmethod
    def of(cls, embeddings: NDArray[np.float32], views: NDArray[np.float32]) -> TrainingEmbeddings:
        """Describe embeddings (N, D) of N >= 2 works, and those of shifted views of such works, (M, D), M >= 1."""
        count, width = embeddings.shape
        mean = embeddings.mean(axis=0, dtype=np.float64)
        deviation = embeddings - mean
        covariance = deviation.T @ deviation / (count - 1)
        number = max(1, min(DIRECTIONS, count // WORKS_PER_DIRECTION, width - 1))
        variances, vectors = eigh(covariance, subset_by_index=[width - number, width - 1])
        total = float(np.trace(covariance))
        least = max(SMALLEST_SHARE * total / width, SMALLEST_VARIANCE)
        rest = max((total - float(variances.sum())) / max(1, width - number), least)
        differing = _view_directions(covariance, views - mean, least)
        return cls(_packed(mean), _packed(vectors.T), _packed(np.maximum(variances, least)), rest, _packed(differing))

    @cached_property
    def _mean(self) -> NDArray[np.float64]:
        return _unpacked(self.mean)

    @cached_property
    def _gaussian(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        variances = _unpacked(self.variances)
        return _unpacked(self.directions).reshape(len(variances), self.width), variances

    @cached_property
    def _view_directions(self) -> NDArray[np.float64]:
        return _unpacked(self.view_directions).reshape(-1, self.width)

    @property
    def width(self) -> int:
        """D, the number of values of an embedding."""
        return len(self._mean)

    @property
    def is_sound(self) -> bool:
        """Whether the arrays fit together and hold usable numbers."""
        try:
            mean, (directions, variances), differing = self._mean, self._gaussian, self._view_directions
            spread = np.append(variances, float(self.rest))
        except (ValueError, TypeError):  # not base64 or no text, or lengths that do not fit
            return False
        if not 1 <= len(variances) <= len(mean) or not 1 <= len(differing) <= len(mean):
            return False
        if not all(np.isfinite(array).all() for array in (mean, directions, spread, differing)):
            return False
        are_orthogonal = np.allclose(directions @ directions.T, np.eye(len(variances)), atol=ORTHOGONAL)
        return are_orthogonal and bool((spread >= np.finfo(np.float32).tiny).all())

    def unfamiliarity(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean squares (N,) of the deviations of embeddings (N, D) from the training mean, along the view directions.

        They are 1 on average for the training works.
        """
        return self._by_blocks(embeddings, lambda block: np.square(_along(block, self._view_directions)).mean(axis=1))

    def remoteness(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Squared Mahalanobis distances (N,) of embeddings (N, D), divided by D: 1 on average for the Gaussian."""
        directions, variances = self._gaussian

        def of_block(block: NDArray[np.float64]) -> NDArray[np.float64]:
            along = np.square(_along(block, directions))
            beside = np.square(block).sum(axis=1) - along.sum(axis=1)
            return np.asarray(((along / variances).sum(axis=1) + beside / self.rest) / self.width)

        return self._by_blocks(embeddings, of_block)

    def _by_blocks(
        self, embeddings: NDArray[np.float32], measure: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """A measure (N,) of the deviations of embeddings (N, D) from the mean, BLOCK at once.

        A value depends on its own embedding alone, to the last bit.
        """
        out = np.empty(len(embeddings))
        block = np.zeros((BLOCK, self.width))
        for start in range(0, len(embeddings), BLOCK):
            rows = embeddings[start : start + BLOCK]
            block[: len(rows)] = rows - self._mean
            block[len(rows) :] = 0
            out[start : start + BLOCK] = measure(block)[: len(rows)]
        return out


@dataclass(frozen=True)
class Correction:
    """By how much unfamiliar photographs have their distances enlarged.

    A photograph is unfamiliar if its unfamiliarity is above `familiar`. Above that, its weight rises with the logarithm
    of its unfamiliarity, from 0 to 1 at `foreign`. Its factor is 1 + weight · slope · e. Here e is by how much its
    remoteness exceeds `onset`, at most MOST_EXCESS.
    """

    familiar: float
    foreign: float
    onset: float
    slope: float

    @property
    def is_sound(self) -> bool:
        """Whether all numbers are usable: then every factor is finite and at least 1."""
        are_limits = SMALLEST_LIMIT <= self.familiar < self.foreign <= LARGEST_LIMIT
        return are_limits and math.isfinite(self.onset) and 0 <= self.slope <= MOST_SLOPE

    def factors(self, unfamiliarity: NDArray[np.float64], remoteness: NDArray[np.float64]) -> NDArray[np.float64]:
        """The factors (N,) of photographs with these unfamiliarities and remotenesses, (N,) each."""
        above = np.log(np.maximum(unfamiliarity, self.familiar) / self.familiar)
        weight = np.minimum(1.0, above / math.log(self.foreign / self.familiar))
        return np.asarray(1 + self.slope * weight * np.clip(remoteness - self.onset, 0.0, MOST_EXCESS))


@dataclass(frozen=True)
class PhotographRule:
    """What unfamiliar photographs do to distances."""

    training: TrainingEmbeddings
    correction: Correction

    def are_unfamiliar(self, embeddings: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether photographs are unfamiliar, (N,). Of those that are like the training photographs, 5 % are."""
        return self.training.unfamiliarity(embeddings) > self.correction.familiar

    def factors(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The factor (N,) of each photograph. A pair's distance is multiplied by the factors of both."""
        unfamiliarity, remoteness = self.training.unfamiliarity(embeddings), self.training.remoteness(embeddings)
        return self.correction.factors(unfamiliarity, remoteness).astype(np.float32)

    def adapt(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The embeddings (N, D) as they are, and their factors (N,)."""
        return vectors, self.factors(vectors)


@dataclass(frozen=True)
class EmbeddedFold:
    """Works by artists whom a tower does not know, embedded by it, with one shifted view of each.

    Photographers are numbered. Unfamiliarity and remoteness are measured from the tower's own training embeddings.
    `others` are works by training artists, at most MOST_OTHERS by each.
    """

    artists: NDArray[np.int64]  # (N,)
    embeddings: NDArray[np.float32]  # (N, D)
    unfamiliarity: NDArray[np.float64]  # (N,)
    remoteness: NDArray[np.float64]  # (N,)
    photographers: NDArray[np.int64]  # (N,) of the views
    views: NDArray[np.float32]  # (N, D)
    view_unfamiliarity: NDArray[np.float64]  # (N,)
    view_remoteness: NDArray[np.float64]  # (N,)
    others: NDArray[np.float32]  # (M, D)
    other_artists: NDArray[np.int64]  # (M,)

    @classmethod
    def of(
        cls,
        artists: NDArray[np.int64],
        embeddings: NDArray[np.float32],
        photographers: NDArray[np.int64],
        views: NDArray[np.float32],
        training: TrainingEmbeddings,
        others: NDArray[np.float32],
        other_artists: NDArray[np.int64],
    ) -> EmbeddedFold:
        """Measure embedded works and views."""
        works, of_views = ((training.unfamiliarity(each), training.remoteness(each)) for each in (embeddings, views))
        return cls(artists, embeddings, *works, photographers, views, *of_views, others, other_artists)


def _view_directions(
    covariance: NDArray[np.float64], deviation: NDArray[np.float64], least: float
) -> NDArray[np.float64]:
    """The directions (V, D) along which the views' mean square is largest in relation to the works' variance.

    They are the leading generalised eigenvectors of the views' second moments and the works' shrunk covariance, as in
    common spatial patterns (Koles, Lazar and Zhou 1990), and scaled so that works have the variance 1.

    Args:
        covariance: of the works, (D, D).
        deviation: of the views from the works' mean, (M, D).
        least: variance that the works have at least along a direction.
    """
    width = len(covariance)
    mean_variance = max(float(np.trace(covariance)) / width, SMALLEST_VARIANCE)
    shrunk = covariance + VIEW_SHRINKAGE * mean_variance * np.eye(width)
    first = max(0, width - VIEW_DIRECTIONS)
    vectors = eigh(deviation.T @ deviation / len(deviation), shrunk, subset_by_index=[first, width - 1])[1]
    vectors /= np.linalg.norm(vectors, axis=0)
    variances = np.einsum("dv,de,ev->v", vectors, covariance, vectors)
    return np.asarray(vectors.T / np.sqrt(np.maximum(variances, least))[:, None])


def _along(block: NDArray[np.float64], directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Products (N, R) of deviations (N, D) and directions (R, D).

    Not by BLAS: its sums may run in another order in another place or with more threads.
    """
    return np.asarray(np.einsum("nd,rd->nr", block, directions))


def _packed(values: NDArray[np.float64]) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode("ascii")


def _unpacked(text: str) -> NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float64)
