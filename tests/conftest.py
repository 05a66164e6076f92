"""What the tests share: an environment of their own, a small collection, one real run."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

from artsim.demo import write_demo
from tests import THREADS

settings.register_profile("artsim", deadline=None)  # a busy machine is no defect
settings.load_profile("artsim")

TRAINS = ("tests/jobs/test_train", "tests/training/loop/", "tests/export/")  # files of most of the suite's time


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the files that take long, so that no worker is left with one of them at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(TRAINS))


@pytest.fixture(autouse=True, scope="module")
def _one_spark_at_a_time(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Two clusters of Java processes are too much for a machine of two cores."""
    if "spark" not in request.node.nodeid:
        yield
        return
    shared = tmp_path_factory.getbasetemp().parent  # by all workers
    with FileLock(shared / "spark.lock"):
        yield


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> Iterator[None]:
    """Ctrl-C and SIGHUP reach the tests and the commands that they start, also in the background and under `nohup`."""
    handlers: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True, scope="session")
def _scrubbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting of the user's reaches the tests, and no cache of theirs is written to."""
    patch = pytest.MonkeyPatch()
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "TF_", "KERAS_", "CUDA_")) and name not in THREADS:
            patch.delenv(name)
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    patch.setenv("COLUMNS", "120")
    yield
    patch.undo()


@pytest.fixture(scope="session")
def demo_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight painters of the embedded collection, six works each; their images lie in `train` beside it."""
    return write_demo(tmp_path_factory.mktemp("demo"), artists=8, works=6)


@pytest.fixture(scope="session")
def _empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without a run. It takes MLflow two seconds to make them."""
    from mlflow.tracking import MlflowClient

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def working_folder(tmp_path: Path, _empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a test, with an MLflow store of its own."""
    shutil.copy(_empty_store, tmp_path / "mlflow.db")
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as store, store:
        store.execute("UPDATE experiments SET artifact_location = ?", (f"{tmp_path}/mlruns/0",))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def eager() -> Iterator[None]:
    """TensorFlow without graphs: see `tests.command.eagerly`."""
    from artsim.training.runtime import start_tensorflow

    start_tensorflow()
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def tiny_tower(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tower of one layer in place of compact, without a readout, for tests to which it is all the same."""
    import keras

    def build(_: str, size: int, width: int) -> keras.Model:
        images = keras.Input((size, size, 3), dtype="uint8")
        cells = keras.layers.AveragePooling2D(size // 4)(keras.layers.Rescaling(1 / 255)(images))
        embedding = keras.layers.Dense(width)(keras.layers.Flatten()(cells))
        return keras.Model(images, keras.layers.UnitNormalization()(embedding))

    monkeypatch.setattr("artsim.training.loop.from_scratch.build_tower", build)
