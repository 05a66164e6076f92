"""The logged model: one file of the tower, two flavours, and an environment that can serve it."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import onnxruntime
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from packaging.requirements import Requirement

import artsim
from artsim.tracking.model_folder import LEFT_OUT, NEEDED, example_pairs, save_model_folder
from tests.command import ROOT
from tests.towers import SIZE, WIDTH, write_paintings, write_tower

# Loads a model without the packages that train, and without artsim on the path: the model brings it.
ALONE = """
import sys
sys.modules.update(dict.fromkeys(("tensorflow", "keras", "tf2onnx")))  # None: an import fails
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1], model_config={"data_dir": sys.argv[2]})
print(model.predict(pandas.DataFrame({"image1": ["a.png"], "image2": ["b.png"]})).to_json())
import artsim
print(artsim.__file__)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model, and pictures beside it."""
    place = tmp_path_factory.mktemp("model")
    write_paintings(place / "pictures", "a.png", "b.png")
    save_model_folder(place / "model", write_tower(place / "any name.onnx"), Model(), {"recipe": "test"})
    return place / "model"


@pytest.fixture(scope="module")
def pair_scorer(folder: Path) -> Any:
    return mlflow.pyfunc.load_model(str(folder), model_config={"data_dir": str(folder.parent / "pictures")})


def test_it_holds_the_tower_once_and_artsim_without_its_own_tower(folder: Path) -> None:
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*.onnx")] == ["artifacts/tower.onnx"]
    assert (folder / "code" / "artsim" / "scoring" / "scorer.py").is_file()
    assert len(list(folder.rglob("pair_model.py"))) == 1
    assert not [name for name in LEFT_OUT if (folder / "code" / "artsim" / name).exists()]
    assert not list(folder.rglob("__pycache__"))


def test_the_pair_scorer_scores_a_table_of_paths(folder: Path, pair_scorer: Any) -> None:
    scores = pair_scorer.predict(
        pd.DataFrame({"image1": ["a.png", "a.png"], "image2": ["a.png", "b.png"]}, index=[7, 3])
    )
    expected = artsim.load(folder, "cpu").score(*(folder.parent / "pictures" / name for name in ("a.png", "b.png")))
    assert list(scores.columns) == ["distance", "probability", "prediction", "status"]
    assert list(scores.index) == [7, 3]
    assert scores.loc[3, "distance"] == pytest.approx(expected.distance)
    assert scores.loc[7, "distance"] == 0
    assert scores["status"].tolist() == ["ok", "ok"]


def test_bytes_pass_the_signature_and_a_bad_picture_is_null_in_json(folder: Path, pair_scorer: Any) -> None:
    data = (folder.parent / "pictures" / "a.png").read_bytes()
    table = pd.DataFrame({"image1": [data, "../any name.onnx"], "image2": [data, "b.png"]}, dtype=object)
    first, second = json.loads(pair_scorer.predict(table).to_json(orient="records"))
    assert first["distance"] == 0
    assert second == {"distance": None, "probability": None, "prediction": None, "status": "image1: missing"}


def test_params_change_the_scores_and_a_wrong_one_is_the_requests_fault(pair_scorer: Any) -> None:
    likely, unlikely = (pair_scorer.predict(example_pairs(), {"prior": prior}) for prior in (0.9, 0.1))
    assert likely.loc[0, "probability"] > unlikely.loc[0, "probability"]
    assert pair_scorer.predict(example_pairs(), {"threshold": 1e6}).loc[0, "prediction"] == 1
    with pytest.raises(MlflowException, match="the prior is 2") as told:
        pair_scorer.predict(example_pairs(), {"prior": 2.0})
    assert told.value.error_code == "INVALID_PARAMETER_VALUE"  # HTTP 400


def test_the_onnx_flavour_is_the_tower_with_a_signature_of_its_tensors(folder: Path) -> None:
    model = mlflow.onnx.load_model(str(folder))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    picture = np.zeros((1, SIZE, SIZE, 3), dtype=np.uint8)
    assert session.run(None, {"images": picture})[0].shape == (1, WIDTH)
    signature = ModelSignature.from_dict(Model.load(str(folder)).flavors["onnx"]["signature"])
    assert signature.inputs.input_names() == ["images"]
    assert signature.inputs.numpy_types() == [np.dtype(np.uint8)]


def test_requirements_are_pinned_with_one_onnxruntime_for_each_platform(folder: Path) -> None:
    needs = [Requirement(line) for line in (folder / "requirements.txt").read_text().splitlines()]
    assert {str(need.specifier) for need in needs if need.name == "mlflow"} == {f"=={version('mlflow')}"}
    runtimes = [need.marker for need in needs if need.name.startswith("onnxruntime")]
    for system, machine in (("Linux", "x86_64"), ("Windows", "AMD64"), ("Darwin", "arm64"), ("Linux", "aarch64")):
        here = {"platform_system": system, "platform_machine": machine}
        assert [bool(marker and marker.evaluate(here)) for marker in runtimes].count(True) == 1


def test_a_uv_project_in_the_working_folder_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "uv.lock").write_text("version = 1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'other'\nversion = '1'\n")
    monkeypatch.chdir(tmp_path)
    save_model_folder(tmp_path / "model", write_tower(tmp_path / "tower.onnx"), Model(), {})
    assert not list((tmp_path / "model").rglob("uv.lock"))


def test_requirements_are_what_pyproject_says_that_scoring_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {Requirement(line).name for line in project["dependencies"]}
    assert set(NEEDED) | {"onnxruntime", "onnxruntime-gpu"} == declared | {"mlflow"}


def test_it_loads_elsewhere_without_tensorflow_and_brings_artsim(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", ALONE, str(folder), str(folder.parent / "pictures")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    scores, package = done.stdout.splitlines()
    assert json.loads(scores)["status"] == {"0": "ok"}
    assert Path(package).is_relative_to(folder)


def test_the_example_can_be_served(folder: Path) -> None:
    request = (folder / "serving_input_example.json").read_text()
    with pytest.warns(FutureWarning, match="deprecated"):
        served = mlflow.models.validate_serving_input(str(folder), request)
    assert served.loc[0, "status"] == "ok"
