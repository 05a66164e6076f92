from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.training.data.batches import (
    LabelledImages,
    artist_batches,
    images_per_step,
    pair_dataset,
    source_size,
    steps_per_epoch,
    work_dataset,
)
from artsim.training.recipes import RECIPES, recipe_of

COMPACT = replace(RECIPES["compact"], image_size=16)
CLASSIC = replace(RECIPES["classic"], image_size=16, batch_size=3)


@settings(max_examples=50)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=9), st.integers(2, 5), st.integers(2, 6), st.integers(0, 99))
def test_batches_are_p_artists_with_k_works(counts: list[int], p: int, k: int, seed: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    recipe = replace(COMPACT, batch_size=p * k, works_per_artist=k)
    used: set[int] = set()
    for batch in islice(artist_batches(labels, recipe, seed), 3 * len(labels)):
        artists = labels[batch].reshape(-1, k)
        assert (artists == artists[:, :1]).all()
        assert len(set(artists[:, 0])) == min(p, len(counts)) == len(artists)
        assert len(batch) == images_per_step(recipe, len(counts))
        used |= set(batch.tolist())
    assert used == set(range(len(labels)))  # no work is forgotten


def test_an_artist_with_enough_works_gives_different_ones() -> None:
    labels = np.repeat(np.arange(4), 8)
    for batch in islice(artist_batches(labels, replace(COMPACT, batch_size=8), 0), 2):
        assert len(set(batch.tolist())) == 8


def test_batches_repeat_with_their_seed() -> None:
    labels = np.repeat(np.arange(6), 5)
    first, again, other = (
        np.concatenate(list(islice(artist_batches(labels, COMPACT, seed), 5))).tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def picture_book(size: int, works: int = 12) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (works, size, size, 3), dtype=np.uint8)


def test_work_dataset_gives_uint8_views_with_their_labels() -> None:
    recipe = replace(COMPACT, batch_size=8, works_per_artist=2)
    pixels, labels = picture_book(source_size(recipe)), np.repeat(np.arange(4), 3)
    views, artists = next(iter(work_dataset(LabelledImages(pixels, labels), recipe, seed=0)))
    assert views.shape == (8, 16, 16, 3)
    assert views.dtype == tf.uint8
    assert sorted(artists.numpy().tolist()) == [0, 0, 1, 1, 2, 2, 3, 3]
    again, _ = next(iter(work_dataset(LabelledImages(pixels, labels), recipe, seed=0)))
    assert (views.numpy() == again.numpy()).all()


def test_without_augmentation_works_pass_as_they_are() -> None:
    recipe = replace(COMPACT, augment="none", batch_size=8, works_per_artist=2)
    assert source_size(recipe) == 16
    pixels, labels = picture_book(16), np.repeat(np.arange(4), 3)
    chosen = next(artist_batches(labels, recipe, 0))
    views, _ = next(iter(work_dataset(LabelledImages(pixels, labels), recipe, seed=0)))
    assert (views.numpy() == pixels[chosen]).all()


def test_pair_dataset_labels_pairs_right_and_balances_them() -> None:
    labels = np.repeat(np.arange(3), 4)
    # Each picture is its artist's number, so that a pair's label can be read off it.
    pixels = np.broadcast_to(labels[:, None, None, None].astype(np.uint8), (12, 16, 16, 3)).copy()
    seen = []
    for (first, second), same in islice(pair_dataset(LabelledImages(pixels, labels), CLASSIC, seed=0), 12):
        of_one = first.numpy()[:, 0, 0, 0] == second.numpy()[:, 0, 0, 0]
        assert (of_one == same.numpy()).all()
        seen += same.numpy().tolist()
    assert len(seen) == 36  # three artists have 18 same pairs, and as many different ones are drawn
    assert sum(seen) == 18


@pytest.mark.parametrize(
    ("recipe", "works", "pairs", "steps"), [(COMPACT, 480, 0, 10), (COMPACT, 481, 0, 11), (CLASSIC, 9, 36, 12)]
)
def test_an_epoch_takes_each_work_about_once(recipe: object, works: int, pairs: int, steps: int) -> None:
    assert steps_per_epoch(recipe, works, pairs) == steps  # type: ignore[arg-type]


def test_a_batch_of_one_artist_is_refused() -> None:
    from artsim.errors import UsageError

    with pytest.raises(UsageError, match=r"--batch-size 6.*Use 8 or more"):
        recipe_of("compact", {"batch_size": 6})
    assert recipe_of("classic", {"batch_size": 1, "epochs": None}).epochs == 3
