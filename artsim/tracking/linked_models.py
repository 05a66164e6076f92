"""A model of one run that is the model of another run too, such as the best of a sweep."""

from __future__ import annotations

from mlflow.entities import LoggedModelOutput
from mlflow.tracking import MlflowClient

from artsim.tracking.resolver import find_tower, step_of_tower
from artsim.tracking.store import tracking_errors


def share_tower(of_run: str, with_run: str) -> None:
    """Make the tower of a run the tower of another run too, so that `runs:/…` of both names it. It is stored once.

    Raises:
        ModelError: the run has no tower.
        TrackingError: the store cannot be used.
    """
    model_id = find_tower(f"runs:/{of_run}").model_id
    step = step_of_tower(of_run)
    if model_id is None:
        return
    with tracking_errors():
        client = MlflowClient()
        outputs = client.get_run(with_run).outputs
        if model_id not in {output.model_id for output in (outputs.model_outputs if outputs else [])}:
            client.log_outputs(with_run, [LoggedModelOutput(model_id, step)])


def experiment_of(run_id: str) -> str:
    """The ID of a run's experiment."""
    with tracking_errors():
        return str(MlflowClient().get_run(run_id).info.experiment_id)
