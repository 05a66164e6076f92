"""A tracking server that comes and goes while a run lasts. The server is MLflow's own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from artsim._version import __version__
from artsim.errors import OutputError, TrackingError
from artsim.messages import say_nothing
from artsim.tracking import courier, outbox
from artsim.tracking.outbox import outboxes
from artsim.tracking.processes import CHECKPOINT_TAG
from artsim.tracking.resumed import SELECTION_TAG, SUMMARIES_TAG, VERSION_TAG, run_to_resume
from artsim.tracking.run import tracked_run
from artsim.tracking.steps import Step
from tests.tracking.local_server import LocalServer
from tests.tracking.outage import check_all, log_all


@pytest.mark.parametrize("fault", [None, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR])
def test_a_store_that_comes_back_has_everything_in_order_and_once(
    server: LocalServer, store: MlflowClient, tmp_path: Path, fault: HTTPStatus | None
) -> None:
    told: list[str] = []
    with tracked_run("a-name", say=told.append) as run:
        if fault is None:
            server.stop()
        server.fault = fault
        log_all(run, tmp_path)
        assert not store.get_run(run.id).data.metrics
        server.fault = None
        if fault is None:
            server.start()
    assert run.undelivered is None
    check_all(store, run.id)
    away, *_, back = told
    assert away.startswith(f"The tracking store {server.uri} is away")
    assert "is back after" in back
    assert len([line for line in told if "Waiting" not in line]) == 2


@pytest.mark.usefixtures("_impatient")
def test_the_next_run_delivers_what_a_run_could_not(server: LocalServer, store: MlflowClient, tmp_path: Path) -> None:
    told: list[str] = []
    with tracked_run("a-name", say=told.append) as run:
        server.stop()
        log_all(run, tmp_path)
    assert store.get_run(run.id).info.status == "RUNNING"
    assert told[-1].startswith("The work is done, but the tracking store does not have all of it.")
    assert f"of run {run.id} wait in {outboxes() / run.id}. The next artsim train" in told[-1]
    server.start()
    with tracked_run("next", say=told.append):
        pass
    assert "Delivering" in "".join(told)
    assert not [line for line in told if "is set to FAILED" in line]
    check_all(store, run.id)


@pytest.mark.usefixtures("_impatient")
def test_an_artifact_store_that_is_away_holds_up_only_files(
    server: LocalServer, store: MlflowClient, tmp_path: Path
) -> None:
    told: list[str] = []
    with tracked_run("a-name", say=told.append) as run:
        server.fault, server.faulty = HTTPStatus.BAD_GATEWAY, "mlflow-artifacts"
        log_all(run, tmp_path)
    assert told[0].startswith(f"The artifact store of {server.uri} is away")
    found = store.get_run(run.id)
    assert (found.info.status, found.data.metrics["train/loss"]) == ("FINISHED", 1 / 4)
    server.fault = None
    with tracked_run("next"):
        pass
    check_all(store, run.id)


@pytest.mark.usefixtures("_impatient")
def test_an_artifact_store_that_never_takes_files_ends_the_run_before_the_work(
    server: LocalServer, store: MlflowClient, tmp_path: Path
) -> None:
    (tmp_path / "selection.csv").write_text("filename\n")
    with pytest.raises(TrackingError, match=r"The artifact store of .* cannot be used"), tracked_run("a-name") as run:
        server.fault, server.faulty = HTTPStatus.FORBIDDEN, "mlflow-artifacts"
        run.log_file(tmp_path / "selection.csv")
        run.check_artifact_store()
        pytest.fail("the work must not begin")
    assert store.search_runs([os.environ["MLFLOW_EXPERIMENT_ID"]])[0].info.status == "FAILED"


def test_an_outage_before_the_work_does_not_end_it(server: LocalServer, store: MlflowClient, tmp_path: Path) -> None:
    with tracked_run("a-name") as run:
        server.stop()
        log_all(run, tmp_path)
        run.check_artifact_store()
        server.start()
    check_all(store, run.id)


def test_what_is_delivered_twice_is_there_once(
    server: LocalServer, store: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer is lost once, so that the courier cannot know whether the store has the step."""
    real, lost = courier.Courier._send, set[str]()  # private, as no fault of a server comes after its work

    def send(self: courier.Courier, steps: Sequence[Step]) -> None:
        real(self, steps)
        if steps[0].id not in lost:
            lost.add(steps[0].id)
            raise ConnectionResetError("the answer is lost")

    monkeypatch.setattr(courier.Courier, "_send", send)
    with tracked_run("a-name") as run:
        log_all(run, tmp_path)
    assert len(lost) > 5
    with tracked_run("next"):
        pass
    check_all(store, run.id)


KILLED = """
import os, signal, sys
from pathlib import Path
from artsim.tracking import outages
outages.IMPATIENT["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "1"
from artsim.tracking.run import tracked_run
from tests.tracking.outage import log_all
with tracked_run("killed") as run:
    print(run.id, flush=True)
    sys.stdin.readline()
    log_all(run, Path(sys.argv[1]))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_sigkill_in_an_outage_loses_nothing(server: LocalServer, store: MlflowClient, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "work")], cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
        server.stop()
        process.communicate("go\n")
    server.start()
    told: list[str] = []
    with tracked_run("next", say=told.append):
        pass
    check_all(store, run_id, "FAILED")
    assert "ended without a reason, as after SIGKILL" in store.get_run(run_id).data.tags["artsim.failure"]


@pytest.mark.usefixtures("_impatient")
def test_ctrl_c_in_an_outage_is_delivered_by_the_next_run(
    server: LocalServer, store: MlflowClient, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt) as told, tracked_run("a-name") as run:
        server.stop()
        log_all(run, tmp_path)
        raise KeyboardInterrupt
    assert "The tracking store does not have all of the run." in told.value.__notes__[0]
    server.start()
    with tracked_run("next"):
        pass
    check_all(store, run.id, "KILLED")


@pytest.mark.usefixtures("_impatient")
def test_a_run_that_was_interrupted_in_an_outage_can_be_resumed(server: LocalServer, store: MlflowClient) -> None:
    with pytest.raises(KeyboardInterrupt), tracked_run("a-name") as run:
        server.stop()
        run.set_tags({CHECKPOINT_TAG: "here", SUMMARIES_TAG: "there", SELECTION_TAG: "0", VERSION_TAG: __version__})
        run.log_metrics({"train/loss": 1.0}, 1)
        raise KeyboardInterrupt
    server.start()
    recorded = run_to_resume(run.id, say_nothing)
    assert recorded is not None
    assert recorded.checkpoint_dir == Path("here")
    with tracked_run("a-name", run.id) as resumed:
        for epoch, loss in ((1, 9.0), (2, 0.5)):
            resumed.log_metrics({"train/loss": loss}, epoch)
    assert [each.value for each in store.get_metric_history(run.id, "train/loss")] == [1.0, 0.5]
    assert store.get_run(run.id).info.status == "FINISHED"


@pytest.mark.usefixtures("_impatient")
def test_a_run_that_is_deleted_meanwhile_is_told_and_kept(
    server: LocalServer, store: MlflowClient, tmp_path: Path
) -> None:
    told: list[str] = []
    with tracked_run("a-name", say=told.append) as run:
        server.stop()
        log_all(run, tmp_path)
    store.delete_run(run.id)
    server.start()
    with tracked_run("next", say=told.append):
        pass
    assert "Remove the folder to give them up." in told[-1]
    store.restore_run(run.id)
    with tracked_run("one more", say=told.append):
        pass
    check_all(store, run.id)


@pytest.mark.usefixtures("_impatient")
def test_an_outbox_for_another_store_is_told_and_kept(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tracked_run("a-name") as run:
        server.stop()
        run.log_metrics({"auc": 0.5})
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    told: list[str] = []
    with tracked_run("elsewhere", say=told.append):
        pass
    assert f"entries for another tracking store wait here, {server.uri}" in told[0]
    assert (outboxes() / run.id).is_dir()


def test_a_full_disk_under_the_outbox_is_told_and_the_work_goes_on(
    server: LocalServer, store: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutputError("the outbox: can't be written (No space left on device).")

    told: list[str] = []
    with tracked_run("a-name", say=told.append) as run:
        with monkeypatch.context() as patch:
            patch.setattr(outbox.Outbox, "put", full)
            run.log_metrics({"auc": 0.5}, 1)  # the store is there, so it gets this at once
            server.stop()
            run.log_metrics({"auc": 0.6}, 2)
            run.log_metrics({"auc": 0.7}, 3)
        server.start()
        run.log_metrics({"auc": 0.8}, 4)
    assert [each.step for each in store.get_metric_history(run.id, "auc")] == [1, 4]
    assert told[0].startswith("the outbox: can't be written (No space left on device).")
    assert "2 entries are lost." in told[-1]


def test_a_step_that_the_store_refuses_holds_up_no_other(server: LocalServer, store: MlflowClient) -> None:
    told: list[str] = []
    with tracked_run("a-name", say=told.append) as run:
        run.log_metrics({"a name with ? in it": 1.0}, 1)
        run.log_metrics({"auc": 0.5}, 1)
    assert [each.step for each in store.get_metric_history(run.id, "auc")] == [1]
    assert "refuses a metrics of the run, which is not logged" in told[0]


def test_the_load_of_the_machine_is_measured_through_an_outage(
    server: LocalServer, store: MlflowClient, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    with tracked_run("a-name") as run:
        server.stop()
        steps = outboxes() / run.id / "steps"
        while len(list(steps.glob("[!.]*.json"))) < 4:  # one may be of another kind
            time.sleep(0.02)
        server.start()
    numbers = [each.step for each in store.get_metric_history(run.id, "system/cpu_utilization_percentage")]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 3
    assert "Traceback" not in capfd.readouterr().err
