"""Tuning of a pretrained network; it has random weights and small images."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from artsim.demo import paint
from artsim.errors import GateError, UsageError
from artsim.shifted_views import photographers_of
from artsim.training.loop.tuning import FeatureExtractor, crop_dataset, crop_side, tune_network
from artsim.training.networks.features import LabelledFeatures, build_features, compute_features
from artsim.training.recipes import RECIPES, AugmentName, Recipe, TowerName, recipe_of
from tests.command import eagerly
from tests.training.fits import RecordedFit

SIZE = 64
ARTISTS, WORKS = 3, 4


@pytest.fixture(scope="module")
def pixels() -> NDArray[np.uint8]:
    paintings = [paint(artist, work) for artist in range(ARTISTS) for work in range(WORKS)]
    return np.stack([np.asarray(painting.resize((SIZE, SIZE))) for painting in paintings])


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """With weights of such a size that what it sees does not fade from depth to depth, as in a trained one."""
    network = build_features(small(), SIZE, "none")
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        if variable.path.endswith("kernel"):
            height, width, channels, _ = variable.shape
            inputs = height * width * (1 if "conv_dw" in variable.path else channels)
            variable.assign(rng.normal(0, np.sqrt(2 / inputs), variable.shape))
    return network


@pytest.fixture
def fitted(tmp_path: Path) -> RecordedFit:
    return RecordedFit(tmp_path)


def tune(
    fitted: RecordedFit,
    recipe: Recipe,
    network: keras.Model,
    pixels: NDArray[np.uint8],
    seen: LabelledFeatures,
) -> keras.Model:
    return tune_network(recipe, network, list(pixels), seen, fitted.stages(recipe, len(pixels)), fit=1, seed=0)


def small(**changes: object) -> Recipe:
    settings = {"tower": "mobilenet", "weights": "none", "image_size": SIZE, "enlarge": 1.0, "tune_epochs": 2}
    return replace(RECIPES["transfer"], **{**settings, **changes})  # type: ignore[arg-type]


def seen_by(network: keras.Model, pixels: NDArray[np.uint8]) -> LabelledFeatures:
    return LabelledFeatures.without_views(
        compute_features(network, pixels, lambda *_: None), np.repeat(np.arange(ARTISTS), WORKS)
    )


@eagerly
def test_tuning_separates_artists_and_leaves_the_given_network_unchanged(
    network: keras.Model, pixels: NDArray[np.uint8], fitted: RecordedFit
) -> None:
    before, seen = network.get_weights(), seen_by(network, pixels)
    tuned = tune(fitted, small(tune_epochs=5, tune_rate=3e-3), network, pixels, seen)
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert tuned.input_shape == network.input_shape
    assert separation(seen_by(tuned, pixels)) > separation(seen) + 0.03


def separation(seen: LabelledFeatures) -> float:
    """How much more alike works of one artist are than works of two, by standardised features."""
    features = seen.features[:]
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-3)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    likeness, same = features @ features.T, seen.labels[:, None] == seen.labels
    return float(likeness[same & ~np.eye(len(same), dtype=bool)].mean() - likeness[~same].mean())


@eagerly
def test_tuning_changes_only_the_upper_half_and_no_batch_norm(
    network: keras.Model, pixels: NDArray[np.uint8], fitted: RecordedFit
) -> None:
    tuned = tune(fitted, small(), network, pixels, seen_by(network, pixels))
    pairs = zip(network.weights, tuned.weights, strict=True)
    changed = {one.path for one, other in pairs if not np.array_equal(one.numpy(), other.numpy())}
    assert all(path.endswith("kernel") for path in changed)
    blocks = {int(re.search(r"conv_[dp]w_(\d+)", path)[1]) for path in changed}  # type: ignore[index]
    assert blocks == set(range(7, 13))


@pytest.mark.slow
def test_the_same_seed_gives_nearly_the_same_tuned_network(
    network: keras.Model, pixels: NDArray[np.uint8], fitted: RecordedFit
) -> None:
    seen = seen_by(network, pixels)
    one, two = (
        seen_by(tune(fitted, small(tune_rate=1e-3), network, pixels, seen), pixels).features[:] for _ in range(2)
    )
    assert np.abs(one - two).mean() < 0.1 * np.abs(one - seen.features[:]).mean()


@pytest.mark.slow
def test_tuning_in_bfloat16_gives_similar_features_and_a_float32_network(
    network: keras.Model, pixels: NDArray[np.uint8], fitted: RecordedFit
) -> None:
    seen = seen_by(network, pixels)
    networks = [
        tune(fitted, small(tune_rate=1e-3, mixed_precision=mixed), network, pixels, seen) for mixed in ("off", "on")
    ]
    assert networks[1].compute_dtype == keras.config.dtype_policy().compute_dtype == "float32"
    one, two = (seen_by(tuned, pixels).features[:] for tuned in networks)
    difference = np.abs(one - two).mean()
    assert 0 < difference < 0.5 * np.abs(one - seen.features[:]).mean()


@eagerly
def test_a_loss_that_is_not_finite_stops_the_tuning_and_names_the_flag(
    network: keras.Model, pixels: NDArray[np.uint8], fitted: RecordedFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> keras.Model:
        features = keras.Input((network.output_shape[1],))
        return keras.Model(features, features[:, :4] * np.nan, name="readout")

    monkeypatch.setattr("artsim.training.loop.tuning.build_readout", broken)
    with pytest.raises(GateError, match="Lower --tune-rate"):
        tune(fitted, small(), network, pixels, seen_by(network, pixels))


def test_excluded_works_are_not_tuned_on(
    network: keras.Model, pixels: NDArray[np.uint8], fitted: RecordedFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[NDArray[np.uint8]] = []

    def spy(
        _: Recipe, same: keras.Model, paintings: list[NDArray[np.uint8]], seen: LabelledFeatures, *__: object
    ) -> keras.Model:
        given.extend(paintings)
        assert set(seen.labels) == {0, 1}
        return same

    monkeypatch.setattr("artsim.training.loop.tuning.tune_network", spy)
    labels = np.repeat(np.arange(ARTISTS), WORKS)
    photographers = photographers_of(labels)
    stages = fitted.stages(small(), len(labels))
    extractor = FeatureExtractor(small(), network, [pixels[:5], pixels[5:]], labels, photographers, stages, seed=0)
    _, seen = extractor.tuned_on(np.flatnonzero(labels != 1), fit=1)
    np.testing.assert_array_equal(np.stack(given), pixels[labels != 1])
    np.testing.assert_array_equal(seen.labels, labels)
    np.testing.assert_allclose(seen.features[:], seen_by(network, pixels).features[:], atol=1e-5)


@pytest.mark.parametrize(
    ("tower", "size", "side"),
    [("mobilenet", 384, 256), ("mobilenet", 64, 64), ("dinov2-small", 224, 154), ("convnext-tiny", 224, 160)],
)
def test_crops_suit_the_network(tower: TowerName, size: int, side: int) -> None:
    assert crop_side(replace(RECIPES["transfer"], tower=tower, image_size=size)) == side


@pytest.mark.parametrize(("augment", "whole"), [("none", True), ("light", False), ("photograph", False)])
def test_crops_keep_their_colours_unless_the_recipe_augments(augment: AugmentName, whole: bool) -> None:
    """Of works of one colour each, whatever the crop: plain ones keep it, views are in another light."""
    paintings = [np.full((96, 96, 3), 40 + 15 * work, np.uint8) for work in range(ARTISTS * WORKS)]
    labels = np.repeat(np.arange(ARTISTS), WORKS)
    recipe = small(image_size=SIZE, augment=augment, batch_size=8, works_per_artist=WORKS)
    crops, artists = next(iter(crop_dataset(paintings, labels, recipe, seed=0)))
    assert crops.shape == (8, SIZE, SIZE, 3)
    colours = [int(crop[SIZE // 2, SIZE // 2, 0]) for crop in crops.numpy()]
    of_artist = [40 + 15 * np.flatnonzero(labels == artist) for artist in artists.numpy()]
    assert all(colour in own for colour, own in zip(colours, of_artist, strict=True)) == whole


def test_views_of_one_step_are_the_same_for_the_same_seed(pixels: NDArray[np.uint8]) -> None:
    labels = np.repeat(np.arange(ARTISTS), WORKS)
    recipe = small(image_size=48, augment="light", batch_size=8, works_per_artist=WORKS)
    one, same, other = (next(iter(crop_dataset(list(pixels), labels, recipe, seed)))[0].numpy() for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_tuning_needs_a_pretrained_network_and_augmentation_needs_training() -> None:
    with pytest.raises(UsageError, match="trained from scratch"):
        recipe_of("compact", {"tune_epochs": 1})
    with pytest.raises(UsageError, match=r"computed once.*--tune-epochs"):
        recipe_of("readout", {"augment": "light"})
    assert recipe_of("readout", {"augment": "light", "tune_epochs": 1}).augment == "light"
