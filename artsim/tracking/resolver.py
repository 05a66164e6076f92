"""Models in MLflow, by name: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `models:/MODEL_ID`, `runs:/RUN_ID[/NAME]`.

A tower is downloaded once. It lies in the user's cache under its SHA-256, and is compared with it at each use.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
from mlflow.entities import LoggedModel, LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.tracking import MlflowClient
from platformdirs import user_cache_path

from artsim.errors import ModelError, TrackingError
from artsim.files import file_sha256, writing
from artsim.scoring.tower_folder import PLACES
from artsim.tracking.logged_models import SHA256_TAG, TOWER_MODEL
from artsim.tracking.store import check_store, missing_store, silence_logs, tracking_errors

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NOT_THERE = (ErrorCode.Name(RESOURCE_DOES_NOT_EXIST), ErrorCode.Name(INVALID_PARAMETER_VALUE))


@dataclass(frozen=True)
class TrackedTower:
    """Where MLflow has a tower: the address of the model's files, and, where known, its SHA-256, run and model."""

    address: str
    sha256: str | None
    run_id: str | None
    model_id: str | None


def cached_tower(name: str) -> Path:
    """The tower of a model in MLflow, downloaded to the user's cache unless it is there.

    Raises:
        ModelError: there is no such model, it has no tower, or its file has changed since it was logged.
        TrackingError: the store cannot be reached.
        OutputError: the cache cannot be written.
    """
    tower = find_tower(name)
    if tower.sha256 is not None:
        cached = _place(tower.sha256)
        if cached.is_file() and file_sha256(cached) == tower.sha256:
            return cached
    with TemporaryDirectory(prefix="artsim-") as scratch, _model_errors(name), tracking_errors():
        return _kept(name, _download(name, tower, scratch), tower.sha256)


def find_tower(name: str) -> TrackedTower:
    """Look up a model in MLflow.

    Raises:
        ModelError: there is no such model.
        TrackingError: the store cannot be reached.
    """
    silence_logs()
    if (path := missing_store()) is not None:
        raise TrackingError(f"{name}: there is no store {path}. Name MLflow's store by MLFLOW_TRACKING_URI.")
    check_store()
    client = MlflowClient()
    with _model_errors(name), tracking_errors():
        scheme, _, rest = name.partition(":/")
        return _of_registry(client, rest.strip("/")) if scheme == "models" else _of_run(client, rest.strip("/"))


def _of_registry(client: MlflowClient, name: str) -> TrackedTower:
    model, at, alias = name.partition("@")
    if at:
        version = client.get_model_version_by_alias(model, alias)
    elif "/" in name:
        version = client.get_model_version(*name.split("/", 1))
    else:
        return _of_logged_model(client.get_logged_model(name))
    model_id = version.model_id or (version.source or "").partition("models:/")[2]
    if model_id:
        return _of_logged_model(client.get_logged_model(model_id))
    return TrackedTower(
        client.get_model_version_download_uri(version.name, version.version), None, version.run_id, None
    )


def _of_run(client: MlflowClient, name: str) -> TrackedTower:
    run_id, _, model = name.partition("/")
    run = client.get_run(run_id)
    logged = logged_model(client, run, model or TOWER_MODEL)
    if logged is not None:
        return _of_logged_model(logged)
    # The run of an artsim that logged its tower as an artifact, or an artifact that the user names.
    return TrackedTower(run.info.artifact_uri + (f"/{model}" if model else ""), None, run_id, None)


def logged_model(client: MlflowClient, run: Run, name: str) -> LoggedModel | None:
    """The newest model with a name among those of a run; None: there is none."""
    outputs = run.outputs.model_outputs if run.outputs else []
    models = [client.get_logged_model(output.model_id) for output in outputs]
    named = [model for model in models if model.name == name and model.status == LoggedModelStatus.READY]
    return max(named, key=lambda model: model.creation_timestamp, default=None)


def step_of_tower(run_id: str) -> int:
    """The step of the tower that a run has trained, or 0 if it has none.

    Raises:
        ModelError: there is no such run.
        TrackingError: the store cannot be reached, or does not exist.
    """
    found = find_tower(f"runs:/{run_id}")
    with tracking_errors():
        outputs = MlflowClient().get_run(run_id).outputs
    steps = {output.model_id: output.step for output in outputs.model_outputs} if outputs else {}
    return int(steps.get(found.model_id or "", 0))


def _of_logged_model(model: LoggedModel) -> TrackedTower:
    sha256 = model.tags.get(SHA256_TAG, "")
    known = sha256 if _SHA256.fullmatch(sha256) else None  # it becomes the name of a file
    return TrackedTower(model.artifact_location, known, model.source_run_id, model.model_id)


def _download(name: str, tower: TrackedTower, folder: str) -> Path:
    """The file of a tower, from the first place that has one; an address may name the file itself."""
    mlflow.artifacts.list_artifacts(artifact_uri=tower.address)  # raises if the artifact store cannot be reached
    for place in ("", *PLACES) if tower.address.endswith(".onnx") else PLACES:
        try:
            address = f"{tower.address}/{place}" if place else tower.address
            return Path(mlflow.artifacts.download_artifacts(artifact_uri=address, dst_path=folder))
        except (MlflowException, OSError):  # each kind of artifact store has its own for a file that is not there
            continue
    raise ModelError(f"{name}: the model has no tower of artsim. Name a model that `artsim train` has logged.")


def _kept(name: str, downloaded: Path, expected: str | None) -> Path:
    """Move a downloaded tower into the cache."""
    found = file_sha256(downloaded)
    if expected is not None and found != expected:
        raise ModelError(f"{name}: its tower has changed since it was logged (SHA-256 {found[:12]}…). Train it again.")
    place = _place(found)
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{downloaded.parent.name}.part")
        shutil.copyfile(downloaded, part)
        part.replace(place)
    return place


def _place(sha256: str) -> Path:
    return user_cache_path("artsim") / "towers" / f"{sha256}.onnx"


@contextmanager
def _model_errors(name: str) -> Iterator[None]:
    """Turn the errors of a store that works, but has no such model, into a ModelError."""
    try:
        yield
    except TrackingError as error:
        cause = error.__cause__
        if isinstance(cause, MlflowException) and cause.error_code in _NOT_THERE:
            reason = str(cause).strip().splitlines()[0].rstrip(".")
            raise ModelError(f"{name}: {reason}. Check the name and MLFLOW_TRACKING_URI.") from error
        raise
