"""Towers: uint8 (N, S, S, 3) RGB in, scaled inside; float32 (N, D) embeddings out.

Every layer of our own that a saved tower may hold is here: reading one back imports this module alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from artsim.training.recipes import TowerName

# Short runs: the moving averages must have caught up after a few hundred steps.
BATCH_NORM_MOMENTUM = 0.9
# Whatever the layers before compute in: a variance is a small difference, an embedding is the answer.
STATISTICS = "float32"
FEATURES = "features"  # the layer of `compact` on which its head stands
DROPOUT = 0.2  # of the pooled statistics: no artist must hang on a few of them
# (channels, residual blocks), each at half the size before. The first has none: at its size one costs a fifth of all.
COMPACT_STAGES = ((32, 0), (64, 1), (128, 2), (192, 2))


@keras.saving.register_keras_serializable("artsim")
class PictureMask(layers.Layer):
    """(N, S, S, 3) in 0..255 -> (N, S, S, 1): 0 on the bars that letterboxing left, 1 on the picture between."""

    def call(self, images: Any) -> Any:
        values = ops.cast(images, "float32")
        rows = ops.max(values, axis=(2, 3), keepdims=True)  # (N, S, 1, 1)
        columns = ops.max(values, axis=(1, 3), keepdims=True)  # (N, 1, S, 1)
        return ops.cast(rows > 0, "float32") * ops.cast(columns > 0, "float32")


@keras.saving.register_keras_serializable("artsim")
class ChannelStatistics(layers.Layer):
    """(N, H, W, C) and weights (N, H, W, 1) -> (N, 2C): each channel's weighted mean and standard deviation.

    Style is texture: how much a feature varies says as much of the hand as how strong it is on average.
    """

    def call(self, x: Any, weight: Any) -> Any:
        places = x.shape[1] * x.shape[2]
        values = ops.reshape(x, (-1, places, x.shape[3]))  # (N, HW, C)
        share = ops.reshape(weight, (-1, 1, places))  # (N, 1, HW): sums over places are then matrix products
        share = share / (ops.sum(share, axis=2, keepdims=True) + 1e-6)
        mean = ops.matmul(share, values)  # (N, 1, C)
        variance = ops.matmul(share, ops.square(values - mean))
        return ops.concatenate([mean, ops.sqrt(variance + 1e-5)], axis=-1)[:, 0]


@keras.saving.register_keras_serializable("artsim")
class Normalise(layers.Layer):
    """(N, D) -> (N, D) of length 1."""

    def call(self, x: Any) -> Any:
        return x * ops.rsqrt(ops.sum(ops.square(x), axis=-1, keepdims=True) + 1e-12)


@keras.saving.register_keras_serializable("artsim")
class Compress(layers.Layer):
    """sign(f) log(1 + |f| slope) of each feature, (N, F) -> (N, F)."""

    def build(self, shape: tuple[int | None, int]) -> None:
        self.slope = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False, name="slope")

    def call(self, features: Any) -> Any:
        return ops.sign(features) * ops.log(1 + ops.abs(features) * self.slope)  # ONNX has no log1p


def build_tower(name: TowerName, image_size: int, embedding_size: int) -> keras.Model:
    """A freshly initialised tower."""
    towers: dict[str, Callable[[Any, int], Any]] = {"classic": _classic, "compact": _compact}
    images = keras.Input((image_size, image_size, 3), dtype="uint8", name="images")
    return keras.Model(images, towers[name](images, embedding_size), name=name)


def _compact(images: Any, embedding_size: int) -> Any:
    """A residual network that pools means and deviations at every depth, from pigment to composition."""
    mask = layers.AveragePooling2D(2, padding="same")(PictureMask()(images))
    x = layers.Rescaling(1 / 127.5, offset=-1)(images)
    x = _convolution(x, COMPACT_STAGES[0][0], size=5, strides=2)
    pooled = []
    for stage, (channels, blocks) in enumerate(COMPACT_STAGES):
        if stage > 0:
            mask = layers.AveragePooling2D(2, padding="same")(mask)
        for block in range(blocks):
            x = _residual(x, channels, strides=2 if stage > 0 and block == 0 else 1)
        pooled.append(ChannelStatistics(dtype=STATISTICS)(x, mask))
    x = layers.Concatenate(name=FEATURES, dtype=STATISTICS)(pooled)
    x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, dtype=STATISTICS)(x)
    x = layers.Dropout(DROPOUT, dtype=STATISTICS)(x)
    x = layers.Dense(embedding_size, use_bias=False, dtype=STATISTICS)(x)
    return Normalise(name="embeddings", dtype=STATISTICS)(x)


def _convolution(x: Any, channels: int, size: int = 3, strides: int = 1, activation: str | None = "relu") -> Any:
    x = layers.Conv2D(channels, size, strides, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)
    return layers.Activation(activation)(x) if activation else x


def _residual(x: Any, channels: int, strides: int) -> Any:
    """Two convolutions beside a shortcut (He et al. 2016); the shortcut averages before it halves the size."""
    shortcut = x
    if strides > 1:
        shortcut = layers.AveragePooling2D(strides, padding="same")(shortcut)
    if x.shape[-1] != channels:
        shortcut = _convolution(shortcut, channels, size=1, activation=None)
    x = _convolution(x, channels, strides=strides)
    x = _convolution(x, channels, activation=None)
    return layers.Activation("relu")(layers.Add()([x, shortcut]))


def _classic(images: Any, embedding_size: int) -> Any:
    """The network of the 2018 program, as its description says (the published code had one dense layer)."""
    x = layers.Rescaling(1.0)(images)
    plan = [(11, 16), *[(9, 32)] * 3, *[(7, 64)] * 3, *[(5, 128)] * 3, *[(4, 256)] * 2]  # (kernel, channels)
    pooled_after = {1, 4, 7, 10, 11, 12}
    initial: dict[str, Any] = {
        "kernel_initializer": keras.initializers.RandomNormal(0.0, 0.01),
        "bias_initializer": keras.initializers.RandomNormal(0.5, 0.01),
    }
    for number, (size, channels) in enumerate(plan, start=1):
        x = layers.Conv2D(channels, size, padding="same", activation="relu", **initial)(x)
        x = layers.BatchNormalization()(x)
        if number in pooled_after:
            x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    for number in (1, 2):
        name = "embeddings" if number == 2 else None
        kernel = initial["kernel_initializer"]
        x = layers.Dense(embedding_size, activation="relu", kernel_initializer=kernel, dtype=STATISTICS, name=name)(x)
    return x
