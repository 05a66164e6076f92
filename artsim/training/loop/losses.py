"""Objectives: three losses, each with the Keras model that is trained and the validation loss.

Embeddings are float32 (N, D), labels int64 (N,) with one number for each training artist, from 0. Annotations say
keras.KerasTensor also where Keras passes a tf.Tensor or an array.
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

SOFTMAX_SCALE = 8.0  # factor of the cosines in the softmax loss; a setting
SUPCON_TEMPERATURE = 0.05  # of a trained head; chosen by validation on 22 artists (docs/experiments.md)
CONTRASTIVE_MARGIN = 0.5  # distance from which pairs of different artists add nothing to the loss; a setting
# Added to the mean squared difference in training, so that the root's gradient is finite for equal embeddings. Scoring
# adds nothing.
CONTRASTIVE_EPSILON = 1e-6


class Objective(Protocol):
    """A `model` around a tower, the `loss` it is trained with, and whether it takes pairs of paintings."""

    model: keras.Model
    loss: Any  # a keras.losses.Loss, or a function of labels and outputs
    paired: bool

    def validation_loss(self, embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
        """The loss of held-out works (N, D) by training artists (N,)."""


def build_objective(name: LossName, tower: keras.Model, artists: int) -> Objective:
    """The objective of that name around a tower, for this number of training artists."""
    if name == "softmax":
        return Softmax(tower, artists)
    if name == "supcon":
        return SupCon(tower)
    return Contrastive(tower)


@keras.saving.register_keras_serializable("artsim")
class Proxies(layers.Layer):
    """Scaled cosines to one learned direction for each artist: (N, D) of length 1 -> (N, artists)."""

    def __init__(self, artists: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.artists = artists

    def build(self, shape: tuple[int | None, int]) -> None:
        self.proxies = self.add_weight(
            shape=(shape[-1], self.artists), initializer=keras.initializers.RandomNormal(), name="proxies"
        )

    def call(self, embeddings: keras.KerasTensor) -> keras.KerasTensor:
        return SOFTMAX_SCALE * ops.matmul(embeddings, ops.normalize(self.proxies, axis=0))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "artists": self.artists}


class Softmax:
    """Normalised softmax (Zhai and Wu 2019): cross entropy over scaled cosines to one proxy for each artist."""

    paired = False

    def __init__(self, tower: keras.Model, artists: int) -> None:
        self.proxies = Proxies(artists, name="proxies")
        self.model = keras.Model(tower.input, self.proxies(tower.output))
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def validation_loss(self, embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
        return float(self.loss(labels, self.proxies(embeddings)))


@keras.saving.register_keras_serializable("artsim")
class SupConLoss(keras.losses.Loss):
    """Supervised contrastive loss over all pairs of a batch: L_out of Khosla et al. 2020."""

    def __init__(self, temperature: float = SUPCON_TEMPERATURE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.temperature = temperature

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
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
    """Supervised contrastive loss of the embeddings themselves."""

    paired = False

    def __init__(self, tower: keras.Model, temperature: float = SUPCON_TEMPERATURE) -> None:
        self.model = keras.Model(tower.input, tower.output)
        # The loss is one number for a batch, so Keras has nothing to average.
        self.loss = SupConLoss(temperature, reduction="sum")

    def validation_loss(self, embeddings: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
        return float(self.loss(labels, embeddings))


@keras.saving.register_keras_serializable("artsim")
class RmsDistance(layers.Layer):
    """sqrt(mean squared difference + 1e-6) of two embeddings: (N, D) and (N, D) -> (N,)."""

    def call(self, first: keras.KerasTensor, second: keras.KerasTensor) -> keras.KerasTensor:
        return ops.sqrt(ops.mean(ops.square(first - second), axis=-1) + CONTRASTIVE_EPSILON)


def contrastive(same: keras.KerasTensor, distance: keras.KerasTensor) -> keras.KerasTensor:
    """Mean of y d² + (1 - y) max(margin - d, 0)² (Hadsell et al. 2006), with y = 1 for the same artist; (N,) each."""
    y = ops.cast(ops.reshape(same, (-1,)), "float32")
    d = ops.reshape(distance, (-1,))
    return ops.mean(y * ops.square(d) + (1 - y) * ops.square(ops.maximum(CONTRASTIVE_MARGIN - d, 0)))


class Contrastive:
    """The Siamese network of the 2018 program: one tower for both works of a pair."""

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
