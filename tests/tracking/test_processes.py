"""The process of a run: whether it is still there, and what becomes of the runs of others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from artsim.tracking.processes import is_gone, this_process
from artsim.tracking.run import tracked_run

DEAD = (
    "from artsim.tracking.run import tracked_run; import os, signal\n"
    "with tracked_run('dead') as run:\n"
    "    run.set_tags({'artsim.checkpoint_dir': 'somewhere'})\n"
    "    os.kill(os.getpid(), signal.SIGKILL)\n"
)


def changed(**fields: object) -> str:
    return json.dumps(json.loads(this_process()) | fields)


@pytest.mark.parametrize(
    ("tag", "gone"),
    [
        (this_process(), False),
        (changed(started=0), True),  # its number belongs to another process now
        (changed(pid=2**30), True),
        (changed(host="elsewhere"), None),
        ("", None),
        ("[]", None),
        (json.dumps({"host": "here", "pid": "x", "started": None}), None),
    ],
    ids=["alive", "its number used again", "dead", "of another host", "no tag", "no object", "no numbers"],
)
def test_a_process_is_there_or_gone_or_of_another_host(tag: str, gone: bool | None) -> None:
    assert is_gone(tag) is gone


def test_the_next_run_fails_one_whose_process_was_killed(working_folder: Path) -> None:
    client = MlflowClient(f"sqlite:///{working_folder}/mlflow.db")
    subprocess.run([sys.executable, "-c", DEAD], check=False, env={**os.environ, "GIT_PYTHON_REFRESH": "quiet"})
    (dead,) = client.search_runs(["0"])
    assert dead.info.status == "RUNNING"
    mine = client.create_run("0", tags={"artsim.process": this_process()}).info.run_id
    told: list[str] = []
    with tracked_run("next", say=told.append):
        pass
    found = client.get_run(dead.info.run_id)
    assert found.info.status == "FAILED"
    reason = found.data.tags["artsim.failure"]
    assert "ended without a reason, as after SIGKILL" in reason
    assert reason.endswith(f"To resume it: artsim train --resume {dead.info.run_id}")
    assert told == [f"Run {dead.info.run_id} is set to FAILED. {reason}"]
    assert client.get_run(mine).info.status == "RUNNING"


def test_a_resumed_run_logs_each_step_of_a_metric_once_and_loses_its_failure(working_folder: Path) -> None:
    client = MlflowClient(f"sqlite:///{working_folder}/mlflow.db")
    with pytest.raises(ValueError, match="once"), tracked_run("a-name") as run:
        run.log_metrics({"train/loss": 1.0}, 1)
        raise ValueError("once")
    with tracked_run("another", run.id) as resumed:
        for step, loss in ((1, 9.0), (2, 0.5)):
            resumed.log_metrics({"train/loss": loss}, step)
    found = client.get_run(run.id)
    assert (found.info.status, found.info.run_name) == ("FINISHED", "a-name")
    assert "artsim.failure" not in found.data.tags
    logged = client.get_metric_history(run.id, "train/loss")
    assert [(metric.step, metric.value) for metric in logged] == [(1, 1.0), (2, 0.5)]


def test_the_checkpoint_of_a_resumed_run_logs_no_metric_again_beside_an_earlier_one_of_its_step(
    working_folder: Path,
) -> None:
    """The load of the machine has steps of its own, which can be the number of an epoch."""
    client = MlflowClient(f"sqlite:///{working_folder}/mlflow.db")
    with pytest.raises(ValueError, match="once"), tracked_run("a-name") as run:
        run.log_system_metrics({"system/cpu": 50.0}, 2)
        time.sleep(0.01)  # times are in milliseconds
        run.log_metrics({"train/loss": 1.0}, 2)
        raise ValueError("once")
    with tracked_run("another", run.id) as resumed:
        resumed.log_metrics({"train/loss": 1.0, "val_seen/loss": 2.0}, 2)
        resumed.log_checkpoint("last", 2, "checkpoints/last.keras")
    for name, value in (("train/loss", 1.0), ("val_seen/loss", 2.0)):
        assert [(each.step, each.value) for each in client.get_metric_history(run.id, name)] == [(2, value)]
    (model,) = client.search_logged_models(client.get_run(run.id).info.experiment_id.split())
    assert {metric.key: metric.value for metric in model.metrics or []} == {"train/loss": 1.0, "val_seen/loss": 2.0}
