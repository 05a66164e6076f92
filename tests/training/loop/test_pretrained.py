"""A tower on a pretrained network, from features to checkpoints; the network has random weights and small images."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.demo import paint
from artsim.large_arrays import MOST_IN_MEMORY, is_on_disk, new_array
from artsim.scoring.familiarity import TrainingEmbeddings
from artsim.shifted_views import ShiftedViews
from artsim.training.data.batches import LabelledImages
from artsim.training.loop.fit import fit
from artsim.training.loop.pretrained import ARTIST_FOLDS, UNSEEN_FOLD, artist_folds
from artsim.training.monitor import Monitor
from artsim.training.networks.checkpoints import BEST, REFIT
from artsim.training.networks.features import build_features, compute_features
from artsim.training.networks.readout import Projection, fit_projection
from artsim.training.networks.towers import ChannelStatistics, PictureMask
from artsim.training.recipes import RECIPES, Recipe
from tests.command import eagerly
from tests.training.fits import RecordedFit

SIZE = 64
ARTISTS, WORKS = 5, 6


@pytest.fixture(scope="module")
def pixels() -> NDArray[np.uint8]:
    """Five painters with six works each, the last two painters held out."""
    paintings = [paint(artist, work) for artist in range(ARTISTS) for work in range(WORKS)]
    return np.stack([np.asarray(painting.resize((SIZE, SIZE))) for painting in paintings])


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_features(small("readout", tower="mobilenet"), SIZE, "none")


def small(name: str, **changes: object) -> Recipe:
    settings = {"weights": "none", "image_size": SIZE, "embedding_size": 16, "batch_size": 12, "works_per_artist": 4}
    quick = {"enlarge": 1.0, "tune_epochs": 0, "epochs": 3}
    return replace(RECIPES[name], **{**settings, **quick, **changes})  # type: ignore[arg-type]


def fit_works(
    fitted: RecordedFit, recipe: Recipe, network: keras.Model, pixels: NDArray[np.uint8], artists: int = ARTISTS
) -> Monitor:
    """Fit on works by artists of equally many each, the last two of them held out."""
    labels = np.repeat(np.arange(artists), len(pixels) // artists)
    known = labels < artists - 2
    held = LabelledImages(pixels[~known], labels[~known])
    return fit(recipe, network, LabelledImages(pixels[known], labels[known]), held, fitted.hooks, seed=0)


@pytest.fixture(scope="module")
def held(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The works of the artists held out."""
    return pixels[-2 * WORKS :]


@pytest.fixture
def nothing_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """No checkpoints, for tests that read none: a second each."""
    for module in ("evaluator", "pretrained"):
        monkeypatch.setattr(f"artsim.training.loop.{module}.save_tower", lambda *_: None)


def test_features_are_means_and_deviations_of_every_map(network: keras.Model, pixels: NDArray[np.uint8]) -> None:
    backbone = next(layer for layer in network.layers if layer.name == "mobilenet")
    maps = backbone.predict_on_batch(pixels[:3].astype(np.float32))
    expected = [np.concatenate([each.mean((1, 2)), each.std((1, 2))], axis=1) for each in maps]
    found = compute_features(network, pixels[:3], lambda *_: None)
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), atol=4e-3)  # a deviation of 0 is kept off 0


def test_features_do_not_depend_on_the_batch_and_report_progress(
    network: keras.Model, pixels: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = compute_features(network, pixels[:5], lambda *_: None)
    monkeypatch.setattr("artsim.training.networks.features.FEATURE_BATCH", 2)
    told: list[tuple[int, int]] = []
    np.testing.assert_allclose(compute_features(network, pixels[:5], lambda *at: told.append(at)), whole, atol=1e-5)
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]


def test_bars_of_the_letterbox_are_left_out_at_every_depth(network: keras.Model, pixels: NDArray[np.uint8]) -> None:
    barred = pixels[:1].copy()
    barred[:, :, : SIZE // 4] = barred[:, :, -SIZE // 4 :] = 0
    mask = PictureMask()(barred)
    assert float(np.mean(mask)) == 0.5
    images = keras.Input((SIZE, SIZE, 1))
    statistics = ChannelStatistics()(images, keras.layers.Lambda(lambda _: mask)(images))
    inside = np.full((1, SIZE, SIZE, 1), 3.0, np.float32)
    inside[:, :, : SIZE // 4] = 100
    inside[:, :, -SIZE // 4 :] = 100
    mean, deviation = keras.Model(images, statistics).predict_on_batch(inside)[0]
    assert (mean, deviation) == pytest.approx((3, 0), abs=0.01)
    assert np.isfinite(compute_features(network, barred, lambda *_: None)).all()


@eagerly
@pytest.mark.parametrize(("share", "width"), [(1.0, 15), (0.5, 16), pytest.param(0.0, 16, marks=pytest.mark.slow)])
def test_the_saved_tower_is_the_evaluated_one(
    fitted: RecordedFit,
    network: keras.Model,
    pixels: NDArray[np.uint8],
    held: NDArray[np.uint8],
    share: float,
    width: int,
) -> None:
    recipe = small("transfer", readout_share=share, loss="softmax", refit=False, epochs=2)
    monitor = fit_works(fitted, recipe, network, pixels)
    assert len(fitted.reported) == monitor.epoch == (1 if share == 1 else 2)
    embeddings = fitted.embeddings(BEST, held)
    np.testing.assert_allclose(embeddings, fitted.evaluated[monitor.best_epoch - 1], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-4)
    assert embeddings.shape[1] in (width, width + 1)  # a readout is as wide as its works allow
    assert not (fitted.folder / REFIT).exists()
    assert fitted.folds == []
    check_described(fitted, BEST, pixels[: -2 * WORKS], has_readout=share > 0)
    assert ("train/loss" in fitted.reported[0]) == (share < 1)


@pytest.mark.slow
def test_another_process_reads_a_tower_back(
    fitted: RecordedFit, network: keras.Model, pixels: NDArray[np.uint8], held: NDArray[np.uint8]
) -> None:
    fit_works(fitted, small("transfer", loss="softmax", refit=False), network, pixels)
    np.save(fitted.folder / "held.npy", held)
    program = (
        "import numpy as np; from pathlib import Path; "
        "from artsim.training.networks.checkpoints import BEST, load_tower; "
        "tower = load_tower(Path(BEST)); np.save('embeddings.npy', tower.predict_on_batch(np.load('held.npy')))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=fitted.folder, check=True)
    there = np.load(fitted.folder / "embeddings.npy")
    np.testing.assert_allclose(there, fitted.embeddings(BEST, held), atol=1e-5)


@eagerly
def test_a_refitted_tower_is_fitted_on_the_held_out_works_too(
    fitted: RecordedFit, network: keras.Model, pixels: NDArray[np.uint8], held: NDArray[np.uint8]
) -> None:
    fit_works(fitted, small("readout", embedding_size=24), network, pixels)
    evaluated, refitted = (fitted.embeddings(name, held) for name in (BEST, REFIT))
    assert _separation(refitted) > _separation(evaluated) + 0.1
    assert sorted(np.concatenate([fold.artists for fold in fitted.folds])) == sorted(np.repeat(range(ARTISTS), WORKS))
    assert len(fitted.folds) == 3
    np.testing.assert_allclose(fitted.folds[0].embeddings, evaluated, atol=1e-5)  # of artists new to the first fit
    np.testing.assert_allclose(evaluated, fitted.evaluated[0], atol=1e-5)
    views = fitted.embeddings(BEST, ShiftedViews(held, fitted.folds[0].photographers)[:])
    np.testing.assert_allclose(fitted.folds[0].views, views, atol=1e-4)
    of_first_fit = TrainingEmbeddings.of(fitted.embeddings(BEST, pixels[: -2 * WORKS]), views)
    np.testing.assert_allclose(fitted.folds[0].remoteness, of_first_fit.remoteness(evaluated), rtol=0.05)
    check_described(fitted, REFIT, pixels)


@eagerly
def test_features_on_disk_give_the_same_tower(
    tmp_path: Path,
    network: keras.Model,
    pixels: NDArray[np.uint8],
    nothing_saved: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    described = []
    for most in (MOST_IN_MEMORY, 0):
        monkeypatch.setattr("artsim.large_arrays.MOST_IN_MEMORY", most)
        folder = tmp_path / str(most)
        folder.mkdir()
        fitted = RecordedFit(folder)
        fit_works(fitted, small("readout"), network, pixels)
        described.append(fitted.described[0][0])
        assert is_on_disk(new_array((1,), np.float32, "a number")) == (most == 0)
    np.testing.assert_allclose(described[0], described[1], atol=1e-5)


def check_described(fitted: RecordedFit, name: str, works: NDArray[np.uint8], *, has_readout: bool = True) -> None:
    """The embeddings described are of the training works and their views, by the exported tower."""
    assert len(fitted.described) == has_readout
    for embeddings, views, width in fitted.described:
        np.testing.assert_allclose(embeddings, fitted.embeddings(name, works), atol=1e-4)
        assert np.sum(embeddings**2) > np.sum(views * embeddings) > 1.1 * np.sum(views * np.roll(embeddings, WORKS, 0))
        assert 0 < width <= embeddings.shape[1]


@given(st.integers(1, 30), st.integers(0, 5), st.integers(0, 99))
def test_folds_hold_whole_artists_and_two_or_more_where_there_are_enough(trained: int, unseen: int, seed: int) -> None:
    labels = np.repeat(np.arange(trained + unseen), 3)
    trained_on = labels[labels < trained]
    folds = artist_folds(labels, trained_on, seed)
    np.testing.assert_array_equal(folds == UNSEEN_FOLD, labels >= trained)
    members = [set(labels[folds == fold].tolist()) for fold in np.unique(folds[labels < trained])]
    assert sorted(artist for fold in members for artist in fold) == list(range(trained))  # each in one fold
    assert len(members) + (unseen > 0) <= ARTIST_FOLDS
    assert trained < 4 or min(map(len, members)) > 1


@pytest.mark.slow
def test_every_fit_of_a_tuned_tower_tunes_again(
    fitted: RecordedFit, network: keras.Model, pixels: NDArray[np.uint8], held: NDArray[np.uint8]
) -> None:
    recipe = small("transfer", tower="mobilenet", tune_epochs=3, tune_rate=1e-3, epochs=2)
    monitor = fit_works(fitted, recipe, network, pixels)
    np.testing.assert_allclose(fitted.embeddings(BEST, held), fitted.evaluated[monitor.best_epoch - 1], atol=1e-5)
    # One tuned without the works held out, one with them; both began at the network that was given.
    evaluated, refitted = (fitted.tower(name).get_layer("backbone").get_weights() for name in (BEST, REFIT))
    changed = [
        (np.array_equal(one, start), np.array_equal(other, start), np.array_equal(one, other))
        for start, one, other in zip(network.get_weights(), evaluated, refitted, strict=True)
    ]
    assert set(changed) == {(True, True, True), (False, False, False)}
    assert len(fitted.folds) == 3


@eagerly
def test_the_first_fold_of_the_calibration_reuses_the_first_fit(
    fitted: RecordedFit, network: keras.Model, nothing_saved: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    paintings = [np.asarray(paint(artist, work).resize((SIZE, SIZE))) for artist in range(10) for work in (0, 1)]
    tuned_on: list[set[int]] = []

    def crops_of(_: Recipe, __: object, rows: NDArray[np.int64]) -> None:
        tuned_on.append(set((rows // 2).tolist()))  # two works by each artist

    fitted_on: list[int] = []

    def projection(features: NDArray[np.float32], labels: NDArray[np.int64], components: int) -> Projection:
        fitted_on.append(len(features))
        return fit_projection(features, labels, components)

    monkeypatch.setattr("artsim.training.loop.tuning.MapCrops", crops_of)
    monkeypatch.setattr("artsim.training.loop.tuning.tune_network", lambda _, same, *__: same)
    monkeypatch.setattr("artsim.training.loop.pretrained.fit_projection", projection)
    fit_works(fitted, small("readout", tune_epochs=1), network, np.stack(paintings), artists=10)
    asked = [set(fold.artists) for fold in fitted.folds]
    assert asked[0] == {8, 9}
    assert sorted(artist for fold in asked for artist in fold) == list(range(10))
    assert tuned_on == [set(range(10)) - fold for fold in asked] + [set(range(10))]
    assert fitted_on == [2 * len(artists) for artists in tuned_on]


@eagerly
def test_four_artists_are_enough_for_folds(
    fitted: RecordedFit, network: keras.Model, nothing_saved: None, pixels: NDArray[np.uint8]
) -> None:
    fit_works(fitted, small("readout"), network, pixels[: 4 * WORKS], artists=4)
    assert [set(fold.artists) for fold in fitted.folds] == [{2, 3}, {0}, {1}]


def _separation(embeddings: NDArray[np.float32]) -> float:
    likeness, labels = embeddings @ embeddings.T, np.repeat(np.arange(2), WORKS)
    same = labels[:, None] == labels
    return float(likeness[same & ~np.eye(len(labels), dtype=bool)].mean() - likeness[~same].mean())


@eagerly
def test_trained_heads_learn_and_the_same_seed_gives_the_same(
    tmp_path: Path, network: keras.Model, pixels: NDArray[np.uint8]
) -> None:
    losses = []
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        fitted = RecordedFit(tmp_path / run)
        fit_works(fitted, small("transfer", loss="softmax", epochs=6, learning_rate=5e-3, refit=False), network, pixels)
        losses.append([metrics["train/loss"] for metrics in fitted.reported])
    assert losses[0][-1] < 0.6 * losses[0][0]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)
