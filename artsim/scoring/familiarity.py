"""How far a photograph is from those that a tower was trained on, and what that does to distances.

The embeddings of the training photographs are described by a Gaussian. A new embedding has a Mahalanobis distance to it
(Lee, Lee, Lee and Shin 2018). Photographs of another museum, camera or size are far from the training photographs, and
near each other, because they share what the tower has not learned to ignore. Their distances are therefore too small.
A photograph far from the training photographs multiplies its distances by a factor above 1, which validation has fitted
on shifted views. The factor depends on the photograph alone. It is exactly 1 up to the onset of the correction.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

DIRECTIONS = 256  # of the Gaussian with variances of their own; all others share one. A setting
WORKS_PER_DIRECTION = 4  # at least; fewer would measure noise. A setting
# More is no farther: validation says nothing about photographs beyond its shifted views. A setting
FARTHEST = 0.3
WORKS_OF_A_COLLECTION = 10  # of each artist in a typical collection; a setting
MOST_CORRECTION = 3.0  # of a factor for each unit of unfamiliarity: a bound of the fit and of a card. A setting
# In shares of the mean variance. Some embeddings fill fewer than D directions. In the others, the rounding of the
# stored directions, about 1e-7 of the mean variance, would otherwise decide. A setting
SMALLEST_SHARE = 1e-4
SMALLEST_VARIANCE = 1e-12  # also if all embeddings are the same
ORTHOGONAL = 1e-3  # largest error of stored directions; float32 causes about 1e-7
BLOCK = 32  # embeddings at once; the last block is filled up, so that all blocks are computed in the same way


@dataclass(frozen=True)
class TrainingEmbeddings:
    """A Gaussian of the training photographs' embeddings, with arrays as base64 of little-endian float32.

    `mean` is (D,). `directions` (R, D) are orthogonal and of length 1. `variances` (R,) are the variances along them,
    and `rest` is the variance in each other direction.
    """

    mean: str = field(repr=False)
    directions: str = field(repr=False)
    variances: str = field(repr=False)
    rest: float

    @classmethod
    def of(cls, embeddings: NDArray[np.float32]) -> TrainingEmbeddings:
        """Describe embeddings (N, D), N at least 2."""
        count, width = embeddings.shape
        mean = embeddings.mean(axis=0, dtype=np.float64)
        deviation = embeddings - mean
        covariance = deviation.T @ deviation / (count - 1)
        number = max(1, min(DIRECTIONS, count // WORKS_PER_DIRECTION, width - 1))
        variances, vectors = eigh(covariance, subset_by_index=[width - number, width - 1])
        total = float(np.trace(covariance))
        least = max(SMALLEST_SHARE * total / width, SMALLEST_VARIANCE)
        rest = max((total - float(variances.sum())) / max(1, width - number), least)
        return cls(_packed(mean), _packed(vectors.T), _packed(np.maximum(variances, least)), rest)

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        mean, variances = _unpacked(self.mean), _unpacked(self.variances)
        return mean, _unpacked(self.directions).reshape(len(variances), len(mean)), variances

    @property
    def width(self) -> int:
        """D, the length of the embeddings."""
        return len(self._arrays[0])

    @property
    def is_sound(self) -> bool:
        """Whether the arrays fit together and hold usable numbers."""
        try:
            mean, directions, variances = self._arrays
            spread = np.append(variances, float(self.rest))
        except (ValueError, TypeError):  # not base64 or no text, or lengths that do not fit
            return False
        if not 1 <= len(variances) <= len(mean):
            return False
        if not all(np.isfinite(array).all() for array in (mean, directions, spread)):
            return False
        are_orthogonal = np.allclose(directions @ directions.T, np.eye(len(variances)), atol=ORTHOGONAL)
        return are_orthogonal and bool((spread >= np.finfo(np.float32).tiny).all())

    def unfamiliarity(self, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
        """Squared Mahalanobis distances (N,) of embeddings (N, D), divided by D: 1 on average for the Gaussian.

        A value depends on its own embedding alone, to the last bit. So BLAS computes no product here: its sums may run
        in another order in another place or with more threads.
        """
        mean, directions, variances = self._arrays
        out = np.empty(len(embeddings))
        block = np.zeros((BLOCK, len(mean)))
        for start in range(0, len(embeddings), BLOCK):
            rows = embeddings[start : start + BLOCK]
            block[: len(rows)] = rows - mean
            block[len(rows) :] = 0
            along = np.square(np.einsum("nd,rd->nr", block, directions))
            beside = np.square(block).sum(axis=1) - along.sum(axis=1)
            out[start : start + BLOCK] = ((along / variances).sum(axis=1) + beside / self.rest)[: len(rows)] / len(mean)
        return out


@dataclass(frozen=True)
class PhotographRule:
    """What unfamiliar photographs do to distances.

    A photograph is unfamiliar if its unfamiliarity is above `familiar`. Its factor is 1 up to `onset`. Above, the
    factor rises by `correction` for each unit, up to FARTHEST units.
    """

    training: TrainingEmbeddings
    familiar: float
    onset: float
    correction: float

    @property
    def is_sound(self) -> bool:
        """Whether all numbers are usable: then every factor is finite and at least 1."""
        are_finite = math.isfinite(self.familiar) and math.isfinite(self.onset)
        return self.training.is_sound and are_finite and 0 <= self.correction <= MOST_CORRECTION

    def are_unfamiliar(self, embeddings: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether photographs are unfamiliar, (N,). So are 5 % of those that are like the training photographs."""
        return self.training.unfamiliarity(embeddings) > self.familiar

    def factors(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The factor (N,) of each photograph. A pair's distance is multiplied by the factors of both."""
        return (1 + self.correction * excess(self.training.unfamiliarity(embeddings), self.onset)).astype(np.float32)

    def adapt(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The embeddings (N, D) as they are, and their factors (N,)."""
        return vectors, self.factors(vectors)


@dataclass(frozen=True)
class EmbeddedFold:
    """Works by artists whom a tower does not know, embedded by it, with one shifted view of each.

    Photographers are numbered. Unfamiliarity is measured from the tower's own training embeddings. `others` are works
    by other artists, with as many works of each as a collection may have.
    """

    artists: NDArray[np.int64]  # (N,)
    embeddings: NDArray[np.float32]  # (N, D)
    unfamiliarity: NDArray[np.float64]  # (N,)
    photographers: NDArray[np.int64]  # (N,) of the views
    views: NDArray[np.float32]  # (N, D)
    view_unfamiliarity: NDArray[np.float64]  # (N,)
    others: NDArray[np.float32]  # (M, D)

    @classmethod
    def of(
        cls,
        artists: NDArray[np.int64],
        embeddings: NDArray[np.float32],
        photographers: NDArray[np.int64],
        views: NDArray[np.float32],
        training: TrainingEmbeddings,
        others: NDArray[np.float32],
    ) -> EmbeddedFold:
        """Measure the unfamiliarity of embedded works and views."""
        unfamiliarity, of_views = (training.unfamiliarity(each) for each in (embeddings, views))
        return cls(artists, embeddings, unfamiliarity, photographers, views, of_views, others)


def excess(unfamiliarity: NDArray[np.float64], onset: float) -> NDArray[np.float64]:
    """By how much unfamiliarities (N,) exceed the onset of the correction, at most FARTHEST."""
    return np.clip(unfamiliarity - onset, 0.0, FARTHEST)


def _packed(values: NDArray[np.float64]) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode("ascii")


def _unpacked(text: str) -> NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float64)
