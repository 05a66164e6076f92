"""The rooms around the fit loop: devices, recipes, checkpoints, what is shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from artsim.errors import DeviceError, ModelError, OutputError, UsageError
from artsim.training.devices import computes_in_bfloat16, use_device
from artsim.training.loop.evaluator import embed
from artsim.training.networks.checkpoints import load_tower, save_tower
from artsim.training.networks.towers import build_tower
from artsim.training.recipes import RECIPES, recipe_of
from tests import THREADS
from tests.command import ROOT


def test_starting_tensorflow_writes_nothing_and_takes_the_cores_of_the_quota() -> None:
    code = (
        "import os; from artsim.training import runtime; runtime.core_limit = lambda: 2; runtime.start_tensorflow()\n"
        "import tensorflow; assert os.environ['TF_NUM_INTRAOP_THREADS'] == os.environ['TF_NUM_INTEROP_THREADS'] == '2'"
    )
    environment = {key: value for key, value in os.environ.items() if key not in THREADS}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == done.stdout == ""


@pytest.mark.parametrize("device_id", ["auto", "/cpu:0", "CPU:0", "/device:CPU:0"])
def test_the_cpu_is_always_available(device_id: str) -> None:
    assert use_device(device_id) == "/cpu:0"


def test_a_missing_or_misspelled_device_is_refused() -> None:
    with pytest.raises(DeviceError, match="train-cuda"):
        use_device("/gpu:3")
    with pytest.raises(UsageError, match="auto, /cpu:0 or /gpu:N"):
        use_device("tpu")


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True), ((9, 0), True), (None, False)])
def test_gpus_compute_in_bfloat16_since_ampere(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int] | None, expected: bool
) -> None:
    details = {"compute_capability": capability} if capability else {}
    monkeypatch.setattr("tensorflow.config.get_visible_devices", lambda _: ["GPU:0"])
    monkeypatch.setattr("tensorflow.config.experimental.get_device_details", lambda _: details)
    assert computes_in_bfloat16() == expected


def test_flags_override_fields_of_a_recipe() -> None:
    recipe = recipe_of("compact", {"epochs": 3, "learning_rate": None, "data_dir": "not a field"})
    assert recipe.epochs == 3
    assert recipe.learning_rate == RECIPES["compact"].learning_rate
    with pytest.raises(UsageError, match="classic, compact"):
        recipe_of("none", {})


def test_incompatible_towers_and_losses_are_refused() -> None:
    with pytest.raises(UsageError, match=r"--loss softmax.*--tower compact"):
        recipe_of("compact", {"tower": "classic"})
    siamese = recipe_of("compact", {"loss": "contrastive"})
    assert (siamese.distance, siamese.threshold) == ("rms", None)


def test_classic_has_the_published_settings() -> None:
    classic = RECIPES["classic"]
    assert (classic.num_of_artists, classic.num_of_images_per_artist) == (5, 5)
    assert (classic.batch_size, classic.epochs, classic.learning_rate, classic.optimizer) == (1, 3, 1e-4, "sgd")
    assert (classic.image_size, classic.distance, classic.threshold) == (256, "rms", 0.3)


def test_a_saved_tower_gives_the_same_embeddings(tmp_path: Path) -> None:
    tower = build_tower("compact", 32, 8)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    save_tower(tower, tmp_path / "best.keras")
    np.testing.assert_array_equal(embed(load_tower(tmp_path / "best.keras"), pictures), embed(tower, pictures))
    assert [path.name for path in tmp_path.iterdir()] == ["best.keras"]


def test_unusable_checkpoints_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such checkpoint"):
        load_tower(tmp_path / "best.keras")
    (tmp_path / "best.keras").write_bytes(b"half a file")
    with pytest.raises(ModelError, match="not a checkpoint"):
        load_tower(tmp_path / "best.keras")
    with pytest.raises(OutputError):
        save_tower(build_tower("compact", 32, 8), tmp_path / "nowhere" / "best.keras")
