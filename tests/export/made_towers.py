"""Towers that were not trained, for tests of the export."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from artsim.training.networks.checkpoints import save_tower
from artsim.training.networks.towers import Normalise

SIZE = 32


def save_colours(path: Path, channels: int, seed: int = 0) -> None:
    """A tower that sees how a painting's colours are spread, which tells something of these painters."""
    keras.utils.set_random_seed(seed)
    images = keras.Input((SIZE, SIZE, 3), dtype="uint8")
    x = layers.Rescaling(1 / 127.5, offset=-1)(images)
    for filters in (16, channels):
        x = layers.Conv2D(filters, 2, strides=2, activation="relu")(x)
    save_tower(keras.Model(images, Normalise()(layers.Dense(16)(layers.GlobalAveragePooling2D()(x)))), path)
