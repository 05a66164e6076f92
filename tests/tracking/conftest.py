"""A tracking server for the tests of outages."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from artsim.tracking import courier
from artsim.tracking import run as run_module
from tests.tracking.local_server import LocalServer


@pytest.fixture
def server(working_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    """A server with an empty store; outages and waits are short, and the outboxes are those of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(working_folder / "state"))
    monkeypatch.setattr(courier, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(courier, "LONGEST_PAUSE", 0.05)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    empty = MlflowClient(f"sqlite:///{working_folder}/mlflow.db")
    made = empty.create_experiment("on the server", "mlflow-artifacts:/0")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", made)
    server = LocalServer(working_folder, working_folder / "mlflow.db", monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    yield server
    server.stop()


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a run hardly waits for a store that is away."""
    monkeypatch.setattr(run_module, "CATCH_UP", 0.2)
    monkeypatch.setattr(run_module, "AFTER_CTRL_C", 0.2)


@pytest.fixture
def store(server: LocalServer, working_folder: Path) -> MlflowClient:
    """What is in the server's store, read past the server."""
    return MlflowClient(f"sqlite:///{working_folder}/mlflow.db")
