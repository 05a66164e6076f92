"""What --model and `artsim.load` take: files, folders, and models in MLflow."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

import artsim
from artsim.errors import ModelError, TrackingError, UsageError
from artsim.model_names import tower_file
from tests.command import artsim_in_process
from tests.towers import write_paintings, write_tower
from tests.tracking.runs import run_with_tower


@pytest.fixture
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def register(client: MlflowClient, model_id: str) -> None:
    client.create_registered_model("artsim")
    version = client.create_model_version("artsim", f"models:/{model_id}", model_id=model_id)
    client.set_registered_model_alias("artsim", "champion", version.version)


@pytest.mark.usefixtures("_own_cache")
def test_every_name_of_a_model_leads_to_its_tower(working_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, model_id = run_with_tower(working_folder)
    register(MlflowClient(), model_id)
    names = [f"runs:/{run_id}", f"runs:/{run_id}/tower", f"models:/{model_id}", "models:/artsim@champion"]
    files = {tower_file(name) for name in [*names, "models:/artsim/1"]}
    assert len(files) == 1
    (file,) = files
    assert file.parent == working_folder / "cache" / "artsim" / "towers"
    # Once in the cache, nothing is downloaded.
    shutil.rmtree(working_folder / "mlruns")
    assert tower_file("models:/artsim@champion") == file


@pytest.mark.usefixtures("_own_cache")
def test_a_damaged_file_of_the_cache_is_downloaded_again(working_folder: Path) -> None:
    run_id, _ = run_with_tower(working_folder)
    file = tower_file(f"runs:/{run_id}")
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert tower_file(f"runs:/{run_id}").read_bytes() == whole


@pytest.mark.usefixtures("_own_cache")
def test_a_tower_that_has_changed_since_it_was_logged_is_refused(working_folder: Path) -> None:
    run_id, _ = run_with_tower(working_folder)
    (stored,) = (working_folder / "mlruns").rglob("tower.onnx")
    write_tower(stored, scale=2.0)
    with pytest.raises(ModelError, match="has changed since it was logged"):
        tower_file(f"runs:/{run_id}")


@pytest.mark.usefixtures("_own_cache")
def test_a_digest_that_is_none_is_not_taken_for_the_name_of_a_file(working_folder: Path) -> None:
    run_id, model_id = run_with_tower(working_folder)
    MlflowClient().set_logged_model_tags(model_id, {"artsim.tower_sha256": "../../mlflow.db"})
    assert tower_file(f"runs:/{run_id}").parent == working_folder / "cache" / "artsim" / "towers"


@pytest.mark.parametrize("place", ["artifacts/tower.onnx", "model.onnx", "tower.onnx"])
def test_a_folder_leads_to_the_tower_in_it(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    write_tower(tmp_path / place)
    assert artsim.load(tmp_path, "cpu").tower.path == tmp_path / place


def test_a_folder_without_a_tower_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"a folder without a tower\. Name an \.onnx file"):
        artsim.load(tmp_path)


@pytest.mark.parametrize("name", ["models:/nothing@champion", "models:/m-0123", "runs:/0123", "models:/artsim@other"])
def test_a_model_that_does_not_exist_is_a_model_error(working_folder: Path, name: str) -> None:
    MlflowClient().create_registered_model("artsim")
    with pytest.raises(ModelError, match=name) as told:
        tower_file(name)
    assert "MLFLOW_TRACKING_URI" in str(told.value)


def test_a_run_without_a_tower_is_a_model_error(working_folder: Path) -> None:
    run_id = MlflowClient().create_run("0").info.run_id
    with pytest.raises(ModelError, match="no tower of artsim"):
        tower_file(f"runs:/{run_id}")


@pytest.mark.usefixtures("_own_cache")
def test_the_tower_that_an_earlier_artsim_logged_as_an_artifact_is_found(working_folder: Path) -> None:
    client = MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_artifact(run_id, str(write_tower(working_folder / "tower.onnx")))
    assert tower_file(f"runs:/{run_id}").read_bytes() == (working_folder / "tower.onnx").read_bytes()


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrackingError, match=r"there is no store .*mlflow\.db"):
        tower_file("models:/artsim@champion")
    assert not list(tmp_path.iterdir())


def test_without_mlflow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artsim.model_names.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r'pip install "artsim\[mlflow\]"'):
        tower_file("models:/artsim@champion")


@pytest.mark.usefixtures("_own_cache")
def test_every_command_takes_a_model_of_mlflow(working_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_id, _ = run_with_tower(working_folder)
    name = f"runs:/{run_id}"
    write_paintings(working_folder / "works", "a.png", "b.png")
    Path("pairs.csv").write_text("image1,image2\na.png,b.png\n")
    tower = ["--model", name, "--device", "cpu", "--quiet"]
    assert artsim_in_process("score", "pairs.csv", "--data-dir", "works", *tower) == 0
    assert artsim_in_process("embed", "works", "-o", "works.parquet", *tower) == 0
    assert artsim_in_process("nearest", "works/a.png", "--among", "works", *tower) == 0
    assert artsim_in_process("info", name, "--json") == 0
    assert '"recipe": "test"' in capsys.readouterr().out


def test_a_local_file_is_scored_without_importing_mlflow(tmp_path: Path) -> None:
    write_tower(tmp_path / "tower.onnx")
    write_paintings(tmp_path, "a.png", "b.png")
    (tmp_path / "pairs.csv").write_text("image1,image2\na.png,b.png\n")
    code = (
        "import sys\nfrom artsim.cli.main import artsim, run\n"
        "for line in ('score pairs.csv', 'embed . -o x.parquet', 'nearest a.png --among .'):\n"
        "    flags = [*line.split(), '--model', 'tower.onnx']\n"
        "    assert run(lambda: artsim.main(flags, standalone_mode=False)) == 0\n"
        "import artsim\nartsim.load('tower.onnx')\n"
        "sys.exit('mlflow' in sys.modules or 'tensorflow' in sys.modules)"
    )
    # MLflow's run counts as one of `mlflow run` only if its variable is set.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
