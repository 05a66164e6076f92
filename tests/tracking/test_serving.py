"""The logged model in MLflow's own servers and commands."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
import requests
from mlflow.models import Model
from PIL import Image

import artsim
from artsim.tracking.model_folder import example_pairs, save_model_folder
from tests.servers import mlflow_server
from tests.towers import write_tower

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    save_model_folder(place / "model", write_tower(place / "tower.onnx"), Model(), {})
    return place / "model"


def photograph(path: Path, seed: int) -> bytes:
    """A JPEG of 20 MB."""
    pixels = np.random.default_rng(seed).integers(0, 256, (3300, 3300, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, quality=95, subsampling=0)
    return path.read_bytes()


def test_the_server_scores_two_photographs_of_20_mb(folder: Path, tmp_path: Path) -> None:
    first, second = (photograph(tmp_path / f"{seed}.jpg", seed) for seed in (1, 2))
    assert min(len(first), len(second)) > 20_000_000
    texts = [base64.b64encode(data).decode() for data in (first, second)]
    table = {"columns": ["image1", "image2"], "data": [texts, ["", texts[1]], ["0.jpg", "no picture"]]}
    (tmp_path / "0.jpg").write_bytes(first)
    config = json.dumps({"data_dir": str(tmp_path)})
    options = ("-m", str(folder), "--env-manager", "local", "--timeout", "300")
    with mlflow_server(
        "models serve", *options, health="/ping", cwd=tmp_path, MLFLOW_PYFUNC_INFERENCE_CONFIG=config
    ) as address:
        request: Any = {"dataframe_split": table, "params": {"prior": 0.3}}
        answer = requests.post(f"{address}/invocations", json=request, timeout=300)
        assert answer.status_code == 200, answer.text
        wrong = requests.post(f"{address}/invocations", json=request | {"params": {"prior": 3.0}}, timeout=300)
    assert wrong.status_code == 400
    assert "NaN" not in answer.text
    scored, without_picture, without_file = answer.json()["predictions"]
    expected = artsim.load(folder, "cpu").score(tmp_path / "1.jpg", tmp_path / "2.jpg", prior=0.3)
    assert scored["status"] == "ok"
    assert scored["distance"] == pytest.approx(expected.distance)
    assert scored["probability"] == pytest.approx(expected.probability)
    assert without_picture["status"] == "image1: missing"
    assert without_file["status"] == "image2: missing"


def test_predict_reads_a_table(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "scores.json"
    predict: Any = mlflow.models.predict
    predict(str(folder), example_pairs(), env_manager="local", output_path=str(output))
    assert json.loads(output.read_text())["predictions"][0]["status"] == "ok"


def test_a_dockerfile_is_made_from_the_model(folder: Path, tmp_path: Path) -> None:
    command = ["models", "generate-dockerfile", "-m", str(folder), "-d", str(tmp_path / "image")]
    done = subprocess.run([sys.executable, "-m", "mlflow", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "FROM" in (tmp_path / "image" / "Dockerfile").read_text()
    copied = {path.name for path in (tmp_path / "image").rglob("*")}
    assert {"tower.onnx", "requirements.txt", "pair_model.py"} <= copied
