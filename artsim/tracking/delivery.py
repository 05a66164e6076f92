"""The delivery of steps to the store. Each step may be delivered again after an uncertain end.

- MLflow keeps one of two metrics with the same key, step, time and value, in a run and in a model.
- Params, tags, datasets and artifacts of the same name are replaced by themselves.
- A model carries the ID of its step in a tag. It is looked up before it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelStatus,
    Metric,
    Param,
)
from mlflow.models import Model
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_LOGGED_ARTIFACTS, MLFLOW_MODEL_IS_EXTERNAL

from artsim.tracking.logged_models import (
    CHECKPOINT_TAG,
    Measurement,
    as_metrics,
    link_checkpoints,
    link_model,
    logged_measurements,
)
from artsim.tracking.processes import FAILURE_TAG, PARENT_TAG
from artsim.tracking.steps import WAITING, Kind, Step

STEP_TAG = "artsim.step"  # of a model: the step that has made it
MODEL_METRICS = ("train/", "val_")  # how the names of the metrics of a checkpoint begin

KeepModel = Callable[[str, str], None]


class Delivery:
    """Delivers the steps of one run."""

    def __init__(
        self, client: MlflowClient, run_id: str, models: dict[str, str] | None = None, keep: KeepModel | None = None
    ) -> None:
        """`models` are the IDs of models by step; `keep` receives each new one."""
        self.client = client
        self.run_id = run_id
        self._models = {} if models is None else models
        self._keep = keep or self._models.__setitem__
        self._followed: dict[str, dict[str, str]] = {}  # digests of datasets, by run

    def __call__(self, step: Step) -> str | None:
        """Deliver a step; return the ID of the model that it has made."""
        return _METHODS[step.kind](self, step)

    def metrics(self, steps: Sequence[Step]) -> None:
        """Deliver metrics in one request."""
        self.client.log_batch(self.run_id, metrics=[each for step in steps for each in self._measured(step)])

    def _measured(self, step: Step) -> list[Metric]:
        measured, model = self._measurement(step.data), step.data.get("model")
        parts = [measured]
        if step.data.get("is_resumed"):
            names = measured.metrics
            parts = logged_measurements(self.client, self.run_id, names, measured.step, measured.datasets)
            known = {name for part in parts for name in part.metrics}
            parts.append(replace(measured, metrics={name: names[name] for name in names if name not in known}))
        model_id = model and self._model_id(str(model))
        return [metric for part in parts for metric in as_metrics(self.run_id, part, model_id)]

    def _measurement(self, data: Any) -> Measurement:
        datasets = dict(data["datasets"])
        if (followed := data.get("parent")) is not None:
            datasets |= self._datasets_of(followed)
        return Measurement(data["metrics"], data["step"], datasets, data["time"])

    def _model_id(self, model: str) -> str:
        return self._models[model.removeprefix(WAITING)] if model.startswith(WAITING) else model

    def _name(self, step: Step) -> None:
        self.client.update_run(self.run_id, name=step.data["name"])

    def _params(self, step: Step) -> None:
        """Log the params that the run lacks. MLflow forbids changes of those that `mlflow run` has written."""
        logged = self.client.get_run(self.run_id).data.params
        new = {key: value for key, value in step.data["params"].items() if key not in logged}
        self.client.log_batch(self.run_id, params=[Param(*item) for item in new.items()])

    def _metrics(self, step: Step) -> None:
        self.metrics([step])

    def _tags(self, step: Step) -> None:
        for key, value in step.data["tags"].items():
            self.client.set_tag(self.run_id, key, value)

    def _dataset(self, step: Step) -> None:
        tags = [InputTag(MLFLOW_DATASET_CONTEXT, step.data["context"])]
        self.client.log_inputs(self.run_id, [DatasetInput(Dataset(**step.data["dataset"]), tags)])

    def _used_model(self, step: Step) -> None:
        self.client.log_inputs(self.run_id, models=[LoggedModelInput(step.data["model"])])

    def _parent(self, step: Step) -> None:
        self.client.set_tag(self.run_id, PARENT_TAG, step.data["run"])
        self.client.log_inputs(self.run_id, self._sets_of(step.data["run"]))

    def _sets_of(self, run_id: str) -> list[DatasetInput]:
        inputs = self.client.get_run(run_id).inputs
        return [each for each in inputs.dataset_inputs if each.dataset.name != "selection"] if inputs else []

    def _datasets_of(self, run_id: str) -> dict[str, str]:
        if run_id not in self._followed:
            self._followed[run_id] = {each.dataset.name: each.dataset.digest for each in self._sets_of(run_id)}
        return self._followed[run_id]

    def _file(self, step: Step) -> None:
        self.client.log_artifact(self.run_id, str(step.path), step.data["folder"])

    def _table(self, step: Step) -> None:
        """Log a table. `MlflowClient.log_table` adds the rows to those that are there, so it cannot be repeated."""
        self._file(step)
        self.client.set_tag(self.run_id, MLFLOW_LOGGED_ARTIFACTS, step.data["tag"])

    def _tower(self, step: Step) -> str:
        data, run_id = step.data, step.data["run"]
        model_id, location = self._made_model(step, run_id, data["tags"], None)
        folder = Path(str(step.path))
        description = Model.load(str(folder / "MLmodel"))
        description.model_uuid = description.model_id = model_id
        description.artifact_path = location
        description.save(str(folder / "MLmodel"))
        try:
            self.client.log_model_artifacts(model_id, str(folder))
        except Exception:
            with suppress(Exception):  # the store may be away
                self.client.finalize_logged_model(model_id, LoggedModelStatus.FAILED)
            raise
        self.client.finalize_logged_model(model_id, LoggedModelStatus.READY)
        link_model(self.client, run_id, model_id, data["step"])
        return model_id

    def _checkpoint(self, step: Step) -> str:
        """Log a checkpoint as a model. It replaces the run's model of an earlier epoch, whose file is overwritten.

        The run is linked to it at its end only: MLflow keeps links to models that are deleted.
        """
        data, run_id = step.data, self.run_id
        earlier = [model for model in self._models_of(run_id, data["name"]) if model.tags.get(STEP_TAG) != step.id]
        tags = {CHECKPOINT_TAG: f"runs:/{run_id}/{data['artifact']}", MLFLOW_MODEL_IS_EXTERNAL: "true"}
        model_id, _ = self._made_model(step, run_id, tags, {"step": str(data["step"])})
        self.client.finalize_logged_model(model_id, LoggedModelStatus.READY)
        measured = [self._measurement(each) for each in data["measured"]] or self._logged_before(step)
        metrics = [metric for each in measured for metric in as_metrics(run_id, each.only(MODEL_METRICS), model_id)]
        self.client.log_batch(run_id, metrics=metrics)
        for model in earlier:
            self.client.delete_logged_model(model.model_id)
        return model_id

    def _logged_before(self, step: Step) -> list[Measurement]:
        """What an earlier process has logged at a step, in a run that is resumed."""
        names, datasets = self.client.get_run(self.run_id).data.metrics, step.data["datasets"]
        return logged_measurements(self.client, self.run_id, names, step.data["step"], datasets)

    def _models_of(self, run_id: str, name: str) -> list[Any]:
        experiment = self.client.get_run(run_id).info.experiment_id
        wanted = f"name = '{name}' AND source_run_id = '{run_id}'"
        return list(self.client.search_logged_models([experiment], wanted))

    def _made_model(
        self, step: Step, run_id: str, tags: dict[str, str], params: dict[str, str] | None
    ) -> tuple[str, str]:
        """The ID and the address of the model of a step, which is made unless a first try has made it."""
        name = step.data["name"]
        made = [model for model in self._models_of(run_id, name) if model.tags.get(STEP_TAG) == step.id]
        if made:
            model = made[0]
        else:
            # Not `mlflow.create_external_model`: it imports pyspark where that is installed, and pyspark 4.3 ends the
            # process if the main module has no file.
            run = self.client.get_run(run_id)
            model = self.client.create_logged_model(
                run.info.experiment_id,
                name,
                source_run_id=run_id,
                tags={**tags, STEP_TAG: step.id},
                params=run.data.params if params is None else params,
                model_type=step.kind.value,
            )
        self._keep(step.id, model.model_id)
        self._models[step.id] = model.model_id
        return model.model_id, model.artifact_location

    def _removal(self, step: Step) -> None:
        """Remove artifacts that are not needed any more, if the store can do that."""
        with suppress(NotImplementedError):
            repository: Any = get_artifact_repository(self.client.get_run(self.run_id).info.artifact_uri)
            repository.delete_artifacts(step.data["name"])

    def _end(self, step: Step) -> None:
        status = step.data["status"]
        # A run whose process is dead is taken for a failure meanwhile.
        if status == "FINISHED" and FAILURE_TAG in self.client.get_run(self.run_id).data.tags:
            self.client.delete_tag(self.run_id, FAILURE_TAG)
        self.client.set_terminated(self.run_id, status, step.data["time"])
        link_checkpoints(self.client, self.client.get_run(self.run_id))


_METHODS: dict[Kind, Callable[[Delivery, Step], str | None]] = {
    Kind.NAME: Delivery._name,
    Kind.PARAMS: Delivery._params,
    Kind.METRICS: Delivery._metrics,
    Kind.TAGS: Delivery._tags,
    Kind.DATASET: Delivery._dataset,
    Kind.USED_MODEL: Delivery._used_model,
    Kind.PARENT: Delivery._parent,
    Kind.FILE: Delivery._file,
    Kind.TABLE: Delivery._table,
    Kind.TOWER: Delivery._tower,
    Kind.CHECKPOINT: Delivery._checkpoint,
    Kind.REMOVAL: Delivery._removal,
    Kind.END: Delivery._end,
}
