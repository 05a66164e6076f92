"""What a pretrained network is tuned on: crops of the works, or crops of the maps that its lower half gives for them.

The lower half runs once on each work and on its shifted view, and its maps are kept. Tuning trains the upper half on
crops of these maps, which takes less time. The features of the lower half are not cropped: they are of the whole work.

Where a recipe augments, where a network has no halves, or where there is no room for the maps, the whole network is
trained on crops of the works.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol, cast

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from artsim.large_arrays import release_pages
from artsim.training.data.batches import SOURCE_MARGIN, LabelledBatch, artist_batches, view_dataset
from artsim.training.networks.backbones import PATCH, RANDOM, SMALLEST
from artsim.training.networks.features import build_features
from artsim.training.networks.halves import Halves, LowerOutputs, split
from artsim.training.networks.heads import with_head
from artsim.training.recipes import Recipe

TUNING_BATCH, TUNING_WORKS_PER_ARTIST = 48, 4  # settings
# Side of a crop, in sides of the work; a setting. A step takes less than half the time of one on whole works.
CROP_SHARE = 2 / 3
CROP_MULTIPLE = 32  # px: crops have a multiple of it as side, because networks halve the side five times
SHIFTED_SHARE = 0.5  # of a batch is drawn from shifted views, the rest from works; a setting


class Crops(Protocol):
    """What a network is tuned on."""

    def network(self, network: keras.Model) -> keras.Model:
        """A copy of the network, for images of the size that the crops have. Training changes its weights."""

    def embedder(self, network: keras.Model, readout: keras.Model) -> keras.Model:
        """The model from a batch to embeddings: the copy, or of it the upper half, then the readout of the features."""

    def batches(self, labels: NDArray[np.int64], seed: int, first_step: int = 0) -> tf.data.Dataset:
        """Endless batches of P artists x K works from a step on, with labels (B,); `labels` (N,) are of all works."""


def tuning_settings(recipe: Recipe) -> Recipe:
    """The settings of a recipe's tuning, in the form of a recipe of its own."""
    return replace(
        recipe,
        image_size=crop_side(recipe),
        loss="supcon",
        optimizer="adamw",
        batch_size=TUNING_BATCH,
        works_per_artist=TUNING_WORKS_PER_ARTIST,
        epochs=recipe.tune_epochs,
        learning_rate=recipe.tune_rate,
        weight_decay=0.0,
    )


def crop_side(recipe: Recipe) -> int:
    """The side in px of the crops of works that a recipe's network is tuned on."""
    multiple, least = (PATCH, PATCH) if recipe.tower == "dinov2-small" else (CROP_MULTIPLE, SMALLEST)
    return min(recipe.image_size, max(least, round(CROP_SHARE * recipe.image_size / multiple) * multiple))


def copied(network: keras.Model, recipe: Recipe, side: int) -> keras.Model:
    """The same network for images (N, side, side, 3)."""
    copy = build_features(recipe, side, RANDOM)
    copy.set_weights(network.get_weights())
    return copy


class WorkCrops:
    """Crops of N works uint8 (S, S, 3), which may lie in a memory map."""

    def __init__(self, recipe: Recipe, paintings: Sequence[NDArray[np.uint8]]) -> None:
        """`recipe` says how large crops are, and whether they are augmented."""
        self._recipe = recipe
        self._paintings = paintings

    def network(self, network: keras.Model) -> keras.Model:
        """See `Crops`."""
        return copied(network, self._recipe, crop_side(self._recipe))

    def embedder(self, network: keras.Model, readout: keras.Model) -> keras.Model:
        """See `Crops`. A batch is uint8 (B, side, side, 3)."""
        return with_head(network, readout, self._recipe.tower)

    def batches(self, labels: NDArray[np.int64], seed: int, first_step: int = 0) -> tf.data.Dataset:
        """See `Crops`."""
        return crop_dataset(self._paintings, labels, tuning_settings(self._recipe), seed, first_step)


def crop_dataset(
    paintings: Sequence[NDArray[np.uint8]], labels: NDArray[np.int64], recipe: Recipe, seed: int, first_step: int = 0
) -> tf.data.Dataset:
    """Endless batches of P artists x K works from a step on: crops uint8 (B, S, S, 3) and labels (B,).

    S is the recipe's image size. If the recipe augments, its views come from crops somewhat larger than S, or from
    whole works if these are smaller.
    """
    whole = paintings[0].shape[0]
    side = recipe.image_size if recipe.augment == "none" else min(whole, round(SOURCE_MARGIN * recipe.image_size))

    def batches() -> Iterator[LabelledBatch]:
        rng = np.random.default_rng(seed)
        for step, chosen in enumerate(artist_batches(labels, recipe, seed)):
            corners = rng.integers(0, whole - side + 1, (len(chosen), 2))
            if step < first_step:
                continue
            crops = [paintings[work][y : y + side, x : x + side] for work, (y, x) in zip(chosen, corners, strict=True)]
            yield np.stack(crops), labels[chosen]
            for painting in (paintings[0], paintings[-1]):  # they may lie in two files
                release_pages(painting)

    return view_dataset(batches, side, recipe, seed, first_step)


class MapCrops:
    """Crops of what a network's lower half gives for N works, or for their shifted views."""

    def __init__(self, recipe: Recipe, outputs: Sequence[LowerOutputs], rows: NDArray[np.int64]) -> None:
        """`outputs` are those of works, and of their views. The N works are in these rows (N,) of both."""
        self._recipe = recipe
        self._outputs = outputs
        self._rows = rows
        sides = [shape[0] for shape in outputs[0].shapes[1:]]
        seen = round(recipe.enlarge * recipe.image_size)  # px: the side that the network sees
        # Strides are powers of 2. A map has one place more where its side does not divide the side of the image.
        strides = [1 << round(np.log2(seen / side)) for side in sides]  # px
        largest = max(strides)
        # A crop begins and ends between two places of the smallest map.
        self._units = [largest // stride for stride in strides]
        self._places = min(side // unit for side, unit in zip(sides, self._units, strict=True))
        self._crop_places = min(self._places, max(SMALLEST // largest, round(CROP_SHARE * self._places)))
        self._crop_px = self._crop_places * largest

    def network(self, network: keras.Model) -> keras.Model:
        """See `Crops`. It does not enlarge its input."""
        return copied(network, self._unenlarged, self._crop_px)

    @property
    def _unenlarged(self) -> Recipe:
        return replace(self._recipe, enlarge=1.0)

    def embedder(self, network: keras.Model, readout: keras.Model) -> keras.Model:
        """See `Crops`. A batch has what the lower half gives, its maps cropped: see `Halves`."""
        halves = cast(Halves, split(network, self._unenlarged))  # the size of the images does not matter
        lower_features = keras.Input(self._outputs[0].shapes[0])
        features = layers.Concatenate()([lower_features, halves.upper(halves.upper.inputs)])
        return keras.Model([lower_features, *halves.upper.inputs], readout(features))

    def batches(self, labels: NDArray[np.int64], seed: int, first_step: int = 0) -> tf.data.Dataset:
        """See `Crops`."""

        def batches() -> Iterator[tuple[tuple[NDArray[np.float32], ...], NDArray[np.int64]]]:
            rng = np.random.default_rng(seed)
            for step, chosen in enumerate(artist_batches(labels, tuning_settings(self._recipe), seed)):
                is_shifted = rng.random(len(chosen)) < SHIFTED_SHARE
                corners = rng.integers(0, self._places - self._crop_places + 1, (len(chosen), 2))
                if step >= first_step:
                    crops = map(self._cropped, self._rows[chosen], is_shifted, corners)
                    yield tuple(np.stack(arrays) for arrays in zip(*crops, strict=True)), labels[chosen]
                    for outputs in self._outputs:
                        outputs.release()

        shapes = [array.shape for array in self._cropped(self._rows[0], False, np.zeros(2, np.int64))]
        signature = tuple(tf.TensorSpec((None, *shape), tf.float32) for shape in shapes)
        labelled = (signature, tf.TensorSpec((None,), tf.int64))
        return tf.data.Dataset.from_generator(batches, output_signature=labelled).prefetch(tf.data.AUTOTUNE)

    def _cropped(self, row: int, is_shifted: bool, corner: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """What the lower half gives for a work or its view; maps are cropped at (y, x), in places of the smallest."""
        features, *maps = self._outputs[int(is_shifted)].of(row)
        cropped = [features]
        for each, unit in zip(maps, self._units, strict=True):
            (y, x), side = unit * corner, unit * self._crop_places
            cropped.append(each[y : y + side, x : x + side])
        return cropped
