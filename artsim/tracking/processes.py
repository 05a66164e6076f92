"""The process of each run: a tag names it, so that the next run notices that it has ended without a word."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator

import psutil
from mlflow.entities import Run as RunEntity
from mlflow.tracking import MlflowClient

from artsim.tracking.logged_models import link_checkpoints
from artsim.tracking.outbox import has_end

PROCESS_TAG = "artsim.process"
FAILURE_TAG = "artsim.failure"
PARENT_TAG = "mlflow.parentRunId"
CHECKPOINT_TAG = "artsim.checkpoint_dir"  # a run that has it can be resumed
# Seconds by which the start of one process may differ between two readings: the clock may be set meanwhile. A number is
# given to another process much later.
SAME_START = 60


def this_process() -> str:
    """The tag's value for this process: its host, its number and its start in seconds since 1970, as JSON."""
    process = psutil.Process()
    return json.dumps({"host": platform.node(), "pid": process.pid, "started": process.create_time()})


def is_gone(tag: str) -> bool | None:
    """Whether the process of a tag has ended; None if it belongs to another host, or the tag is not artsim's."""
    try:
        found = json.loads(tag)
        host, pid, started = found["host"], int(found["pid"]), float(found["started"])
    except (ValueError, TypeError, KeyError):
        return None
    if host != platform.node():
        return None
    try:
        return bool(abs(psutil.Process(pid).create_time() - started) > SAME_START)
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:  # of another user
        return False


def resume_command(run_id: str, *, is_launched: bool = False) -> str:
    """The command that resumes a run; `is_launched`: by `mlflow run`."""
    return f"mlflow run . --run-id {run_id}" if is_launched else f"artsim train --resume {run_id}"


def fail_dead_runs(client: MlflowClient, resumed: str | None) -> Iterator[str]:
    """Set each run to FAILED that is RUNNING although its process on this host has ended. Yield a line for each.

    The run that is resumed stays as it is. So does a run whose end waits in its outbox.
    """
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    for run in client.search_runs(experiments, "attributes.status = 'RUNNING'"):
        if run.info.run_id == resumed or has_end(run.info.run_id):
            continue
        if is_gone(run.data.tags.get(PROCESS_TAG, "")):
            reason = _reason(run)
            client.set_tag(run.info.run_id, FAILURE_TAG, reason)
            client.set_terminated(run.info.run_id, "FAILED")
            link_checkpoints(client, run)
            yield f"Run {run.info.run_id} is set to FAILED. {reason}"


def _reason(run: RunEntity) -> str:
    process = json.loads(run.data.tags[PROCESS_TAG])
    reason = f"Its process {process['pid']} on {process['host']} ended without a reason, as after SIGKILL."
    return f"{reason} To resume it: {resume_command(run.info.run_id)}" if CHECKPOINT_TAG in run.data.tags else reason
