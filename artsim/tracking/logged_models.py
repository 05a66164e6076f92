"""The models of a run: its tower as a pair scorer, towers in reduced precision, and its checkpoints.

Each is a LoggedModel of MLflow with a step and metrics, so that `mlflow.search_logged_models` compares those of all
runs. A metric `val_unseen/auc` of a model belongs to the dataset `val_unseen`. A tower's files are those of its model.
The files of a checkpoint are artifacts of the run; its model names them and stores none.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mlflow.entities import LoggedModelOutput, Metric, Run
from mlflow.tracking import MlflowClient

TOWER_MODEL = "tower"
SHA256_TAG = "artsim.tower_sha256"
CHECKPOINT_TAG = "artsim.checkpoint"


@dataclass(frozen=True)
class TowerModel:
    """A tower to log: its ONNX file, the model's name and step, and texts about it for MLflow's page."""

    path: Path
    name: str = TOWER_MODEL
    step: int = 0
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """Metrics of one step, taken at `time` (milliseconds since 1970); `datasets` are digests by name.

    The same measurement can be logged again for a model. MLflow then keeps one copy in the run.
    """

    metrics: Mapping[str, float]
    step: int
    datasets: Mapping[str, str] = field(default_factory=dict)
    time: int = field(default_factory=lambda: int(time.time() * 1000))

    def only(self, beginnings: tuple[str, ...]) -> Measurement:
        """The metrics whose names begin in one of these ways."""
        return replace(self, metrics={key: value for key, value in self.metrics.items() if key.startswith(beginnings)})


def as_metrics(run_id: str, measured: Measurement, model_id: str | None = None) -> list[Metric]:
    """Metrics of a run, and of a model of it; each with the dataset that its name begins with."""
    metrics = []
    for key, value in measured.metrics.items():
        dataset = key.partition("/")[0]
        digest = measured.datasets.get(dataset)
        name = None if digest is None else dataset
        metrics.append(Metric(key, value, measured.time, measured.step, model_id, name, digest, run_id))
    return metrics


def logged_measurements(
    client: MlflowClient, run_id: str, names: Iterable[str], step: int, datasets: Mapping[str, str]
) -> list[Measurement]:
    """The metrics with these names that a run has at a step: a measurement for each time, from the first one on."""
    by_time: dict[int, dict[str, float]] = {}
    for each in (each for name in names for each in client.get_metric_history(run_id, name) if each.step == step):
        by_time.setdefault(each.timestamp, {})[each.key] = each.value
    return [Measurement(metrics, step, datasets, taken_at) for taken_at, metrics in sorted(by_time.items())]


def link_model(client: MlflowClient, run_id: str, model_id: str, step: int) -> None:
    """Make a model an output of a run, unless it is one. MLflow refuses to do it twice."""
    outputs = client.get_run(run_id).outputs
    if model_id not in {each.model_id for each in (outputs.model_outputs if outputs else [])}:
        client.log_outputs(run_id, [LoggedModelOutput(model_id, step)])


def link_checkpoints(client: MlflowClient, run: Run) -> None:
    """Make the checkpoints of a run that has ended its outputs."""
    wanted = f"source_run_id = '{run.info.run_id}'"
    for model in client.search_logged_models([run.info.experiment_id], wanted):
        if model.model_type == "checkpoint":
            link_model(client, run.info.run_id, model.model_id, int(model.params["step"]))
