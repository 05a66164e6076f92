"""A training whose tracking server, a process of its own, is killed and does not come back while the training runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from benchmarks.mlflow_server import Server
from benchmarks.outage import once
from tests.command import ROOT, SMALL, artsim_process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

EPOCHS = 60
TIMEOUT = 600


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_what_a_killed_server_lacks_is_delivered_once_by_the_next_command(
    server: Server, tmp_path: Path, demo_csv: Path
) -> None:
    state = {"MLFLOW_TRACKING_URI": server.uri, "XDG_STATE_HOME": f"{tmp_path}/state"}
    command = ["train", str(demo_csv), *SMALL, "--epochs", str(EPOCHS), "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-m", "artsim", *command],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), **state},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    client = MlflowClient(server.uri)
    deadline = time.monotonic() + TIMEOUT
    while not any("train/loss" in run.data.metrics for run in client.search_runs(["0"])):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    server.stop()
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert "The tracking store does not have all of the run" in out
    (outbox,) = tmp_path.glob("state/artsim/outbox/*")

    server.start()
    assert client.get_run(outbox.name).info.status == "RUNNING"
    done = artsim_process("register", outbox.name, cwd=tmp_path, **state)
    assert done.returncode == 0, done.stderr
    run = client.get_run(outbox.name)
    curves = [client.get_metric_history(outbox.name, name) for name in run.data.metrics]
    assert run.info.status == "FINISHED"
    assert all(once(curve) for curve in curves)
    assert [each.step for each in client.get_metric_history(outbox.name, "train/loss")] == list(range(1, EPOCHS + 1))
    models = client.search_logged_models(["0"], f"source_run_id = '{outbox.name}'")
    assert sorted(model.name for model in models) == ["checkpoint-best", "checkpoint-last", "tower"]
    assert not list(tmp_path.glob("state/artsim/outbox/*"))
    assert client.get_model_version_by_alias("artsim", "champion").run_id == outbox.name
