"""`python -m artsim.tracking.restore_killed RUN_ID`: set a run back to KILLED after `mlflow run` sets it to FAILED.

When its child process ends, `mlflow run` marks the run as FAILED unless it has ended already. MLflow 3.17.2 checks this
with `RunStatus.is_terminated`, which compares numbers, but passes the name of the status. So it always writes FAILED.
This process outlives both and restores KILLED.
"""

from __future__ import annotations

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


if __name__ == "__main__":
    main(sys.argv[1])
