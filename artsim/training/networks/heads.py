"""What turns a pretrained network's features (N, F) into embeddings (N, D) of length 1, and the tower they make.

A head is the closed-form readout, a trained network, or both side by side: then the squared distance of two embeddings
is the weighted mean of both squared distances.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from artsim.training.networks.readout import Projection, fit_projection, fit_whitening
from artsim.training.networks.towers import BATCH_NORM_MOMENTUM, Compress, Normalise
from artsim.training.recipes import Recipe

HEAD = "head"  # the name of its scope in a tower's graph
COMPONENTS = 512  # principal axes of the features that heads see
HIDDEN = 2048
DROPOUT_BEFORE, DROPOUT_AFTER = 0.3, 0.5  # of the coordinates, and of the hidden layer


def widths(recipe: Recipe, components: int = COMPONENTS) -> tuple[int, int]:
    """How many numbers of an embedding the readout gives, of `components` at most, and how many the trained head."""
    if recipe.readout_share == 0:
        return 0, recipe.embedding_size
    readout = recipe.embedding_size if recipe.readout_share == 1 else recipe.embedding_size // 2
    readout = min(readout, components)
    return readout, 0 if recipe.readout_share == 1 else recipe.embedding_size - readout


def build_trained_head(components: int, width: int) -> keras.Model:
    """A network to be trained: coordinates (N, K), as a Projection gives them -> (N, D)."""
    coordinates = keras.Input((components,), name="coordinates")
    x = layers.Dropout(DROPOUT_BEFORE)(coordinates)
    x = layers.Dense(HIDDEN, use_bias=False, kernel_initializer="he_normal")(x)
    x = layers.Activation("relu")(layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM)(x))
    x = layers.Dropout(DROPOUT_AFTER)(x)
    x = Normalise()(layers.Dense(width, use_bias=False)(x))
    return keras.Model(coordinates, x, name="trained_head")


def on_features(projection: Projection, trained: keras.Model) -> keras.Model:
    """A trained head that takes features (N, F)."""
    features = keras.Input((len(projection.kernel),), name="features")
    return keras.Model(features, trained(_projected(features, projection, "projection")), name="on_features")


def build_readout(
    projection: Projection, features: NDArray[np.float32], labels: NDArray[np.int64], width: int
) -> keras.Model:
    """The closed-form readout as a head on features (N, F); projection and whitening are one step.

    Args:
        projection: of the features.
        features: (N, F) of training works.
        labels: (N,) one number an artist.
        width: D.
    """
    return _readout(projection.then(fit_whitening(projection(features), labels, width)))


def blank_readout(features: int, width: int) -> keras.Model:
    """A readout to be fitted, and fitted anew, by `refit_readout`: features (N, F) -> (N, D)."""
    zeros = np.zeros((features, width), np.float32)
    return _readout(Projection(zeros[:, 0], zeros, zeros[0]))


def refit_readout(readout: keras.Model, features: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
    """Fit what `blank_readout` gave, to features (N, F) of works by artists (N,); with N below D, the last are 0."""
    projection = fit_projection(features, labels, COMPONENTS)
    width = readout.output_shape[1]
    leading = min(width, projection.kernel.shape[1])
    fitted = projection.then(fit_whitening(projection(features), labels, leading))
    missing = (0, width - leading)
    readout.set_weights([fitted.slope, np.pad(fitted.kernel, ((0, 0), missing)), np.pad(fitted.bias, missing)])


def _readout(projection: Projection) -> keras.Model:
    inputs = keras.Input((len(projection.kernel),), name="features")
    return keras.Model(inputs, Normalise()(_projected(inputs, projection, "readout")), name="readout")


def side_by_side(readout: keras.Model | None, trained: keras.Model | None, share: float) -> keras.Model:
    """The heads there are as one; the readout has the given share of a squared distance, the trained one the rest."""
    weighted = [(head, weight) for head, weight in ((readout, share), (trained, 1 - share)) if head is not None]
    features = keras.Input(weighted[0][0].input_shape[1:], name="features")
    parts = [layers.Rescaling(float(np.sqrt(weight)))(head(features)) for head, weight in weighted]
    return keras.Model(features, layers.Concatenate()(parts) if len(parts) > 1 else parts[0], name=HEAD)


def trained_part(embeddings: NDArray[np.float32], readout_width: int) -> NDArray[np.float32]:
    """What the trained head alone gives, (N, D) of length 1, in embeddings of both side by side."""
    part = embeddings[:, readout_width:]
    return part if readout_width == 0 else part / np.linalg.norm(part, axis=1, keepdims=True)


def with_head(network: keras.Model, head: keras.Model, name: str) -> keras.Model:
    """The whole tower: uint8 (N, S, S, 3) -> (N, D)."""
    images = keras.Input(network.input_shape[1:], dtype="uint8", name="images")
    return keras.Model(images, head(network(images)), name=name)


def _projected(features: Any, projection: Projection, name: str) -> Any:
    """What a projection, which is not trained, gives of features."""
    compress = Compress(trainable=False)
    compress.build((None, len(projection.slope)))
    compress.set_weights([projection.slope])
    initial: dict[str, Any] = {"kernel_initializer": "zeros", "bias_initializer": "zeros"}
    linear = layers.Dense(projection.kernel.shape[1], trainable=False, name=name, **initial)
    linear.build((None, len(projection.kernel)))
    linear.set_weights([projection.kernel, projection.bias])
    return linear(compress(features))
