"""Which epoch is kept, and when training stops: the monitor by itself, then the fit loop with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from artsim.cli.train import train
from artsim.training.data.batches import LabelledImages
from artsim.training.loop import epoch_state
from artsim.training.loop.fit import fit
from artsim.training.monitor import Monitor, MonitorName, metric_key
from artsim.training.networks.checkpoints import BEST, LAST
from artsim.training.recipes import RECIPES
from tests.command import eagerly
from tests.training.fits import RecordedFit


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(0, 4))
def test_the_first_of_the_best_epochs_is_kept_and_patience_counts_from_it(values: list[int], patience: int) -> None:
    monitor = Monitor("val_seen/auc", patience)
    for epoch, value in enumerate(values, start=1):
        best = 1 + values.index(max(values[:epoch]))
        assert monitor.is_best({"val_seen/auc": value}) == (best == epoch)
        assert (monitor.best_epoch, monitor.is_at_best) == (best, best == epoch)
        assert monitor.is_over == (patience > 0 and epoch - best >= patience)


def test_the_lowest_loss_is_best() -> None:
    monitor = Monitor("val_seen/loss")
    assert [monitor.is_best({"val_seen/loss": loss, "val_seen/auc": 0.5}) for loss in (3.0, 4.0, 2.0)] == [
        True,
        False,
        True,
    ]


def test_an_epoch_without_the_metric_is_not_the_best() -> None:
    monitor = Monitor("val_seen/loss", patience=1)
    assert monitor.is_best({"val_seen/loss": 3.0})
    assert not monitor.is_best({"val_seen/auc": 1.0})
    assert monitor.is_over


@pytest.mark.parametrize(
    ("wanted", "there", "decides"),
    [
        ("val_unseen/auc", {"val_unseen/auc", "val_seen/auc"}, "val_unseen/auc"),
        ("val_unseen/auc", {"val_seen/auc"}, "val_seen/auc"),
        ("val_unseen/map_at_r", {"val_seen/auc", "val_seen/map_at_r"}, "val_seen/map_at_r"),
        ("val_unseen/same_style_auc", {"val_unseen/auc", "val_seen/auc"}, "val_unseen/auc"),
        ("val_seen/loss", {"val_unseen/auc"}, "val_unseen/auc"),
    ],
)
def test_another_metric_decides_where_the_run_lacks_the_monitored_one(
    wanted: MonitorName, there: set[str], decides: str
) -> None:
    monitor = Monitor(wanted)
    monitor.is_best(dict.fromkeys(there, 0.5))
    assert monitor.name == decides


def test_val_auc_is_the_mean_of_the_aucs_that_a_run_has() -> None:
    monitor = Monitor("val/auc")
    assert monitor.is_best({"val_unseen/auc": 0.7, "val_seen/auc": 0.8})
    assert not monitor.is_best({"val_unseen/auc": 0.8, "val_seen/auc": 0.69})
    assert monitor.is_best({"val_unseen/auc": 0.69, "val_seen/auc": 0.9})
    assert monitor.name == "val/auc"
    assert monitor.best == pytest.approx(0.795)
    alone = Monitor("val/auc")
    alone.is_best({"val_seen/auc": 0.6})
    assert alone.best == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("val_auc", "val/auc"),
        ("val_loss", "val_seen/loss"),
        ("val_unseen_same_style_auc", "val_unseen/same_style_auc"),
        ("val_seen_map_at_r", "val_seen/map_at_r"),
        ("val_seen/map_at_r", "val_seen/map_at_r"),
        ("val/auc", "val/auc"),
    ],
)
def test_earlier_spellings_of_a_metric_are_read(typed: str, key: str) -> None:
    assert metric_key(typed) == key
    assert train.make_context("artsim train", ["--monitor", typed]).params["monitor"] == key


AUCS = [0.5, 0.7, 0.6, 0.7, 0.9]


def fit_small(recorded: RecordedFit, monitor: MonitorName, patience: int, epochs: int) -> Monitor:
    """Train on noise; `recorded` says how good each epoch is."""
    recipe = replace(
        RECIPES["compact"],
        image_size=32,
        embedding_size=8,
        readout_share=0.0,
        batch_size=8,
        epochs=epochs,
        monitor=monitor,
        patience=patience,
        augment="none",
    )
    known = LabelledImages(noise(8), np.repeat([0, 1], 4))
    return fit(recipe, None, known, LabelledImages(noise(4), np.array([0, 0, 1, 1])), recorded.hooks, seed=0)


def noise(works: int) -> NDArray[np.uint8]:
    return np.random.default_rng(works).integers(0, 256, (works, 32, 32, 3), dtype=np.uint8)


@eagerly
def test_training_stops_when_patience_ends_and_keeps_the_best(tmp_path: Path, tiny_tower: None) -> None:
    trained = RecordedFit(tmp_path, AUCS)
    monitor = fit_small(trained, "val_unseen/auc", patience=2, epochs=len(AUCS))
    assert len(trained.reported) == 4
    assert (monitor.epoch, monitor.best_epoch) == (4, 2)
    assert trained.said == ["This run has no val_unseen/auc. Instead val_seen/auc decides which epoch is best."]
    np.testing.assert_allclose(trained.embeddings(BEST, noise(4)), trained.evaluated[1], atol=1e-5)
    np.testing.assert_allclose(trained.embeddings(LAST, noise(4)), trained.evaluated[3], atol=1e-5)
    assert not np.allclose(trained.evaluated[1], trained.evaluated[3], atol=1e-3)


@eagerly
def test_without_patience_all_epochs_are_trained_and_the_best_by_loss_is_kept(tmp_path: Path, tiny_tower: None) -> None:
    trained = RecordedFit(tmp_path)
    monitor = fit_small(trained, "val_seen/loss", patience=0, epochs=3)
    losses = [metrics["val_seen/loss"] for metrics in trained.reported]
    assert len(losses) == 3
    best = int(np.argmin(losses))
    assert monitor.best_epoch == 1 + best
    np.testing.assert_allclose(trained.embeddings(BEST, noise(4)), trained.evaluated[best], atol=1e-5)


@eagerly
@pytest.mark.parametrize("pause", [0, 1e9])
def test_towers_are_saved_after_the_best_epochs_and_the_last_and_else_seldom(
    pause: float, tmp_path: Path, tiny_tower: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch_state, "PAUSE", pause)
    trained = RecordedFit(tmp_path, [0.5, 0.7, 0.6, 0.65])
    fit_small(trained, "val_seen/auc", patience=0, epochs=4)
    seldom = [(LAST, 3)] if pause == 0 else []
    assert trained.kept == [(BEST, 1), (LAST, 1), (BEST, 2), (LAST, 2), *seldom, (LAST, 4)]
    np.testing.assert_allclose(trained.embeddings(LAST, noise(4)), trained.evaluated[3], atol=1e-5)
