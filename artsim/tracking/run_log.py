"""What can be logged in a run. Each method makes a step, which is delivered at once or when the store takes it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import pandas as pd
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import RunStatus
from mlflow.models import Model

from artsim.escaping import masked
from artsim.files import file_sha256, writing
from artsim.tracking.logged_models import SHA256_TAG, Measurement, TowerModel
from artsim.tracking.model_folder import save_model_folder
from artsim.tracking.steps import Kind, Step
from artsim.tracking.store import tracking_errors

NOTE_TAG = "mlflow.note.content"
PARAM_LENGTH = 6000  # MLflow's own limit
DIGEST_LENGTH = 36  # MLflow's own limit


class Post(Protocol):
    """Takes the steps of a run: `Direct` delivers them at once, `Courier` by its outbox."""

    def post(self, step: Step) -> str | None:
        """Take a step; return the ID of the model that it makes, if it makes one."""

    def settle(self) -> None:
        """Wait until the store has all steps, or is away."""

    def finish(self, patience: float) -> str | None:
        """Take no more steps. Return what the store lacks, in words."""


class RunLog:
    """The methods that log. A store of files on this machine raises its errors as a TrackingError or OutputError."""

    def __init__(self, run_id: str, post: Post) -> None:
        self.id = run_id
        self._post = post
        self._folders: list[tuple[Path, str, Collection[str]]] = []
        self._logged: dict[Path, tuple[int, int]] = {}  # files: time of change and size
        self._datasets: dict[str, str] = {}  # digests by name
        self._parent: str | None = None
        self._measured: dict[int, list[Measurement]] = {}  # by step
        self._is_resumed = False

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log the params that the run lacks."""
        self._log(Kind.PARAMS, {"params": {key: masked(str(value))[:PARAM_LENGTH] for key, value in params.items()}})

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0, model_id: str | None = None) -> None:
        """Log the metrics of an epoch, or of the whole run as step 0; those of a model also for the model.

        A metric belongs to the dataset that its name begins with, such as `val_unseen/auc` to `val_unseen`. A run
        that is resumed keeps the values that it has logged, so a curve has no step twice.
        """
        measured = Measurement({key: float(value) for key, value in metrics.items()}, step, dict(self._datasets))
        self._measured.setdefault(step, []).append(measured)
        self._log(Kind.METRICS, {**self._as_data(measured), "model": model_id, "is_resumed": self._is_resumed})

    def log_system_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Log the load of the machine. The steps of a resumed run go on after those that it has."""
        self._log(Kind.METRICS, {**self._as_data(Measurement(metrics, step)), "is_resumed": False})

    def _as_data(self, measured: Measurement) -> dict[str, Any]:
        return {**asdict(measured), "parent": self._parent}

    def log_dataset(self, name: str, table: pd.DataFrame, source: Path, digest: str, context: str) -> None:
        """Log a dataset of the run, such as its selection; `source` is the file that holds it."""
        with tracking_errors(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow 3.17.2 warns that two of its resolvers match a local path
            place = masked(str(source.absolute()))
            data = from_pandas(table, source=place, name=name, digest=digest[:DIGEST_LENGTH])
        self._log_input(data, context)

    def log_file_as_dataset(self, name: str, path: Path) -> None:
        """Log a file as a dataset of the run, without reading it as a table."""
        with tracking_errors(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in `log_dataset`
            source = resolve_dataset_source(masked(str(path.absolute())))
            # MLflow leaves `profile` abstract, and its metaclass is not ABCMeta.
            data = MetaDataset(source, name, file_sha256(path)[:DIGEST_LENGTH])  # type: ignore[abstract]
        self._log_input(data, "evaluation")

    def _log_input(self, data: Any, context: str) -> None:
        self._log(Kind.DATASET, {"dataset": dict(data._to_mlflow_entity()), "context": context})
        self._datasets[data.name] = data.digest

    def log_table(self, table: pd.DataFrame, name: str) -> None:
        """Log a table, which MLflow can show and compare."""
        with TemporaryDirectory(prefix="artsim-") as scratch:
            path = Path(scratch, name)
            with writing(path):
                table.to_json(path, orient="split", index=False, date_format="iso")
            tag = f'[{{"path": "{name}", "type": "table"}}]'
            self._log(Kind.TABLE, {"folder": None, "tag": tag}, path)

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Log one file as an artifact."""
        self._log(Kind.FILE, {"folder": folder}, path)

    def log_tower(self, tower: TowerModel, of_run: str | None = None) -> str:
        """Log a tower as a model of the run, or of another run, which may have ended.

        Returns the model's ID. While the store has not made the model, it is an ID for `log_metrics` only.
        """
        run_id, texts = of_run or self.id, tower.texts
        tags = {SHA256_TAG: file_sha256(tower.path), **{f"artsim.{key}": value for key, value in texts.items()}}
        with TemporaryDirectory(prefix="artsim-") as scratch:
            folder = Path(scratch, "model")
            with tracking_errors():
                save_model_folder(folder, tower.path, Model(run_id=run_id), texts)
            data = {"run": run_id, "name": tower.name, "step": tower.step, "tags": tags}
            return str(self._log(Kind.TOWER, data, folder))

    def use_model(self, model_id: str) -> None:
        """Log a model as an input of the run."""
        self._log(Kind.USED_MODEL, {"model": model_id})

    def follow(self, run_id: str) -> None:
        """Make the run a child of another one, with the same validation sets."""
        self._parent = run_id
        self._log(Kind.PARENT, {"run": run_id})

    def log_checkpoint(self, name: str, step: int, artifact: str) -> None:
        """Log a checkpoint, whose file is an artifact of the run, as a model with the metrics of its step.

        It takes the place of the run's model with this name.
        """
        known = [] if self._is_resumed else self._measured.get(step, [])
        data = {"name": name, "step": step, "artifact": artifact, "datasets": dict(self._datasets)}
        self._log(Kind.CHECKPOINT, {**data, "measured": [self._as_data(each) for each in known]})

    def log_folder_at_end(self, folder: Path, name: str, leave_out: Collection[str] = ()) -> None:
        """Log the files of a folder as artifacts under `name` when the run ends, also after a failure.

        Files with a name in `leave_out` are logged elsewhere.
        """
        self._folders.append((folder, name, leave_out))

    def log_folders(self) -> None:
        """Log the folders of `log_folder_at_end` as they are now."""
        for folder, name, leave_out in self._folders:
            self.log_changed_files(folder, name, leave_out)

    def log_changed_files(self, folder: Path, name: str, leave_out: Collection[str] = ()) -> None:
        """Log the files of a folder as artifacts under `name`, except those that are logged as they are now."""
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.name in leave_out:
                continue
            status, place = path.stat(), path.parent.relative_to(folder)
            state = (status.st_mtime_ns, status.st_size)
            if self._logged.get(path) != state:
                self.log_file(path, name if place == Path() else f"{name}/{place.as_posix()}")
                self._logged[path] = state

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags, without passwords."""
        self._log(Kind.TAGS, {"tags": {key: masked(value) for key, value in tags.items()}})

    def set_description(self, text: str) -> None:
        """Set the description of the run, in Markdown."""
        self.set_tags({NOTE_TAG: text})

    def remove_artifacts(self, name: str) -> None:
        """Remove artifacts that are not needed any more, if the store can do that."""
        self._log(Kind.REMOVAL, {"name": name})

    def check_artifact_store(self) -> None:
        """Wait until the store has what was logged so far, before work that takes long.

        Raises:
            TrackingError: the artifact store does not take files.
        """
        self._post.settle()

    def end(self, status: int) -> None:
        """End the run."""
        self._log(Kind.END, {"status": RunStatus.to_string(status), "time": int(time.time() * 1000)})

    def _log(self, kind: Kind, data: Mapping[str, Any], path: Path | None = None) -> str | None:
        return self._post.post(Step(kind, data, path))
