"""What a pretrained network sees of a painting: uint8 (N, S, S, 3) RGB -> float32 (N, F), pooled at every depth.

Of each channel of each map its mean and its deviation over the picture, without the letterbox's bars. Style is
texture: how much a feature varies says as much of the hand as how strong it is on average.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from artsim.training.networks.backbones import build_backbone
from artsim.training.networks.towers import STATISTICS, ChannelStatistics, PictureMask
from artsim.training.recipes import BackboneName

EMBED_BATCH = 32
BACKBONE = "backbone"


@dataclass(frozen=True)
class LabelledFeatures:
    """What a network sees of N works: features float32 (N, F), and labels (N,), one number an artist."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]

    def of(self, rows: NDArray[np.int64]) -> LabelledFeatures:
        """The same of some of the works, their artists numbered anew, from 0."""
        return LabelledFeatures(self.features[rows], np.unique(self.labels[rows], return_inverse=True)[1])


def build_features(name: BackboneName, image_size: int, weights: str) -> keras.Model:
    """The features of a pretrained network.

    Raises:
        UsageError, ModelError: as `build_backbone`.
    """
    backbone = build_backbone(name, image_size, weights)
    images = keras.Input((image_size, image_size, 3), dtype="uint8", name="images")
    mask = PictureMask()(images)
    maps = backbone(layers.Rescaling(1.0)(images))
    pooled = [ChannelStatistics(dtype=STATISTICS)(each, _at(each, mask)) for each in maps]
    return keras.Model(images, layers.Concatenate(dtype=STATISTICS)(pooled), name=BACKBONE)


def compute(
    network: keras.Model, pixels: NDArray[np.uint8], progress: Callable[[int, int], None]
) -> NDArray[np.float32]:
    """The features float32 (N, F) of paintings uint8 (N, S, S, 3), a batch at a time.

    Args:
        network: what `build_features` gave.
        pixels: may be a memory map.
        progress: told of (done, N).
    """
    features = np.empty((len(pixels), network.output_shape[1]), dtype=np.float32)
    for start in range(0, len(pixels), EMBED_BATCH):
        batch = np.ascontiguousarray(pixels[start : start + EMBED_BATCH])
        features[start : start + len(batch)] = network.predict_on_batch(batch)
        progress(start + len(batch), len(pixels))
    return features


def _at(feature_map: Any, mask: Any) -> Any:
    """(N, h, w, 1) which share of each place of a map (N, h, w, C) is picture, of a mask (N, S, S, 1)."""
    height, width = feature_map.shape[1:3]
    stride = round(mask.shape[1] / height)
    shrunk = layers.AveragePooling2D(stride, padding="same")(mask) if stride > 1 else mask
    over = shrunk.shape[1] - height  # of a network that leaves out a last, incomplete patch
    return layers.Cropping2D(((0, over), (0, shrunk.shape[2] - width)))(shrunk) if over else shrunk
