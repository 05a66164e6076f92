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
from tempfile import TemporaryDirectory

from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric
from mlflow.models import Model
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_IS_EXTERNAL

from artsim.files import file_sha256
from artsim.tracking.model_folder import save_model_folder

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


def log_tower(client: MlflowClient, run_id: str, tower: TowerModel) -> str:
    """Log a tower as a model of a run, and return the model's ID. The run may have ended."""
    run = client.get_run(run_id)
    tags = {SHA256_TAG: file_sha256(tower.path), **{f"artsim.{key}": value for key, value in tower.texts.items()}}
    logged = client.create_logged_model(
        run.info.experiment_id, tower.name, source_run_id=run_id, tags=tags, params=run.data.params, model_type="tower"
    )
    # `Model.log` would also link the system metrics of the same step to the model.
    description = Model(
        artifact_path=logged.artifact_location, model_uuid=logged.model_id, model_id=logged.model_id, run_id=run_id
    )
    try:
        with TemporaryDirectory(prefix="artsim-") as scratch:
            folder = Path(scratch, "model")
            save_model_folder(folder, tower.path, description, tower.texts)
            client.log_model_artifacts(logged.model_id, str(folder))
    except BaseException:
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.FAILED)
        raise
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, tower.step)])
    return str(logged.model_id)


def log_checkpoint(client: MlflowClient, run_id: str, name: str, step: int, artifact: str) -> str:
    """Log a checkpoint, whose file is an artifact of the run, as a model of a step; return the model's ID."""
    # Not `mlflow.create_external_model`: it imports pyspark where that is installed, and pyspark 4.3 ends the process
    # if the main module has no file.
    logged = client.create_logged_model(
        client.get_run(run_id).info.experiment_id,
        name,
        source_run_id=run_id,
        tags={CHECKPOINT_TAG: f"runs:/{run_id}/{artifact}", MLFLOW_MODEL_IS_EXTERNAL: "true"},
        params={"step": str(step)},
        model_type="checkpoint",
    )
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step)])
    return str(logged.model_id)


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


def log_measurement(client: MlflowClient, run_id: str, measured: Measurement, model_id: str | None = None) -> None:
    """Log metrics for a run, and for a model of it; each with the dataset that its name begins with."""
    metrics = []
    for key, value in measured.metrics.items():
        dataset = key.partition("/")[0]
        digest = measured.datasets.get(dataset)
        name = None if digest is None else dataset
        metrics.append(Metric(key, value, measured.time, measured.step, model_id, name, digest, run_id))
    client.log_batch(run_id, metrics=metrics)


def logged_measurement(
    client: MlflowClient, run_id: str, names: Iterable[str], step: int, datasets: Mapping[str, str]
) -> Measurement | None:
    """The metrics with these names that a run has at a step; None: there are none."""
    found = [each for name in names for each in client.get_metric_history(run_id, name) if each.step == step]
    if not found:
        return None
    return Measurement({each.key: each.value for each in found}, step, datasets, min(each.timestamp for each in found))
