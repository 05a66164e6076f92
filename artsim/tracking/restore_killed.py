"""`python -m artsim.tracking.restore_killed RUN_ID`: have a run that was interrupted under `mlflow run` end as KILLED.

When its child is gone, `mlflow run` means to end the run only if the child has not, but it compares the name of the
status with numbers (mlflow.entities.RunStatus.is_terminated), so it always writes FAILED. This process outlives both
and puts KILLED back.
"""

from __future__ import annotations

import sys
import time

from mlflow.tracking import MlflowClient

KILLED = "KILLED"
PATIENCE = 60  # seconds for `mlflow run` to end


def main(run_id: str, patience: float = PATIENCE) -> None:
    """Wait until the run is said to have ended otherwise, and correct that."""
    client = MlflowClient()
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if client.get_run(run_id).info.status != KILLED:
            client.set_terminated(run_id, KILLED)
            return
        time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1])
