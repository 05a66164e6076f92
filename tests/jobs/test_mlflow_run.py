"""`mlflow run` for real: the launcher, the environment that is active, a run of seconds."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from artsim.evaluation.report.numbers import Estimate
from tests.command import ROOT, artsim_in_process
from tests.towers import write_paintings
from tests.tracking.runs import run_with_tower

pytestmark = pytest.mark.slow

TIMEOUT = 300


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """A store outside of the project's folder, in which `mlflow run .` works."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    client = MlflowClient(uri)
    client.create_experiment("test", artifact_location=(tmp_path / "artifacts").as_uri())
    return client


def mlflow_run(
    tmp_path: Path,
    demo_csv: Path,
    environment: str = "local",
    project: Path = ROOT,
    cwd: Path = ROOT,
    **parameters: object,
) -> subprocess.Popen[str]:
    """Start it as README says, with its outputs and its environments in tmp_path."""
    given = {
        "data_file_path": demo_csv,
        "recipe": "compact",
        "checkpoint_dir": tmp_path / "checkpoints",
        "summaries_dir": tmp_path / "summaries",
        "num_of_artists": 8,
        "image_size": 32,
        "batch_size": 16,
        "epochs": 2,
        **parameters,
    }
    flags = [part for name, value in given.items() for part in ("-P", f"{name}={value}")]
    arguments = ["." if project == cwd else str(project), "--env-manager", environment, "--experiment-name", "test"]
    return launch(tmp_path, [*arguments, *flags], cwd)


def launch(tmp_path: Path, arguments: list[str], cwd: Path = ROOT) -> subprocess.Popen[str]:
    """Start `mlflow run` with these arguments."""
    return subprocess.Popen(
        [sys.executable, "-m", "mlflow", "run", *arguments],
        cwd=cwd,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "MLFLOW_ENV_ROOT": str(tmp_path / "environments"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def the_run(store: MlflowClient) -> Run:
    experiment = store.get_experiment_by_name("test")
    assert experiment is not None
    return store.search_runs([experiment.experiment_id])[0]


@pytest.mark.parametrize("environment", ["local", "uv"])
def test_mlflow_run_makes_one_complete_run(
    store: MlflowClient, tmp_path: Path, demo_csv: Path, environment: str
) -> None:
    """Where the environment is active, and where it is built from conda.yaml, without artsim installed in it."""
    out, err = mlflow_run(tmp_path, demo_csv, environment).communicate(timeout=TIMEOUT)
    run = the_run(store)
    assert run.info.status == "FINISHED", err
    auc = Estimate.of(run.data.metrics, "val_unseen/auc")
    assert auc is not None
    assert run.info.run_name == f"AUC {auc.text} compact-8x6-seed0 image_size=32 batch_size=16 epochs=2"
    # What MLflow wrote as text, and what the program added, none of it twice or otherwise.
    assert run.data.params["num_of_artists"] == "8"
    assert run.data.params["recipe"] == "compact"
    assert run.data.params["learning_rate"] == "0.002"
    assert store.search_logged_models([run.info.experiment_id], "name = 'tower'")
    assert "artsim-score --model" in out


def test_the_commands_printed_at_the_end_work_where_the_user_stands(
    store: MlflowClient, tmp_path: Path, demo_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, elsewhere = tmp_path / "the project", tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copytree(ROOT / "artsim", project / "artsim")
    for file in ("MLproject", "conda.yaml"):
        shutil.copy(ROOT / file, project)
    process = mlflow_run(tmp_path, demo_csv, project=project, cwd=elsewhere, checkpoint_dir="Checkpoints")
    out, err = process.communicate(timeout=TIMEOUT)
    assert the_run(store).info.status == "FINISHED", err
    show, score = out.splitlines()[-2:]
    monkeypatch.chdir(elsewhere)
    assert shlex.split(show) == ["mlflow", "ui", "--backend-store-uri", f"sqlite:///{tmp_path}/mlflow.db"]
    assert "/the project/Checkpoints/" in score
    assert artsim_in_process(*shlex.split(score.replace("artsim-score", "score")), "-o", "scores.csv") == 0


def test_a_scoring_is_an_evaluation_run(store: MlflowClient, tmp_path: Path) -> None:
    """From another folder, with a path that is relative to it."""
    trained, model_id = run_with_tower(tmp_path)
    write_paintings(tmp_path / "my works", "a.png", "b.png")
    (tmp_path / "my works" / "pairs.csv").write_text("image1,image2\na.png,b.png\n")
    given = {"pairs": "my works/pairs.csv", "model": f"runs:/{trained}"}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mlflow", "run", str(ROOT), "-e", "score", "--env-manager", "local"),
            *("--experiment-name", "test"),
            *(part for name, value in given.items() for part in ("-P", f"{name}={value}")),
        ],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "image1,image2,distance,probability,prediction,status"
    run = store.get_run(the_run(store).info.run_id)  # a search leaves out the models
    assert (run.info.status, run.data.params["model"]) == ("FINISHED", f"runs:/{trained}")
    assert run.inputs is not None
    assert [each.model_id for each in run.inputs.model_inputs] == [model_id]
    assert run.data.metrics["pairs/pairs"] == 1


def test_a_failed_mlflow_run_has_its_reason(store: MlflowClient, tmp_path: Path, demo_csv: Path) -> None:
    process = mlflow_run(tmp_path, demo_csv, data_file_path=tmp_path / "nowhere.csv")
    _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1  # MLflow's own
    assert "no such file or folder" in err
    assert the_run(store).info.status == "FAILED"
    assert the_run(store).data.tags["artsim.failure"].startswith("InputError: ")


def test_ctrl_c_kills_the_run_and_keeps_its_checkpoints(store: MlflowClient, tmp_path: Path, demo_csv: Path) -> None:
    process = mlflow_run(tmp_path, demo_csv, epochs=10_000)
    deadline = time.monotonic() + TIMEOUT
    while not list(tmp_path.glob("checkpoints/*/last.keras")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.5)
    while not store.get_metric_history(the_run(store).info.run_id, "train/loss"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to `mlflow run` and to what it started
    _, err = process.communicate(timeout=TIMEOUT)
    deadline = time.monotonic() + 60
    while the_run(store).info.status != "KILLED":
        assert time.monotonic() < deadline, err
        time.sleep(0.5)
    run = the_run(store)
    kept = {item.path for item in store.list_artifacts(run.info.run_id, "checkpoints")}
    assert {"checkpoints/best.keras", "checkpoints/last.keras"} <= kept
    assert store.get_metric_history(run.info.run_id, "train/loss")


def test_run_id_resumes_a_run_that_was_killed(store: MlflowClient, tmp_path: Path, demo_csv: Path) -> None:
    process = mlflow_run(tmp_path, demo_csv, epochs=40)
    deadline = time.monotonic() + TIMEOUT
    while not list(tmp_path.glob("checkpoints/*/stages/epoch-*.npz")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)  # both `mlflow run` and what it started
    process.communicate(timeout=TIMEOUT)
    run_id = the_run(store).info.run_id
    assert the_run(store).info.status == "RUNNING"
    process = launch(tmp_path, [".", "--env-manager", "local", "--experiment-name", "test", "--run-id", run_id])
    _, err = process.communicate(timeout=TIMEOUT)
    run = the_run(store)
    assert (run.info.run_id, run.info.status) == (run_id, "FINISHED"), err
    assert "training: resumed after epoch" in err
    history = store.get_metric_history(run_id, "train/loss")
    assert [metric.step for metric in history] == list(range(1, 41))
    assert "artsim.failure" not in run.data.tags
