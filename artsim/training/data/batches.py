"""Batches for training: uint8 paintings (B, S, S, 3) with int64 labels (B,), or pairs of paintings with 0 or 1.

Batches depend on the seed and on the number of their step alone. So a training that is resumed at a step sees what it
would have seen without the interruption.

Works are decoded at `source_size`. Augmentation takes views of S px from them, so that a brush stroke keeps its size.
Without augmentation, and for pretrained networks, `source_size` is S: their features are of whole works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from artsim.collection.pairs import Pairs, epochs_of_pairs
from artsim.large_arrays import release_pages
from artsim.training.data.augmentation import LEVELS, augment
from artsim.training.recipes import Recipe

LabelledBatch = tuple[NDArray[np.uint8], NDArray[np.int64]]

SOURCE_MARGIN = 1.25  # side of the images that crops are taken from, in sides of the tower's input; a setting


@dataclass(frozen=True)
class LabelledImages:
    """Decoded paintings uint8 (N, S, S, 3) with labels int64 (N,), one number an artist.

    Training artists are numbered from 0. Unseen artists have the numbers that follow.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]


def source_size(recipe: Recipe) -> int:
    """The side in px at which a recipe's training works are decoded."""
    takes_views = recipe.augment != "none" and not recipe.is_pretrained
    return round(recipe.image_size * SOURCE_MARGIN) if takes_views else recipe.image_size


def steps_per_epoch(recipe: Recipe, works: int, pairs: int) -> int:
    """The number of steps in which every work, or every pair, comes about once."""
    return max(1, -(-(pairs if recipe.loss == "contrastive" else works) // recipe.batch_size))


def images_per_step(recipe: Recipe, artists: int) -> int:
    """The number of paintings that pass through the tower in a step."""
    if recipe.loss == "contrastive":
        return 2 * recipe.batch_size
    return min(recipe.batch_size // recipe.works_per_artist, artists) * recipe.works_per_artist


def artist_batches(labels: NDArray[np.int64], recipe: Recipe, seed: int) -> Iterator[NDArray[np.int64]]:
    """Endless batches (B,) of work indices: P artists in turn, and K works of each in turn, both shuffled.

    An artist with fewer than K works gives some of them twice. With fewer than P artists the batch is smaller.
    """
    rng = np.random.default_rng(seed)
    works = [_endless(np.flatnonzero(labels == label), rng) for label in np.unique(labels)]
    artists = _endless(np.arange(len(works)), rng)
    count = images_per_step(recipe, len(works)) // recipe.works_per_artist
    while True:
        chosen: list[int] = []
        while len(chosen) < count:
            artist = next(artists)
            if artist not in chosen:
                chosen.append(artist)
        yield np.array([next(works[artist]) for artist in chosen for _ in range(recipe.works_per_artist)])


def _endless(values: NDArray[np.int64], rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(values).tolist()


def work_dataset(works: LabelledImages, recipe: Recipe, seed: int, first_step: int = 0) -> tf.data.Dataset:
    """Endless batches of P artists x K works from a step on: views uint8 (B, S, S, 3) and labels (B,)."""

    def batches() -> Iterator[LabelledBatch]:
        for chosen in islice(artist_batches(works.labels, recipe, seed), first_step, None):
            yield works.pixels[chosen], works.labels[chosen]
            release_pages(works.pixels)

    return view_dataset(batches, works.pixels.shape[1], recipe, seed, first_step)


def view_dataset(
    batches: Callable[[], Iterator[LabelledBatch]], side: int, recipe: Recipe, seed: int, first_step: int = 0
) -> tf.data.Dataset:
    """Batches of (views uint8 (B, S, S, 3), labels (B,)) of batches of (uint8 (B, side, side, 3), labels (B,)).

    The first batch is that of `first_step`.
    """

    def numbered() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64], int]]:
        for step, (paintings, labels) in enumerate(batches(), start=first_step):
            yield paintings, labels, step

    source = tf.data.Dataset.from_generator(numbered, output_signature=(_paintings(side), _labels(), _step()))
    return _finish(
        source.map(lambda x, y, step: (_view(x, recipe, seed, step), y), num_parallel_calls=tf.data.AUTOTUNE)
    )


def feature_dataset(
    features: NDArray[np.float32], labels: NDArray[np.int64], recipe: Recipe, seed: int, first_step: int = 0
) -> tf.data.Dataset:
    """Endless batches of P artists x K works from a step on: features (B, F) and labels (B,), from (N, F) and (N,)."""

    def batches() -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        for chosen in islice(artist_batches(labels, recipe, seed), first_step, None):
            yield features[chosen], labels[chosen]

    signature = (tf.TensorSpec((None, features.shape[1]), tf.float32), _labels())
    return _finish(tf.data.Dataset.from_generator(batches, output_signature=signature))


def pair_dataset(works: LabelledImages, recipe: Recipe, seed: int, first_step: int = 0) -> tf.data.Dataset:
    """Endless batches of ((first, second), same artist) from a step on: balanced pairs, drawn again for each epoch."""

    def pairs() -> Iterator[Pairs]:
        for first, second, same in epochs_of_pairs(works.labels, seed):
            for start in range(0, len(same), recipe.batch_size):
                rows = slice(start, start + recipe.batch_size)
                yield first[rows], second[rows], same[rows]

    def batches() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64], int]]:
        for step, (first, second, same) in enumerate(islice(pairs(), first_step, None), start=first_step):
            yield works.pixels[first], works.pixels[second], same.astype(np.int64), step
            release_pages(works.pixels)

    side = works.pixels.shape[1]
    signature = (_paintings(side), _paintings(side), _labels(), _step())
    source = tf.data.Dataset.from_generator(batches, output_signature=signature)

    def views(
        first: tf.Tensor, second: tf.Tensor, same: tf.Tensor, step: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], tf.Tensor]:
        return (_view(first, recipe, seed, 2 * step), _view(second, recipe, seed, 2 * step + 1)), same

    return _finish(source.map(views, num_parallel_calls=tf.data.AUTOTUNE))


def _paintings(side: int) -> tf.TensorSpec:
    return tf.TensorSpec((None, side, side, 3), tf.uint8)


def _labels() -> tf.TensorSpec:
    return tf.TensorSpec((None,), tf.int64)


def _step() -> tf.TensorSpec:
    return tf.TensorSpec((), tf.int64)


def _finish(dataset: tf.data.Dataset) -> tf.data.Dataset:
    return dataset.prefetch(tf.data.AUTOTUNE)


def _view(paintings: tf.Tensor, recipe: Recipe, seed: int, step: tf.Tensor) -> tf.Tensor:
    """Views of paintings for one step: uint8 (B, S', S', 3) -> uint8 (B, S, S, 3)."""
    if recipe.augment == "none":
        return paintings
    strength = LEVELS[recipe.augment]
    return augment(paintings, recipe.image_size, strength, tf.stack([tf.constant(seed, tf.int64), step]))
