"""Pooled backbone features: uint8 (N, S, S, 3) RGB -> float32 (N, F).

The features are the mean and the standard deviation of each channel of each feature map, over the picture without the
letterbox bars.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from artsim.large_arrays import release_pages
from artsim.shifted_views import ShiftedViews
from artsim.training.networks.backbones import build_backbone
from artsim.training.networks.rows import Features, rows_of
from artsim.training.networks.towers import STATISTICS, ChannelStatistics, Enlarge, PictureMask
from artsim.training.recipes import BackboneName, FeatureMaps, Recipe

FEATURE_BATCH = 8  # paintings at once: more are no faster on a CPU, and their maps take memory. A setting
BACKBONE = "backbone"  # the network's name in a saved tower


@dataclass(frozen=True)
class LabelledFeatures:
    """Features float32 (N, F) of N works with labels int64 (N,), one number an artist.

    `views` are the features of one shifted view of each work, (N, F), or none of them, (0, F).
    """

    features: Features
    labels: NDArray[np.int64]
    views: Features

    @classmethod
    def without_views(cls, features: Features, labels: NDArray[np.int64]) -> LabelledFeatures:
        """Works without shifted views."""
        return cls(features, labels, features[:0])

    def subset(self, rows: NDArray[np.int64]) -> LabelledFeatures:
        """The works in these rows, with their artists numbered again from 0. Their features are not copied."""
        labels = np.unique(self.labels[rows], return_inverse=True)[1]
        views = rows_of(self.views, rows) if len(self.views) else self.views
        return LabelledFeatures(rows_of(self.features, rows), labels, views)


@dataclass(frozen=True)
class ImageInput:
    """The input of a network, and what follows from it.

    Attributes:
        images: uint8 (N, S, S, 3).
        pixels: the images, enlarged: float32 (N, side, side, 3).
        mask: of the pixels, 0 on the letterbox bars and 1 on the picture: (N, side, side, 1).
    """

    images: keras.KerasTensor
    pixels: keras.KerasTensor
    mask: keras.KerasTensor

    @classmethod
    def of(cls, image_size: int, side: int) -> ImageInput:
        """Images of `image_size` px, enlarged to `side`."""
        images = keras.Input((image_size, image_size, 3), dtype="uint8", name="images")
        mask, pixels = PictureMask()(images), layers.Rescaling(1.0)(images)
        if side != image_size:
            mask, pixels = Enlarge(side)(mask), Enlarge(side)(pixels)
        return cls(images, pixels, mask)

    def mask_of_size(self, height: int, width: int) -> keras.KerasTensor:
        """The share (N, height, width, 1) of picture in each place of a map."""
        stride = round(self.mask.shape[1] / height)
        shrunk = layers.AveragePooling2D(stride, padding="same")(self.mask) if stride > 1 else self.mask
        over = shrunk.shape[1] - height  # the backbone ignores a last, incomplete patch
        return layers.Cropping2D(((0, over), (0, shrunk.shape[2] - width)))(shrunk) if over else shrunk


def build_features(recipe: Recipe, image_size: int, weights: str) -> keras.Model:
    """A network that gives the features of a pretrained one: uint8 (N, S, S, 3) -> float32 (N, F).

    It enlarges its input as the recipe says. The backbone then sees no detail that the input lacks, but its filters
    are finer in comparison.

    Raises:
        UsageError, ModelError: as `build_backbone`.
    """
    side = round(recipe.enlarge * image_size)
    backbone = build_backbone(cast(BackboneName, recipe.tower), side, weights)
    image = ImageInput.of(image_size, side)
    maps = chosen_maps(backbone(image.pixels), recipe.feature_maps)
    masks = [image.mask_of_size(*each.shape[1:3]) for each in maps]
    return keras.Model(image.images, pooled(maps, masks), name=BACKBONE)


def chosen_maps(maps: Sequence[keras.KerasTensor], feature_maps: FeatureMaps) -> list[keras.KerasTensor]:
    """The maps that features come from. `half` of them are the deepest one, and every second one before it."""
    return list(maps if feature_maps == "all" else maps[::-2][::-1])


def pooled(maps: Sequence[keras.KerasTensor], masks: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """The features (N, F) of some maps with their masks."""
    statistics = [ChannelStatistics(dtype=STATISTICS)(each, mask) for each, mask in zip(maps, masks, strict=True)]
    return layers.Concatenate(dtype=STATISTICS)(statistics)


def compute_features(
    network: keras.Model,
    pixels: NDArray[np.uint8] | ShiftedViews,
    progress: Callable[[int, int], None],
    features: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Features float32 (N, F) of paintings uint8 (N, S, S, 3).

    Args:
        network: from `build_features`.
        pixels: paintings, which may lie in a memory map, or views of them; one batch at a time is read.
        progress: receives the number of paintings done, and N.
        features: the array to fill; None: a new one.
    """
    if features is None:
        features = np.empty((len(pixels), network.output_shape[1]), dtype=np.float32)
    progress(0, len(pixels))
    for start in range(0, len(pixels), FEATURE_BATCH):
        batch = np.ascontiguousarray(pixels[start : start + FEATURE_BATCH])
        # Each device of a distributed network gives the whole batch.
        features[start : start + len(batch)] = network.predict_on_batch(batch)[: len(batch)]
        release_pages(features)
        release_pages(pixels)
        progress(start + len(batch), len(pixels))
    return features
