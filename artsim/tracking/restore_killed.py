"""`python -m artsim.tracking.restore_killed RUN_ID`: set a run back to KILLED after `mlflow run` sets it to FAILED.

When its child process ends, `mlflow run` marks the run as FAILED unless it has ended already. MLflow 3.17.2 checks this
with `RunStatus.is_terminated`, which compares numbers, but passes the name of the status. So it always writes FAILED.
This process outlives both and restores KILLED.
"""

from __future__ import annotations

import subprocess
import sys
import time

from mlflow.tracking import MlflowClient

KILLED = "KILLED"
PATIENCE = 60  # seconds to wait for the end of `mlflow run`, generous for a busy machine


def main(run_id: str, patience: float = PATIENCE) -> None:
    """Wait until the run has another status, and restore KILLED."""
    client = MlflowClient()
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if client.get_run(run_id).info.status != KILLED:
            client.set_terminated(run_id, KILLED)
            return
        time.sleep(0.2)


def start_restoring(run_id: str) -> None:
    """Start the process that restores KILLED after `mlflow run` has set FAILED; it must outlive both."""
    nothing = subprocess.DEVNULL
    command = [sys.executable, "-m", "artsim.tracking.restore_killed", run_id]
    subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)  # noqa: S603 - our own


if __name__ == "__main__":
    main(sys.argv[1])
