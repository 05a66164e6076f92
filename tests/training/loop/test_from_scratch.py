"""A tower trained from scratch with a readout beside its head; few works and small images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artsim.demo import paint
from artsim.errors import UsageError
from artsim.training.data.batches import LabelledImages
from artsim.training.devices import computes_in_bfloat16, for_this_device, mixed_precision
from artsim.training.loop.evaluator import embed
from artsim.training.loop.fit import fit
from artsim.training.loop.from_scratch import READOUT_WORKS, READOUT_WORKS_PER_ARTIST, TowerWithReadout, works_to_fit_on
from artsim.training.networks.checkpoints import BEST, LAST
from artsim.training.networks.features import LabelledFeatures
from artsim.training.networks.heads import blank_readout, build_readout, refit_readout, trained_part
from artsim.training.networks.readout import fit_projection
from artsim.training.networks.towers import build_tower
from artsim.training.recipes import RECIPES, MixedPrecision, TowerName, recipe_of
from tests.command import eagerly
from tests.training.fits import RecordedFit

SIZE = 32
ARTISTS, WORKS = 4, 6
SMALL = replace(RECIPES["compact"], image_size=SIZE, embedding_size=16, batch_size=16, epochs=2, augment="none")


@pytest.fixture(scope="module")
def works() -> LabelledImages:
    paintings = [paint(artist, work) for artist in range(ARTISTS) for work in range(WORKS)]
    pixels = np.stack([np.asarray(painting.resize((SIZE, SIZE))) for painting in paintings])
    return LabelledImages(pixels, np.repeat(np.arange(ARTISTS), WORKS))


@eagerly
@pytest.mark.parametrize("mixed", [pytest.param("off", marks=pytest.mark.slow), "on"])
def test_the_saved_tower_is_the_evaluated_one_with_a_readout_of_its_features(
    tmp_path: Path, works: LabelledImages, mixed: MixedPrecision
) -> None:
    fitted = RecordedFit(tmp_path, [0.6, 0.7])
    monitor = fit(replace(SMALL, mixed_precision=mixed), None, works, works, fitted.hooks, seed=0)
    assert monitor.best_epoch == len(fitted.evaluated) == 2
    assert all(np.isfinite(metrics["val_seen/loss"]) for metrics in fitted.reported)
    for name in (BEST, LAST):
        tower = fitted.tower(name)
        assert {layer.compute_dtype for layer in tower.get_layer("network").layers} == {"float32"}
        embeddings = embed(tower, works.pixels)
        np.testing.assert_allclose(embeddings, fitted.evaluated[-1], atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-4)
        features = embed(tower.get_layer("network"), works.pixels)
        readout = blank_readout(features.shape[1], 8)
        refit_readout(readout, LabelledFeatures.without_views(features, works.labels), SMALL)
        expected = np.sqrt(SMALL.readout_share) * embed(readout, features)
        # The directions of the readout may differ in sign: what counts is how far works are apart.
        found = embeddings[:, :8]
        np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-3)


@pytest.mark.parametrize("name", ["classic", "compact"])
def test_embeddings_are_float32_in_mixed_precision(name: TowerName) -> None:
    with mixed_precision(True):
        tower = build_tower(name, 64, 8)
    assert tower.compute_dtype == "bfloat16"
    assert tower.output.dtype == "float32"
    assert keras.config.dtype_policy().compute_dtype == "float32"


def test_only_a_recipe_that_trains_a_network_uses_bfloat16() -> None:
    frozen = replace(RECIPES["transfer"], tune_epochs=0, mixed_precision="on")
    assert frozen.trained_in == "float32"
    assert replace(frozen, tune_epochs=1).trained_in == replace(SMALL, mixed_precision="on").trained_in == "bfloat16"
    assert for_this_device(SMALL).mixed_precision == ("on" if computes_in_bfloat16() else "off")
    assert for_this_device(replace(SMALL, mixed_precision="off")).mixed_precision == "off"


def test_the_loss_gets_the_part_of_the_trained_head(works: LabelledImages) -> None:
    trained = build_tower("compact", SIZE, 8)
    beside = TowerWithReadout(trained, SMALL, 8, works, seed=0)
    beside.refit()
    part = trained_part(embed(beside.tower, works.pixels), 8)
    np.testing.assert_allclose(part, embed(trained, works.pixels), atol=1e-5)


def test_the_tower_with_a_readout_shares_the_trained_weights(works: LabelledImages) -> None:
    trained = build_tower("compact", SIZE, 8)
    beside = TowerWithReadout(trained, SMALL, 8, works, seed=0)
    before = embed(beside.tower, works.pixels)
    trained.trainable_variables[0].assign_add(keras.ops.ones_like(trained.trainable_variables[0]))
    assert np.abs(embed(beside.tower, works.pixels) - before).max() > 1e-3


def test_a_refitted_readout_equals_a_new_one_and_is_zero_beyond_its_rank() -> None:
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(12, 20)).astype(np.float32), np.repeat(np.arange(4), 3)
    projection = fit_projection(features, labels, 512)
    width = projection.kernel.shape[1]  # 12 works span no more axes
    readout = blank_readout(20, 16)
    refit_readout(readout, LabelledFeatures.without_views(rng.normal(size=(12, 20)).astype(np.float32), labels), SMALL)
    works = LabelledFeatures.without_views(features, labels)
    refit_readout(readout, works, SMALL)
    found = embed(readout, features)
    expected = embed(build_readout(projection, works, width, SMALL), features)
    np.testing.assert_allclose(found[:, :width], expected, atol=1e-6)
    assert width < 16
    assert not found[:, width:].any()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=40), st.integers(0, 3))
def test_a_readout_is_fitted_on_equally_many_works_of_each_artist(counts: list[int], seed: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    rows = works_to_fit_on(labels, seed)
    assert len(np.unique(rows)) == len(rows)
    assert np.bincount(labels[rows]).tolist() == [min(count, READOUT_WORKS_PER_ARTIST) for count in counts]


def test_a_readout_of_many_artists_is_fitted_on_limited_works() -> None:
    labels = np.repeat(np.arange(500), 20)
    assert READOUT_WORKS / 2 < len(works_to_fit_on(labels, seed=0)) <= READOUT_WORKS


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("classic", {"readout_share": 0.5}, "pools no features"),
        ("compact", {"readout_share": 1.0}, "Use less"),
    ],
)
def test_towers_without_a_possible_readout_are_refused(name: str, changes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        recipe_of(name, changes)
