"""The whole loop against a tracking server: train, serve, register, refuse a worse model, score by alias."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from mlflow.tracking import MlflowClient

from tests.command import SMALL, artsim_process
from tests.servers import mlflow_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # two trainings and two servers

LEAN = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # seven worker processes that this test does not need


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A tracking server with SQLite, which also serves the artifacts."""
    place = tmp_path / "server"
    place.mkdir()
    store = ("--backend-store-uri", f"sqlite:///{place}/mlflow.db", "--artifacts-destination", str(place / "artifacts"))
    options = (*store, "--serve-artifacts", "--workers", "1")
    with mlflow_server("server", *options, health="/health", cwd=place, **LEAN) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        yield address


def train(folder: Path, demo_csv: Path, *flags: str) -> str:
    """Train in a folder of its own, and return the ID of the run and what was printed."""
    folder.mkdir()
    data = ["--data-file-path", str(demo_csv), "--num-of-artists", "8"]
    done = artsim_process("train", *data, *SMALL, *flags, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def newest_run(client: MlflowClient) -> str:
    return str(client.search_runs(["0"], "status = 'FINISHED'", max_results=1)[0].info.run_id)


def champion(client: MlflowClient) -> str | None:
    return client.get_model_version_by_alias("artsim", "champion").run_id


def test_from_a_training_to_a_champion(server: str, tmp_path: Path, demo_csv: Path) -> None:
    client, images = MlflowClient(server), demo_csv.parent / "train"
    out = train(tmp_path / "first", demo_csv, "--register", "True")
    first = newest_run(client)
    assert f"{server}/#/experiments/0/runs/{first}?workflowType=machine_learning" in out
    assert "is artsim@champion now, the first one" in out
    assert champion(client) == first

    # Serve the champion, and send it two pictures.
    pair = sorted(path for path in images.iterdir())[:2]
    texts = [base64.b64encode(path.read_bytes()).decode() for path in pair]
    request: Any = {"dataframe_split": {"columns": ["image1", "image2"], "data": [texts]}}
    served = ("-m", "models:/artsim@champion", "--env-manager", "local")
    with mlflow_server("models serve", *served, health="/ping", cwd=tmp_path) as address:
        answer = requests.post(f"{address}/invocations", json=request, timeout=120)
    assert answer.status_code == 200, answer.text
    (score,) = answer.json()["predictions"]
    assert score["status"] == "ok"

    # Scoring by alias gives the same, from the cache too.
    (tmp_path / "pairs.csv").write_text(f"image1,image2\n{pair[0].name},{pair[1].name}\n")
    by_alias = ["score", "pairs.csv", "--model", "models:/artsim@champion", "--data-dir", str(images)]
    for _ in range(2):
        done = artsim_process(*by_alias, "--cohort", "none", "--format", "jsonl", "--quiet", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["distance"] == pytest.approx(score["distance"], abs=1e-5)

    # A second run that has learned nothing is refused, by exit code 9.
    nothing = ["--learning-rate", "1e-9", "--epochs", "1", "--readout-share", "0"]
    train(tmp_path / "second", demo_csv, *nothing)
    second = newest_run(client)
    assert second != first
    done = artsim_process("register", second, cwd=tmp_path)
    assert done.returncode == 9, done.stderr
    assert "artsim@champion stays artsim version 1" in done.stderr
    assert champion(client) == first
