"""Training on two devices at once: logical devices of one CPU, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

import artsim
from tests.command import ROOT, SMALL

pytestmark = pytest.mark.slow

# TensorFlow takes its devices when it starts. A new training gets Ctrl-C in the second epoch of its head.
PROGRAM = """
import sys
from artsim.training.runtime import start_tensorflow
start_tensorflow()
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])
from artsim.training.loop.evaluator import ThroughputMonitor
from tests.command import artsim_in_process

real = ThroughputMonitor.on_train_batch_end

def interrupt(self, batch, logs):
    if self.epoch == 2 and self.stage.name == "training":
        raise KeyboardInterrupt
    real(self, batch, logs)

if "--resume" not in sys.argv:
    ThroughputMonitor.on_train_batch_end = interrupt
sys.exit(artsim_in_process("train", *sys.argv[1:]))
"""
TUNED = ["--recipe", "transfer", "--tower", "mobilenet", "--weights", "none", "--image-size", "64"]
FEW = ["--works-per-artist", "2", "--batch-size", "8", "--tune-epochs", "1", "--refit", "False"]


def train(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", [["--augment", "none"], [*TUNED, *FEW]])
def test_two_devices_train_one_tower(arguments: list[str], working_folder: Path, demo_csv: Path) -> None:
    begun = train("--distribution", "mirrored", "--data-file-path", str(demo_csv), *SMALL, *arguments)
    assert begun.returncode == 130, begun.stderr
    client = MlflowClient(f"sqlite:///{working_folder}/mlflow.db")
    (run,) = client.search_runs(["0"])
    done = train("--resume", run.info.run_id)
    assert done.returncode == 0, done.stderr
    assert "Training on 2 devices" in done.stderr
    assert "training: resumed after epoch 1 of 2." in done.stderr
    (run,) = client.search_runs(["0"])
    assert run.info.status == "FINISHED"
    assert 0 < run.data.metrics["export/max_embedding_difference"] < 1e-5
    (tower,) = Path("Checkpoints").glob("*/tower.onnx")
    works = sorted((demo_csv.parent / "train").iterdir())[:3]
    assert artsim.load(tower).embed(works).shape == (3, 16)
