from __future__ import annotations

import errno
import os
import shlex
import signal
import threading
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.entities import RunStatus
from mlflow.tracking import MlflowClient

from artsim.errors import OutputError, TrackingError
from artsim.tracking import restore_killed
from artsim.tracking.run import tracked_run
from artsim.tracking.store import run_page, ui_command


@pytest.fixture
def store(working_folder: Path) -> MlflowClient:
    """The store of the working folder."""
    return MlflowClient(f"sqlite:///{working_folder}/mlflow.db")


def the_run(store: MlflowClient) -> mlflow.entities.Run:
    return store.search_runs(["0"])[0]


def test_a_run_that_ends_well_is_finished(store: MlflowClient) -> None:
    with tracked_run("a-name") as run:
        run.log_params({"seed": 1, "nothing": None})
        run.log_metrics({"auc": 0.5}, 3)
    found = the_run(store)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "a-name"
    assert found.data.params == {"seed": "1", "nothing": "None"}
    assert store.get_metric_history(found.info.run_id, "auc")[0].step == 3
    assert mlflow.active_run() is None


def test_a_failed_run_has_its_reason_and_its_files(store: MlflowClient, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with pytest.raises(ValueError, match="too bad"), tracked_run("a-name") as run:
        run.log_folder_at_end(tmp_path / "kept", "files")
        (tmp_path / "kept" / "half.txt").write_text("what there was")
        raise ValueError("too bad")
    found = the_run(store)
    assert found.info.status == "FAILED"
    assert found.data.tags["artsim.failure"] == "ValueError: too bad"
    assert [item.path for item in store.list_artifacts(found.info.run_id, "files")] == ["files/half.txt"]


def test_a_failure_while_a_failed_run_is_logged_does_not_hide_its_reason(
    store: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "half.txt").write_text("what there was")
    monkeypatch.setattr(MlflowClient, "log_artifact", full)
    with pytest.raises(OutputError, match=r"best\.keras") as told, tracked_run("a-name") as run:
        run.log_folder_at_end(tmp_path / "kept", "files")
        raise OutputError("best.keras: can't be written.")
    assert the_run(store).info.status == "FAILED"
    assert "could not be logged to its end" in told.value.__notes__[0]
    assert len(told.value.__notes__) == 1
    assert "is full" in told.value.__notes__[0]


def test_where_no_step_succeeds_mlflow_has_nothing_left_to_end(
    store: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(KeyboardInterrupt) as told, tracked_run("a-name"):
        for name in ("set_tag", "set_terminated", "log_artifacts"):
            monkeypatch.setattr(MlflowClient, name, full)
        raise KeyboardInterrupt
    assert "the disk of the tracking store is full" in told.value.__notes__[0]
    assert mlflow.active_run() is None


def test_ctrl_c_kills_the_run_and_logs_its_files(store: MlflowClient, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), tracked_run("a-name") as run:
        run.log_folder_at_end(tmp_path / "kept", "files")
        (tmp_path / "kept").mkdir()
        (tmp_path / "kept" / "half.txt").write_text("what there was")
        os.kill(os.getpid(), signal.SIGINT)
    found = the_run(store)
    assert found.info.status == "KILLED"
    assert "files/half.txt" in {item.path for item in store.list_artifacts(found.info.run_id, "files")}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_resumes_the_run_that_mlflow_run_made(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    made = store.create_run("0", run_name="bold-owl-42")
    store.log_param(made.info.run_id, "seed", "007")
    monkeypatch.setenv("MLFLOW_RUN_ID", made.info.run_id)
    with tracked_run("a-name") as run:
        run.log_params({"seed": 7, "epochs": 2})
    found = the_run(store)
    assert found.info.run_id == made.info.run_id
    assert found.data.params == {"seed": "007", "epochs": "2"}  # its own text stays, what is missing is added
    assert found.info.run_name == "a-name"  # MLflow's made-up one says nothing


def test_a_run_name_of_the_user_is_kept(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", store.create_run("0", run_name="my last try").info.run_id)
    with tracked_run("a-name"):
        pass
    assert the_run(store).info.run_name == "my last try"


def test_an_interrupted_run_is_killed_even_if_mlflow_run_wrote_failed(store: MlflowClient) -> None:
    with pytest.raises(KeyboardInterrupt), tracked_run("a-name") as run:
        store.set_terminated(run.id, RunStatus.to_string(RunStatus.FAILED))
        raise KeyboardInterrupt
    assert the_run(store).info.status == "KILLED"


def test_restore_killed_waits_for_failed_and_corrects_it(store: MlflowClient) -> None:
    run_id = store.create_run("0").info.run_id
    store.set_terminated(run_id, "KILLED")
    launcher = threading.Timer(0.5, lambda: store.set_terminated(run_id, "FAILED"))
    launcher.start()
    restore_killed.main(run_id, patience=20)
    launcher.join()
    assert store.get_run(run_id).info.status == "KILLED"


def test_a_dataset_has_its_digest_and_an_absolute_source(store: MlflowClient, tmp_path: Path) -> None:
    (tmp_path / "selection.csv").write_text("filename,artist,split\n1.jpg,Ann,train\n")
    with tracked_run("a-name") as run:
        table = pd.read_csv("selection.csv")
        run.log_dataset("selection", table, Path("selection.csv"), "0123456789abcdef" * 4, "training")
    inputs = the_run(store).inputs
    assert inputs is not None
    dataset = inputs.dataset_inputs[0].dataset
    assert (dataset.name, dataset.digest) == ("selection", ("0123456789abcdef" * 4)[:36])
    assert f"{tmp_path}/selection.csv" in dataset.source


@pytest.mark.parametrize("uri", ["http://127.0.0.1:9", "sqlite:////proc/nowhere/mlflow.db", "nonsense://x"])
def test_an_unreachable_store_is_an_error(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(TrackingError, match="MLFLOW_TRACKING_URI") as told, tracked_run("a-name"):
        pytest.fail("the run must not begin")
    assert uri in str(told.value)
    assert "\n" not in str(told.value)


def test_the_ui_command_names_the_store_unless_it_is_the_default(
    store: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ui_command() == "mlflow ui"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    assert ui_command() == f"mlflow ui --backend-store-uri sqlite:///{tmp_path}/other.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert ui_command(anywhere=True) == "http://127.0.0.1:5000"
    assert ui_command() == "http://127.0.0.1:5000"


@pytest.mark.parametrize("uri", ["sqlite:///{place}/mlflow.db", "sqlite:///mlflow.db", "mlruns", "file:mlruns"])
def test_the_ui_command_of_a_launched_run_works_in_every_folder(
    store: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    place = tmp_path / "with space"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: uri.format(place=place))
    *command, named = shlex.split(ui_command(anywhere=True))
    assert command == ["mlflow", "ui", "--backend-store-uri"]
    assert named in (f"sqlite:///{place}/mlflow.db", f"{place}/mlruns")


def test_a_run_knows_whether_mlflow_run_has_made_it(store: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with tracked_run("a-name") as run:
        assert not run.is_launched
    monkeypatch.setenv("MLFLOW_RUN_ID", store.create_run("0").info.run_id)
    with tracked_run("a-name") as run:
        assert run.is_launched


def test_the_address_of_a_runs_page_opens_the_view_of_machine_learning(
    store: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create_run("0").info
    assert run_page(run) is None
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: "https://user:hidden@host/mlflow/")
    place = f"#/experiments/0/runs/{run.run_id}?workflowType=machine_learning"
    assert run_page(run) == f"https://user:***@host/mlflow/{place}"
