"""What a tower is trained towards: three losses, each with the model around the tower and its validation loss.

Labels are whole numbers, one an artist of the training set; embeddings are (N, D).
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from artsim.collection.pairs import balanced_pairs
from artsim.scoring.distance import pair_distances
from artsim.training.recipes import LossName

SOFTMAX_SCALE = 8.0
SUPCON_TEMPERATURE = 0.05
CONTRASTIVE_MARGIN = 0.5
CONTRASTIVE_EPSILON = 1e-6  # keeps the root's gradient finite where two embeddings coincide; none when scoring


class Objective(Protocol):
    """A loss and what it needs: `model` is trained with `loss`, `paired` says whether it eats pairs."""

    model: keras.Model
    loss: Any
    paired: bool

    def validation_loss(self, embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
        """The loss of held-out works by training artists."""


def build_objective(name: LossName, tower: keras.Model, artists: int) -> Objective:
    """The objective of that name around a tower, for so many training artists."""
    if name == "softmax":
        return Softmax(tower, artists)
    if name == "supcon":
        return SupCon(tower)
    return Contrastive(tower)


@keras.saving.register_keras_serializable("artsim")
class Proxies(layers.Layer):
    """(N, D) of length 1 -> (N, artists): scaled cosines to one learned direction an artist."""

    def __init__(self, artists: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.artists = artists

    def build(self, shape: tuple[int | None, int]) -> None:
        self.proxies = self.add_weight(
            shape=(shape[-1], self.artists), initializer=keras.initializers.RandomNormal(), name="proxies"
        )

    def call(self, embeddings: Any) -> Any:
        return SOFTMAX_SCALE * ops.matmul(embeddings, ops.normalize(self.proxies, axis=0))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "artists": self.artists}


class Softmax:
    """Normalised softmax (Zhai and Wu 2019): cross entropy over cosines to one proxy an artist."""

    paired = False

    def __init__(self, tower: keras.Model, artists: int) -> None:
        self.proxies = Proxies(artists, name="proxies")
        self.model = keras.Model(tower.input, self.proxies(tower.output))
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def validation_loss(self, embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
        return float(self.loss(labels, self.proxies(embeddings)))


@keras.saving.register_keras_serializable("artsim")
class SupConLoss(keras.losses.Loss):
    """Supervised contrastive loss, L_out of Khosla et al. 2020, over all pairs of a batch."""

    def __init__(self, temperature: float = SUPCON_TEMPERATURE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.temperature = temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        labels = ops.reshape(y_true, (-1, 1))
        itself = ops.eye(ops.shape(y_pred)[0])
        positive = ops.cast(ops.equal(labels, ops.transpose(labels)), "float32") - itself  # (N, N)
        logits = ops.matmul(y_pred, ops.transpose(y_pred)) / self.temperature - 1e9 * itself
        log_share = logits - ops.logsumexp(logits, axis=1, keepdims=True)
        count = ops.sum(positive, axis=1)
        loss = -ops.sum(positive * ops.where(positive > 0, log_share, 0.0), axis=1) / ops.maximum(count, 1.0)
        return ops.sum(loss) / ops.maximum(ops.sum(ops.cast(count > 0, "float32")), 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}


class SupCon:
    """Supervised contrastive learning straight on the embeddings."""

    paired = False

    def __init__(self, tower: keras.Model, temperature: float = SUPCON_TEMPERATURE) -> None:
        self.model = keras.Model(tower.input, tower.output)
        # The loss is one number a batch already; summing over it keeps Keras from averaging anew.
        self.loss = SupConLoss(temperature, reduction="sum")

    def validation_loss(self, embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
        return float(self.loss(labels, embeddings))


@keras.saving.register_keras_serializable("artsim")
class RmsDistance(layers.Layer):
    """Two (N, D) -> (N,): sqrt(mean squared difference + 1e-6)."""

    def call(self, first: Any, second: Any) -> Any:
        return ops.sqrt(ops.mean(ops.square(first - second), axis=-1) + CONTRASTIVE_EPSILON)


def contrastive(same: Any, distance: Any) -> Any:
    """Mean of y d² + (1 - y) max(margin - d, 0)² (Hadsell et al. 2006), with y = 1 for the same artist; (N,) each."""
    y = ops.cast(ops.reshape(same, (-1,)), "float32")
    d = ops.reshape(distance, (-1,))
    return ops.mean(y * ops.square(d) + (1 - y) * ops.square(ops.maximum(CONTRASTIVE_MARGIN - d, 0)))


class Contrastive:
    """The old program's Siamese network: one tower on both works of a pair."""

    paired = True

    def __init__(self, tower: keras.Model) -> None:
        first = keras.Input(tower.input_shape[1:], dtype="uint8", name="image1")
        second = keras.Input(tower.input_shape[1:], dtype="uint8", name="image2")
        self.model = keras.Model([first, second], RmsDistance(name="distance")(tower(first), tower(second)))
        self.loss = contrastive

    def validation_loss(self, embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
        first, second, same = balanced_pairs(labels, seed=0)
        if len(same) == 0:
            return math.nan
        distance = pair_distances(embeddings, first, second, "rms")
        return float(contrastive(same, distance))
