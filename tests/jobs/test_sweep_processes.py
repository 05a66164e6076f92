"""Sweeps as processes of their own: `mlflow run`, two at once, one that is killed; and one whose trials have epochs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from tests.command import ROOT, SMALL, artsim_in_process, artsim_process
from tests.jobs.test_mlflow_run import launch
from tests.jobs.test_sweep import NETWORK, SEARCH

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

# The command, but the second training writes a file and sleeps.
SLEEPING = """
import time
from pathlib import Path
from artsim.cli.main import main
from artsim.jobs.steps.training_session import TrainingSession
fit, calls = TrainingSession.fit, []
def sleep(*arguments):
    calls.append(1)
    if len(calls) == 2:
        Path("sleeping").touch()
        time.sleep(600)
    return fit(*arguments)
TrainingSession.fit = sleep
main()
"""


class Store:
    """The runs of one sweep, and its folder below a folder of checkpoints."""

    def __init__(self, folder: Path, experiment: str = "0") -> None:
        self.folder = folder
        self.client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
        self.experiment = experiment

    @property
    def runs(self) -> list[Run]:
        return list(self.client.search_runs([self.experiment], order_by=["attributes.start_time ASC"]))

    @property
    def parent(self) -> Run:
        (parent,) = (run for run in self.runs if "mlflow.parentRunId" not in run.data.tags)
        return parent

    @property
    def children(self) -> list[Run]:
        return [run for run in self.runs if run.data.tags.get("mlflow.parentRunId") == self.parent.info.run_id]

    @property
    def study(self) -> Path:
        (study,) = self.folder.glob("Checkpoints/sweep-*")
        return study

    @property
    def table(self) -> pd.DataFrame:
        return pd.read_csv(self.study / "trials.csv").sort_values("trial")

    @property
    def features(self) -> Path:
        (features,) = self.folder.glob("Checkpoints/features/*.npz")
        return features


def test_mlflow_run_sweeps(tmp_path: Path, demo_csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    given = {
        "data_file_path": demo_csv, "checkpoint_dir": tmp_path / "Checkpoints", "summaries_dir": tmp_path / "Log_files",
        "recipe": "readout", "tower": "mobilenet", "weights": "none", "image_size": 64, "readout_stretch": 1.5,
        "search": "embedding-size=8..32 readout-shift=0..1", "trials": 2,
    }  # fmt: skip
    flags = [part for name, value in given.items() for part in ("-P", f"{name}={value}")]
    out, err = launch(tmp_path, [".", "-e", "sweep", "--env-manager", "local", *flags]).communicate(timeout=900)
    store = Store(tmp_path)
    assert store.parent.info.status == "FINISHED", err
    assert [run.info.status for run in store.children] == ["FINISHED"] * 2
    assert store.parent.data.params["search"].strip("'") == given["search"]  # MLflow quotes a value with a space
    assert f"artsim register {store.parent.info.run_id}" in out


def test_two_processes_work_on_one_study(tmp_path: Path, demo_csv: Path) -> None:
    command = ["sweep", str(demo_csv), *NETWORK, *SEARCH, "--trials", "6", "--processes", "2"]
    done = artsim_process(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    store = Store(tmp_path)
    said = (store.study / "process-2.log").read_text()
    assert "Traceback" not in said
    assert store.table["state"].tolist() == ["complete"] * 6, said
    assert [run.info.status for run in [store.parent, *store.children]] == ["FINISHED"] * 7
    assert sorted(int(run.data.tags["artsim.trial"]) for run in store.children) == list(range(6))
    assert store.features
    assert "This one joins it." in said


def test_after_sigkill_the_same_command_tries_the_lost_trial_again(tmp_path: Path, demo_csv: Path) -> None:
    command = ["sweep", str(demo_csv), *NETWORK, *SEARCH, "--trials", "3"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", SLEEPING, *command], cwd=tmp_path, env=environment)
    try:
        while not (tmp_path / "sleeping").exists():
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    store = Store(tmp_path)
    before, parent = store.features.stat().st_mtime_ns, store.parent.info.run_id
    assert [run.info.status for run in store.runs] == ["RUNNING", "FINISHED", "RUNNING"]
    done = artsim_process(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert store.features.stat().st_mtime_ns == before
    assert (store.parent.info.run_id, store.parent.info.status) == (parent, "FINISHED")
    assert store.table["state"].tolist() == ["complete", "killed", "complete", "complete"]
    lost, again = (store.table.iloc[number] for number in (1, 2))
    assert lost["readout_shift"] == again["readout_shift"]
    assert [run.info.status for run in store.children] == ["FINISHED", "FAILED", "FINISHED", "FINISHED"]
    assert "as after SIGKILL" in store.children[1].data.tags["artsim.failure"]


def test_the_best_of_trials_with_epochs_has_its_curves_and_checkpoints(working_folder: Path, demo_csv: Path) -> None:
    small = [*SMALL, "--epochs", "4", "--search", "learning-rate=0.00001..0.01"]
    assert artsim_in_process("sweep", str(demo_csv), *small, "--trials", "3", "--quiet") == 0
    store = Store(working_folder)
    assert store.table["state"].tolist() == ["complete"] * 3
    best = store.client.get_run(store.parent.data.tags["artsim.best_run"])
    models = store.client.search_logged_models(["0"], f"source_run_id = '{best.info.run_id}'")
    assert sorted(model.name for model in models) == ["checkpoint-best", "checkpoint-last", "tower"]
    assert all("val_unseen/auc" in {each.key for each in model.metrics or []} for model in models)
    history = store.client.get_metric_history(best.info.run_id, "train/loss")
    assert [each.step for each in history] == [1, 2, 3, 4]
    assert {path.name for path in store.study.glob("trial-*")} == {f"trial-{best.data.tags['artsim.trial']}"}
