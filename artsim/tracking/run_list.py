"""The training runs of an experiment, and what they have logged for comparisons."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import mlflow
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from artsim.errors import InputError, TrackingError
from artsim.escaping import masked
from artsim.tracking.processes import PARENT_TAG
from artsim.tracking.resumed import NOT_THERE
from artsim.tracking.store import check_store, missing_store, silence_logs, tracking_errors

# MLflow's own variables and default.
NAME_VARIABLE, ID_VARIABLE, DEFAULT_EXPERIMENT = "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "Default"
MOST_RUNS = 1000  # that are listed, the newest ones


@dataclass(frozen=True)
class TrackedRun:
    """A training run, as the store knows it.

    Attributes:
        started: milliseconds since 1970.
        minutes: None while it is running.
        metrics: the last value of each.
        digests: of its datasets, by name.
        model: the tower as a name for `--model`; None: it has none.
    """

    id: str
    name: str
    status: str
    started: int
    minutes: float | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    digests: Mapping[str, str]
    model: str | None

    @classmethod
    def of(cls, run: Run) -> TrackedRun:
        """What is needed of a run of MLflow."""
        info, inputs = run.info, run.inputs.dataset_inputs if run.inputs else []
        ended = None if info.end_time is None else (info.end_time - info.start_time) / 60_000
        has_model = bool(run.outputs and run.outputs.model_outputs)
        return cls(
            info.run_id,
            info.run_name or info.run_id,
            info.status,
            info.start_time,
            ended,
            run.data.params,
            run.data.metrics,
            {each.dataset.name: each.dataset.digest for each in inputs},
            f"runs:/{info.run_id}" if has_model else None,
        )


def training_runs(experiment: str | None) -> tuple[str, list[TrackedRun]]:
    """The name of an experiment, and its training runs, the newest first. None: the one that a training would log to.

    Raises:
        InputError: there is no such experiment.
        TrackingError: the store cannot be used, or does not exist.
    """
    client = _client()
    with tracking_errors():
        wanted = experiment or os.environ.get(NAME_VARIABLE) or os.environ.get(ID_VARIABLE) or DEFAULT_EXPERIMENT
        found = client.get_experiment_by_name(wanted) or _by_id(client, wanted)
        if found is None:
            known = ", ".join(sorted(each.name for each in client.search_experiments(max_results=20)))
            raise InputError(f"{wanted}: the store has no such experiment. It has: {known}.")
        runs = client.search_runs([found.experiment_id], max_results=MOST_RUNS, order_by=["attributes.start_time DESC"])
    trainings = [run for run in runs if "recipe" in run.data.params and PARENT_TAG not in run.data.tags]
    return found.name, [TrackedRun.of(run) for run in trainings]


def find_run(run_id: str) -> TrackedRun:
    """A run by its ID.

    Raises:
        InputError: there is no such run.
        TrackingError: the store cannot be used, or does not exist.
    """
    client = _client()
    with tracking_errors():
        try:
            return TrackedRun.of(client.get_run(run_id))
        except MlflowException as error:
            if error.error_code not in NOT_THERE:
                raise
    uri = mlflow.get_tracking_uri()
    raise InputError(
        f"{run_id}: no file, and the store {masked(uri, uri)} has no such run. Name a file of scores or the ID of a "
        "run, or set MLFLOW_TRACKING_URI to the store that has it."
    )


def _client() -> MlflowClient:
    silence_logs()
    if (path := missing_store()) is not None:
        raise TrackingError(f"There is no store {path}. Name MLflow's store by MLFLOW_TRACKING_URI.")
    check_store()
    return MlflowClient()


def _by_id(client: MlflowClient, experiment: str) -> mlflow.entities.Experiment | None:
    with suppress(MlflowException):
        return client.get_experiment(experiment)
    return None
