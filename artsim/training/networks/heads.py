"""Heads: features (N, F) -> embeddings (N, D) of length 1; and the tower of a network and a head.

A head is the closed-form readout, a trained head, or both side by side. Side by side, the squared distance of two
embeddings is the weighted mean of the squared distances of both heads. On a pretrained network, both take the same
coordinates, so that a tower has one projection of its many features.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from artsim.training.networks.features import LabelledFeatures
from artsim.training.networks.readout import Projection, fit_projection, fit_whitening
from artsim.training.networks.towers import BATCH_NORM_MOMENTUM, Compress, Normalise
from artsim.training.recipes import Recipe

HEAD = "head"  # name of the head's scope in a tower's graph
COMPONENTS = 512  # principal components that heads take as input; a setting
# The readout's part of the numbers of an embedding, beside a trained head: on a pretrained network, and in a tower that
# is trained from scratch. Settings; docs/experiments.md has other widths.
READOUT_WIDTH, READOUT_WIDTH_FROM_SCRATCH = 2 / 3, 1 / 2
HIDDEN = 2048  # width of the trained head's hidden layer; a setting
# Shares that a training step drops, of the coordinates and of the hidden layer. Settings; docs/experiments.md has one
# other value of the first.
DROPOUT_BEFORE, DROPOUT_AFTER = 0.3, 0.5


def widths(recipe: Recipe, components: int = COMPONENTS) -> tuple[int, int]:
    """Widths of the readout, at most `components`, and of the trained head. 0: the recipe has no such head.

    Beside a trained head, the readout has two thirds of the embedding on a pretrained network, and half otherwise.
    """
    if recipe.readout_share == 0:
        return 0, recipe.embedding_size
    if recipe.readout_share == 1:
        return min(recipe.embedding_size, components), 0
    part = READOUT_WIDTH if recipe.is_pretrained else READOUT_WIDTH_FROM_SCRATCH
    readout = min(int(part * recipe.embedding_size), components)
    return readout, recipe.embedding_size - readout


def build_trained_head(components: int, width: int) -> keras.Model:
    """An untrained head: coordinates (N, K) of a Projection -> (N, D) of length 1."""
    coordinates = keras.Input((components,), name="coordinates")
    x = layers.Dropout(DROPOUT_BEFORE)(coordinates)
    x = layers.Dense(HIDDEN, use_bias=False, kernel_initializer="he_normal")(x)
    x = layers.Activation("relu")(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x))
    x = layers.Dropout(DROPOUT_AFTER)(x)
    x = Normalise()(layers.Dense(width, use_bias=False)(x))
    return keras.Model(coordinates, x, name="trained_head")


def build_readout(projection: Projection, train: LabelledFeatures, width: int, recipe: Recipe) -> keras.Model:
    """The closed-form readout as a head: features (N, F) -> (N, D). Projection and whitening are one layer.

    Args:
        projection: the principal components of the features.
        train: the training works.
        width: D.
        recipe: its weight of shifted views and its stretching are used.
    """
    return _readout(projection.then(_whitening(projection, train, width, recipe)), HEAD)


def build_head(
    projection: Projection, train: LabelledFeatures, readout_width: int, trained: keras.Model, recipe: Recipe
) -> keras.Model:
    """A trained head with its projection, and a readout of the same coordinates beside it: features (N, F) -> (N, D).

    Args:
        projection: the principal components of the features.
        train: the training works.
        readout_width: at most K; 0: no readout.
        trained: the trained head: coordinates (N, K) -> (N, D - readout_width).
        recipe: it gives the settings of the readout and its share.
    """
    features = keras.Input((len(projection.kernel),), name="features")
    coordinates = _projected(features, projection, "projection")
    if not readout_width:
        return keras.Model(features, trained(coordinates), name=HEAD)
    matrix = _whitening(projection, train, readout_width, recipe)
    readout = Normalise()(_linear(coordinates, [matrix], "readout"))
    both = _weighted([(readout, recipe.readout_share), (trained(coordinates), 1 - recipe.readout_share)])
    return keras.Model(features, both, name=HEAD)


def _whitening(projection: Projection, train: LabelledFeatures, width: int, recipe: Recipe) -> NDArray[np.float32]:
    return fit_whitening(
        projection(train.features),
        train.labels,
        width,
        views=projection(train.views) if len(train.views) else None,
        view_weight=recipe.readout_shift,
        stretch=recipe.readout_stretch,
    )


def blank_readout(features: int, width: int) -> keras.Model:
    """A readout of zeros, for `refit_readout` to fill: features (N, F) -> (N, D)."""
    zeros = np.zeros((features, width), np.float32)
    return _readout(Projection(zeros[:, 0], zeros, zeros[0]), "readout")


def refit_readout(readout: keras.Model, train: LabelledFeatures, recipe: Recipe) -> None:
    """Fit a `blank_readout` to training works. With too few works for D numbers, the last are 0."""
    projection = fit_projection(train.features, train.labels, COMPONENTS)
    width = readout.output_shape[1]
    leading = min(width, projection.kernel.shape[1])
    fitted = projection.then(_whitening(projection, train, leading, recipe))
    missing = (0, width - leading)
    readout.set_weights([fitted.slope, np.pad(fitted.kernel, ((0, 0), missing)), np.pad(fitted.bias, missing)])


def _readout(projection: Projection, name: str) -> keras.Model:
    inputs = keras.Input((len(projection.kernel),), name="features")
    return keras.Model(inputs, Normalise()(_projected(inputs, projection, "readout")), name=name)


def side_by_side(readout: keras.Model, trained: keras.Model, share: float) -> keras.Model:
    """One head (N, F) -> (N, D) of two heads that take features.

    `share` is the weight of the readout in the squared distance; the trained head has the rest.
    """
    features = keras.Input(readout.input_shape[1:], name="features")
    return keras.Model(features, _weighted([(readout(features), share), (trained(features), 1 - share)]), name=HEAD)


def _weighted(parts: Sequence[tuple[keras.KerasTensor, float]]) -> keras.KerasTensor:
    """One output of several, each with its weight in the squared distance."""
    return layers.Concatenate()([layers.Rescaling(float(np.sqrt(weight)))(output) for output, weight in parts])


def trained_part(embeddings: NDArray[np.float32], readout_width: int) -> NDArray[np.float32]:
    """The trained head's part of embeddings (N, D), scaled to length 1: (N, D - readout_width)."""
    part = embeddings[:, readout_width:]
    return part if readout_width == 0 else part / np.linalg.norm(part, axis=1, keepdims=True)


def with_head(network: keras.Model, head: keras.Model, name: str) -> keras.Model:
    """The tower of a network and a head: uint8 (N, S, S, 3) -> float32 (N, D)."""
    images = keras.Input(network.input_shape[1:], dtype="uint8", name="images")
    return keras.Model(images, head(network(images)), name=name)


def _projected(features: keras.KerasTensor, projection: Projection, name: str) -> keras.KerasTensor:
    """Coordinates (N, K) of features (N, F), by layers that are not trained."""
    compress = Compress(trainable=False)
    compress.build((None, len(projection.slope)))
    compress.set_weights([projection.slope])
    return _linear(compress(features), [projection.kernel, projection.bias], name)


def _linear(inputs: keras.KerasTensor, weights: Sequence[NDArray[np.float32]], name: str) -> keras.KerasTensor:
    """A layer that is not trained, of a matrix (K, D) and, where there is one, a bias (D,)."""
    # Zeros draw no random numbers for weights that are set below.
    linear = layers.Dense(
        weights[0].shape[1],
        use_bias=len(weights) > 1,
        trainable=False,
        name=name,
        kernel_initializer="zeros",
        bias_initializer="zeros",
    )
    linear.build((None, len(weights[0])))
    linear.set_weights(weights)
    return linear(inputs)
