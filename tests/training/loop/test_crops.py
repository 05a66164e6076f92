"""Crops that a pretrained network is tuned on; it has random weights and small images."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from artsim.errors import OutputError
from artsim.shifted_views import photographers_of
from artsim.training.loop.crops import Crops, MapCrops, WorkCrops, crop_dataset, crop_side
from artsim.training.loop.journal import Journal
from artsim.training.loop.tuning import FeatureExtractor
from artsim.training.networks.features import LabelledFeatures, build_features
from artsim.training.networks.halves import split
from artsim.training.recipes import RECIPES, AugmentName, Recipe, TowerName
from tests.training.fits import RecordedFit
from tests.training.loop.tuning_makers import ARTISTS, SIZE, WORKS, map_crops, seen_by, small


def test_crops_of_maps_are_the_maps_of_crops_away_from_the_borders() -> None:
    """The corner of a crop lies between places of the smallest map, so the crop of the picture has the same places."""
    size = 160
    recipe = small(image_size=size)
    network = build_features(recipe, size, "none")
    pixels = np.random.default_rng(0).integers(1, 256, (2, size, size, 3)).astype(np.uint8)
    crops = map_crops(recipe, network, pixels[:1], pixels[1:])
    (_, joint, mask, deepest), _ = next(iter(crops.batches(np.array([0]), seed=0)))
    assert [array.shape[1] for array in (joint, mask, deepest)] == [6, 6, 3]
    on_crops = crops.network(network)
    assert on_crops.input_shape[1:3] == (96, 96)
    halves = split(on_crops, recipe)
    assert halves is not None
    of_pictures = [
        halves.lower.predict_on_batch(picture[None, y : y + 96, x : x + 96])[1]
        for picture in pixels
        for y in (0, 32, 64)
        for x in (0, 32, 64)
    ]
    middles = np.concatenate(of_pictures)[:, 3, 3]
    for middle in joint.numpy()[:, 3, 3]:
        nearest = np.abs(middles - middle).max(axis=1).min()
        assert nearest < 0.2 * np.abs(middles[:, None] - middles[None]).max(axis=2).mean()


def test_a_network_sees_whole_maps_as_it_sees_the_works(network: keras.Model, pixels: NDArray[np.uint8]) -> None:
    """At 64 px there is room for one crop, which is the whole."""
    features = keras.Input((network.output_shape[1],))
    readout = keras.Model(features, keras.layers.UnitNormalization()(features))
    crops = map_crops(small(), network, pixels, pixels // 2)
    on_crops = crops.network(network)
    batch, labels = next(iter(crops.batches(np.arange(len(pixels)), seed=0)))
    found = crops.embedder(on_crops, readout).predict_on_batch(list(batch))
    expected = [readout.predict_on_batch(seen_by(network, each).features[:]) for each in (pixels, pixels // 2)]
    apart = np.stack([np.abs(found - each[labels]).max(axis=1) for each in expected])
    assert apart.min(axis=0).max() < 1e-4
    assert set(apart.argmin(axis=0)) == {0, 1}  # works and views


@pytest.mark.parametrize(
    ("size", "enlarge", "side"), [(96, 1.0, 64), (64, 1.5, 64), (70, 1.0, 64), (100, 1.0, 64), (224, 1.0, 160)]
)
def test_crops_of_maps_suit_the_network_at_any_size(size: int, enlarge: float, side: int) -> None:
    recipe = small(image_size=size, enlarge=enlarge)
    network = build_features(recipe, size, "none")
    crops = map_crops(recipe, network, np.zeros((2, size, size, 3), np.uint8))
    on_crops = crops.network(network)
    assert on_crops.input_shape[1:3] == (side, side)
    inputs, _ = next(iter(crops.batches(np.array([0, 0]), seed=0)))
    features = keras.Input((network.output_shape[1],))
    assert np.isfinite(crops.embedder(on_crops, keras.Model(features, features)).predict_on_batch(list(inputs))).all()


def test_batches_of_maps_go_on_at_any_step(network: keras.Model, pixels: NDArray[np.uint8]) -> None:
    crops, labels = map_crops(small(), network, pixels), np.repeat(np.arange(ARTISTS), WORKS)

    def batches(seed: int, first: int) -> list[list[NDArray[np.float32]]]:
        from_start = crops.batches(labels, seed, first).take(3 - first).as_numpy_iterator()
        return [[*inputs, of_artists] for inputs, of_artists in from_start]

    whole = batches(0, 0)
    for step, resumed in enumerate(batches(0, 1), start=1):
        for one, other in zip(whole[step], resumed, strict=True):
            np.testing.assert_array_equal(one, other)
    assert not np.array_equal(whole[0][1], batches(1, 0)[0][1])


@pytest.mark.parametrize("of_maps", [False, True])
def test_excluded_works_are_not_tuned_on(
    network: keras.Model, pixels: NDArray[np.uint8], fitted: RecordedFit, monkeypatch: pytest.MonkeyPatch, of_maps: bool
) -> None:
    labels = np.repeat(np.arange(ARTISTS), WORKS)
    allowed = np.flatnonzero(labels != 1)
    # At 64 px a crop is the whole work. The features of the lower half tell works and views apart, too.
    works = seen_by(network, pixels).features[:] if of_maps else pixels.reshape(len(pixels), -1).astype(np.float32)
    drawn: set[int] = set()

    def spy(_: Recipe, same: keras.Model, crops: Crops, seen: LabelledFeatures, *__: object) -> keras.Model:
        assert set(seen.labels) == {0, 1}
        for inputs, _labels in crops.batches(seen.labels, seed=0).take(8).as_numpy_iterator():
            given = inputs[0] if of_maps else inputs.reshape(len(inputs), -1).astype(np.float32)
            apart = np.abs(given[:, None] - works[None, :, : given.shape[1]]).max(axis=2)
            assert of_maps or (apart.min(axis=1) == 0).all()
            drawn.update(apart.argmin(axis=1)[apart.min(axis=1) < 1e-4].tolist())
        return same

    if not of_maps:
        monkeypatch.setattr("artsim.training.networks.halves.MOST_KEPT_BYTES", 0)
    monkeypatch.setattr("artsim.training.loop.tuning.tune_network", spy)
    photographers = photographers_of(labels)
    stages = fitted.stages(small(), len(labels))
    extractor = FeatureExtractor(small(), network, [pixels[:5], pixels[5:]], labels, photographers, stages, seed=0)
    _, seen = extractor.tuned_on(allowed, fit=1)
    assert drawn == set(allowed.tolist())
    np.testing.assert_array_equal(seen.labels, labels)
    np.testing.assert_allclose(seen.features[:], seen_by(network, pixels).features[:], atol=1e-5)


def test_a_run_is_resumed_with_the_crops_that_it_began_with(
    network: keras.Model, pixels: NDArray[np.uint8], fitted: RecordedFit, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[type[Crops]] = []

    def tune_again(folder: str, *, room: bool) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("artsim.training.networks.halves.MOST_KEPT_BYTES", 1 << 33 if room else 0)
            labels = np.repeat(np.arange(ARTISTS), WORKS)
            stages = replace(fitted.stages(small(), len(labels)), journal=Journal(fitted.folder / folder, print))
            extractor = FeatureExtractor(small(), network, [pixels], labels, photographers_of(labels), stages, seed=0)
            extractor.tuned_on(np.arange(len(labels)), fit=1)
            (fitted.folder / folder / "tuned-1.npz").unlink()  # as if it was killed before

    def spy(_: Recipe, same: keras.Model, crops: Crops, *__: object) -> keras.Model:
        used.append(type(crops))
        return same

    monkeypatch.setattr("artsim.training.loop.tuning.tune_network", spy)
    tune_again("without", room=False)
    assert any("no room for the maps" in line for line in fitted.said)
    tune_again("without", room=True)
    assert used == [WorkCrops, WorkCrops]
    tune_again("with", room=True)
    with pytest.raises(OutputError, match="TMPDIR; then resume the run"):
        tune_again("with", room=False)
    assert used[2:] == [MapCrops]


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
