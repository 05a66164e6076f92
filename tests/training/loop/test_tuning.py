"""Tuning of a pretrained network; it has random weights and small images."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from artsim.errors import GateError, UsageError
from artsim.training.loop.crops import Crops, WorkCrops
from artsim.training.loop.tuning import tune_network
from artsim.training.networks.features import LabelledFeatures
from artsim.training.recipes import Recipe, recipe_of
from tests.command import eagerly
from tests.training.fits import RecordedFit
from tests.training.loop.tuning_makers import map_crops, seen_by, small


def tune(
    fitted: RecordedFit,
    recipe: Recipe,
    network: keras.Model,
    pixels: NDArray[np.uint8],
    seen: LabelledFeatures,
    crops: Crops | None = None,
) -> keras.Model:
    crops = crops or WorkCrops(recipe, list(pixels))
    return tune_network(recipe, network, crops, seen, fitted.stages(recipe, len(pixels)), fit=1, seed=0)


@eagerly
@pytest.mark.parametrize("of_maps", [False, True])
def test_tuning_separates_artists_and_leaves_the_given_network_unchanged(
    network: keras.Model, pixels: NDArray[np.uint8], fitted: RecordedFit, of_maps: bool
) -> None:
    before, seen = network.get_weights(), seen_by(network, pixels)
    recipe = small(tune_epochs=5, tune_rate=3e-3)
    crops = map_crops(recipe, network, pixels) if of_maps else None
    tuned = tune(fitted, recipe, network, pixels, seen, crops)
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
@pytest.mark.parametrize("of_maps", [False, True])
def test_tuning_changes_only_the_upper_half_and_no_batch_norm(
    network: keras.Model, pixels: NDArray[np.uint8], fitted: RecordedFit, of_maps: bool
) -> None:
    crops = map_crops(small(), network, pixels) if of_maps else None
    tuned = tune(fitted, small(), network, pixels, seen_by(network, pixels), crops)
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
@pytest.mark.parametrize("of_maps", [False, True])
def test_tuning_in_bfloat16_gives_similar_features_and_a_float32_network(
    network: keras.Model, pixels: NDArray[np.uint8], fitted: RecordedFit, of_maps: bool
) -> None:
    seen = seen_by(network, pixels)
    networks = []
    for mixed in ("off", "on"):
        recipe = small(tune_rate=1e-3, mixed_precision=mixed)
        crops = map_crops(recipe, network, pixels) if of_maps else None
        networks.append(tune(fitted, recipe, network, pixels, seen, crops))
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


def test_tuning_needs_a_pretrained_network_and_augmentation_needs_training() -> None:
    with pytest.raises(UsageError, match="trained from scratch"):
        recipe_of("compact", {"tune_epochs": 1})
    with pytest.raises(UsageError, match=r"computed once.*--tune-epochs"):
        recipe_of("readout", {"augment": "light"})
    assert recipe_of("readout", {"augment": "light", "tune_epochs": 1}).augment == "light"
