"""Towers: uint8 (N, S, S, 3) RGB -> float32 (N, D) embeddings. A tower scales its input itself.

All layers that artsim adds to Keras and that a saved tower may hold are here, so `load_tower` imports this module only.
Saved towers refer to them by class name. Annotations say keras.KerasTensor also where Keras passes a tf.Tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from artsim.training.recipes import TowerName

# A setting, below Keras's 0.99: moving averages must settle within the few hundred steps of a short run.
BATCH_NORM_MOMENTUM = 0.9
# The dtype of statistics and embeddings, also under mixed precision: a variance is a small difference of large numbers.
STATISTICS = "float32"
FEATURES = "features"  # name of the layer of `compact` that its head takes as input
DROPOUT = 0.2  # share of the pooled statistics that a training step drops; a setting
MASK_EPSILON = 1e-6  # added to the sum of a mask, which is 0 for a black image
VARIANCE_EPSILON = 1e-5  # added to a variance: the gradient of a square root is infinite at 0
LENGTH_EPSILON = 1e-12  # added to a squared length, which is 0 for an embedding of zeros
# (channels, residual blocks) of each stage; each stage has half the side of the one before. Settings. The first stage
# has no residual block, because at its size one costs a fifth of the whole network.
COMPACT_STAGES = ((32, 0), (64, 1), (128, 2), (192, 2))


@keras.saving.register_keras_serializable("artsim")
class PictureMask(layers.Layer):
    """Letterbox mask: (N, S, S, 3) in 0..255 -> (N, S, S, 1), 0 on the black bars and 1 on the picture."""

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        values = ops.cast(images, "float32")
        rows = ops.max(values, axis=(2, 3), keepdims=True)  # (N, S, 1, 1)
        columns = ops.max(values, axis=(1, 3), keepdims=True)  # (N, 1, S, 1)
        return ops.cast(rows > 0, "float32") * ops.cast(columns > 0, "float32")


@keras.saving.register_keras_serializable("artsim")
class Enlarge(layers.Layer):
    """Larger images, interpolated bilinearly: (N, S, S, C) -> (N, side, side, C)."""

    def __init__(self, side: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.side = side

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        return ops.image.resize(images, (self.side, self.side), interpolation="bilinear")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "side": self.side}


@keras.saving.register_keras_serializable("artsim")
class ChannelStatistics(layers.Layer):
    """Weighted mean and standard deviation of each channel: (N, H, W, C) and weights (N, H, W, 1) -> (N, 2C).

    Style is texture: the variation of a feature tells as much about an artist as its mean (docs/experiments.md).
    """

    def call(self, x: keras.KerasTensor, weight: keras.KerasTensor) -> keras.KerasTensor:
        places = x.shape[1] * x.shape[2]
        values = ops.reshape(x, (-1, places, x.shape[3]))  # (N, HW, C)
        share = ops.reshape(weight, (-1, 1, places))  # (N, 1, HW): sums over places are then matrix products
        share = share / (ops.sum(share, axis=2, keepdims=True) + MASK_EPSILON)
        mean = ops.matmul(share, values)  # (N, 1, C)
        variance = ops.matmul(share, ops.square(values - mean))
        return ops.concatenate([mean, ops.sqrt(variance + VARIANCE_EPSILON)], axis=-1)[:, 0]


@keras.saving.register_keras_serializable("artsim")
class Normalise(layers.Layer):
    """Vectors scaled to length 1: (N, D) -> (N, D)."""

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return x * ops.rsqrt(ops.sum(ops.square(x), axis=-1, keepdims=True) + LENGTH_EPSILON)


@keras.saving.register_keras_serializable("artsim")
class Compress(layers.Layer):
    """Compressed features sign(f) log(1 + |f| slope), each with its own slope: (N, F) -> (N, F)."""

    def build(self, shape: tuple[int | None, int]) -> None:
        self.slope = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False, name="slope")

    def call(self, features: keras.KerasTensor) -> keras.KerasTensor:
        return ops.sign(features) * ops.log(1 + ops.abs(features) * self.slope)  # ONNX has no log1p


def build_tower(name: TowerName, image_size: int, embedding_size: int) -> keras.Model:
    """A tower with random weights: uint8 (N, S, S, 3) -> float32 (N, D)."""
    towers: dict[str, Callable[[keras.KerasTensor, int], keras.KerasTensor]] = {
        "classic": _classic,
        "compact": _compact,
    }
    images = keras.Input((image_size, image_size, 3), dtype="uint8", name="images")
    return keras.Model(images, towers[name](images, embedding_size), name=name)


def _compact(images: keras.KerasTensor, embedding_size: int) -> keras.KerasTensor:
    """A residual network that pools means and deviations of its feature maps at every depth: (N, S, S, 3) -> (N, D)."""
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


def _convolution(
    x: keras.KerasTensor, channels: int, size: int = 3, strides: int = 1, activation: str | None = "relu"
) -> keras.KerasTensor:
    x = layers.Conv2D(channels, size, strides, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x)
    return layers.Activation(activation)(x) if activation else x


def _residual(x: keras.KerasTensor, channels: int, strides: int) -> keras.KerasTensor:
    """Residual block (He et al. 2016): (N, H, W, C) -> (N, H / strides, W / strides, channels).

    The shortcut averages before it reduces the size.
    """
    shortcut = x
    if strides > 1:
        shortcut = layers.AveragePooling2D(strides, padding="same")(shortcut)
    if x.shape[-1] != channels:
        shortcut = _convolution(shortcut, channels, size=1, activation=None)
    x = _convolution(x, channels, strides=strides)
    x = _convolution(x, channels, activation=None)
    return layers.Activation("relu")(layers.Add()([x, shortcut]))


def _classic(images: keras.KerasTensor, embedding_size: int) -> keras.KerasTensor:
    """The network of the 2018 program: (N, S, S, 3) -> (N, D).

    It follows the program's description, which has two dense layers; the published code had one.
    """
    x = layers.Rescaling(1.0)(images)
    plan = [(11, 16), *[(9, 32)] * 3, *[(7, 64)] * 3, *[(5, 128)] * 3, *[(4, 256)] * 2]  # (kernel, channels)
    pooled_after = {1, 4, 7, 10, 11, 12}
    initial = {
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
