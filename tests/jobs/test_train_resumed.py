"""A training that was interrupted goes on in its run, with its flags, its selection and its checkpoints."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from artsim._version import __version__
from artsim.tracking.processes import this_process
from tests.command import SMALL, artsim_in_process, eagerly

FLAGS = [*SMALL, "--readout-share", "0", "--epochs", "3", "--max-bad-images", "5%", "--seed", "3"]


@pytest.fixture
def store(working_folder: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{working_folder}/mlflow.db")


def the_run(store: MlflowClient) -> Run:
    return store.search_runs(["0"], order_by=["attributes.start_time DESC"])[0]


def interrupt_at_step(monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    """Press Ctrl-C in the first step of an epoch, once."""
    from artsim.training.runtime import start_tensorflow

    start_tensorflow()
    from artsim.training.loop.evaluator import ThroughputMonitor

    real = ThroughputMonitor.on_train_batch_end

    def step(self: ThroughputMonitor, batch: int, logs: dict[str, float]) -> None:
        if self.epoch == epoch:
            monkeypatch.setattr(ThroughputMonitor, "on_train_batch_end", real)
            raise KeyboardInterrupt
        real(self, batch, logs)

    monkeypatch.setattr(ThroughputMonitor, "on_train_batch_end", step)


def metrics_of(run: Run) -> Mapping[str, float]:
    """Those that do not measure time or the machine."""
    timed = ("system/", "progress/", "train/images_per_second")
    return {name: value for name, value in run.data.metrics.items() if not name.startswith(timed)}


@eagerly
def test_an_interrupted_run_ends_as_if_it_had_not_been_interrupted(
    store: MlflowClient,
    demo_csv: Path,
    tiny_tower: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["train", "--data-file-path", str(demo_csv), *FLAGS]
    assert artsim_in_process(*command) == 0
    whole = the_run(store)
    interrupt_at_step(monkeypatch, epoch=3)
    assert artsim_in_process(*command) == 130
    killed = the_run(store)
    run_id = killed.info.run_id
    assert killed.info.status == "KILLED"
    assert f"To resume: artsim train --resume {run_id}" in capsys.readouterr().err
    shutil.rmtree("Checkpoints")  # as on another machine
    assert artsim_in_process("train", "--resume", run_id, "--seed", "3") == 0
    said = capsys.readouterr().err
    assert "downloaded from the store" in said
    assert "training: resumed after epoch 2 of 3." in said
    resumed = store.get_run(run_id)
    assert resumed.info.status == "FINISHED"
    assert metrics_of(resumed) == metrics_of(whole)
    assert resumed.data.params == killed.data.params == whole.data.params
    for name in ("train/loss", "val_unseen/auc", "progress/minutes_left"):
        steps = [metric.step for metric in store.get_metric_history(run_id, name)]
        assert steps == ([1, 2, 3, 4] if name == "val_unseen/auc" else [1, 2, 3])
    assert resumed.inputs is not None
    names = [each.dataset.name for each in resumed.inputs.dataset_inputs]
    assert sorted(names) == ["selection", "val_seen", "val_shifted", "val_unseen"]  # each once
    kept = {item.path for item in store.list_artifacts(run_id, "checkpoints")}
    assert {"checkpoints/best.keras", "checkpoints/selection.csv"} <= kept
    assert "checkpoints/stages" not in kept
    assert not list(Path().glob("Checkpoints/*/stages"))


@pytest.fixture
def recorded(store: MlflowClient, working_folder: Path) -> Callable[..., str]:
    """Make a run as one that was killed has left it."""

    def make(status: str = "FAILED", **tags: str) -> str:
        run_id = str(store.create_run("0").info.run_id)
        folder = str(working_folder / "Checkpoints" / "gone")
        place = {"artsim.checkpoint_dir": folder, "artsim.summaries_dir": folder, "artsim.selection_sha256": "0"}
        for name, value in ({"artsim.version": __version__} | place | tags).items():
            store.set_tag(run_id, name.replace("_tag", ""), value)
        for name, text in {"recipe": "compact", "seed": "7", "data_file_path": "demo", "max_bad_images": "10%"}.items():
            store.log_param(run_id, name, text)
        store.set_terminated(run_id, status) if status != "RUNNING" else None
        return run_id

    return make


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--seed", "8"], 2, "--seed 8: the run began with 7, and a resumed run keeps its flags"),
        (["--max-bad-images", "10"], 2, "--max-bad-images 10: the run began with 10%"),
        (["--epochs", "5"], 3, "is missing, and the store has no copy of it. Start a new run."),  # not recorded here
        ([], 3, "is missing, and the store has no copy of it. Start a new run."),
    ],
)
def test_flags_that_contradict_and_missing_checkpoints_are_errors(
    recorded: Callable[..., str],
    arguments: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert artsim_in_process("train", "--resume", recorded(), *arguments) == code
    assert said in capsys.readouterr().err


def test_runs_that_cannot_go_on_are_errors(
    recorded: Callable[..., str], store: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    unbegun = store.create_run("0").info.run_id
    deleted = recorded()
    store.delete_run(deleted)
    for run_id, code, said in (
        ("0123456789abcdef0123456789abcdef", 3, "has no such run"),
        ("../no id", 3, "has no such run"),
        (deleted, 3, "has no such run"),
        (unbegun, 3, "ended before its training began"),
        (recorded("FINISHED"), 2, "the run has finished"),
        (recorded(**{"artsim.version": "0.0.1"}), 2, "artsim 0.0.1 began the run"),
        (recorded("RUNNING", **{"artsim.process": this_process()}), 2, "its process is still running"),
    ):
        assert artsim_in_process("train", "--resume", run_id) == code
        assert f"--resume {run_id}: " in (told := capsys.readouterr().err)
        assert said in told


def test_mlflow_run_resumes_by_its_own_flag(
    recorded: Callable[..., str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = recorded()
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    assert artsim_in_process("train", "--resume", run_id) == 2
    assert f"use mlflow run . --run-id {run_id} instead" in capsys.readouterr().err
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    assert artsim_in_process("train", "--seed", "0", "--max-bad-images", "10%") == 3  # MLproject's own defaults
    assert "the store has no copy of it" in capsys.readouterr().err
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    assert artsim_in_process("train", "--seed", "8") == 2
