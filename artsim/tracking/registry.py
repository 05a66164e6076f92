"""MLflow's model registry: versions of a registered model, their aliases, and the files of the runs behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from artsim.errors import GateError, ModelError
from artsim.tracking.store import tracking_errors


@dataclass(frozen=True)
class Version:
    """A version of a registered model, and the logged model and run that it comes from."""

    name: str
    number: str
    model_id: str | None
    run_id: str | None

    def __str__(self) -> str:
        return f"{self.name} version {self.number}"


def champion(name: str, alias: str) -> Version | None:
    """The version with an alias; None: there is none."""
    with tracking_errors():
        try:
            found = MlflowClient().get_model_version_by_alias(name, alias)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise
    return _version(found)


def register_version(name: str, model_id: str, run_id: str | None) -> Version:
    """Register a logged model, or find the version that it is already.

    Raises:
        ModelError: the name cannot be that of a registered model.
        TrackingError: the store cannot be used.
    """
    client = MlflowClient()
    with tracking_errors():
        if not client.search_registered_models(f"name = '{_checked(name)}'"):
            with suppress(MlflowException):  # another process may have made it meanwhile
                client.create_registered_model(name)
        known = [_version(each) for each in client.search_model_versions(f"name = '{name}'")]
        same = [each for each in known if each.model_id == model_id]
        if same:
            return max(same, key=lambda each: int(each.number))
        return _version(client.create_model_version(name, f"models:/{model_id}", run_id, model_id=model_id))


def move_alias(version: Version, alias: str, before: Version | None) -> None:
    """Give an alias to a version, if it is still where it was when both were compared.

    Raises:
        GateError: the alias has moved meanwhile.
    """
    if champion(version.name, alias) != before:
        raise GateError(f"{version.name}@{alias} has changed during the comparison. Run the command again.")
    with tracking_errors():
        MlflowClient().set_registered_model_alias(version.name, alias, version.number)


def tag_version(version: Version, tags: Mapping[str, str]) -> None:
    """Set tags of a version."""
    client = MlflowClient()
    with tracking_errors():
        for key, value in tags.items():
            client.set_model_version_tag(version.name, version.number, key, value)


def download_files(run_id: str, names: Sequence[str], folder: Path) -> list[Path] | None:
    """Download artifacts of a run to a folder; None: the run lacks one."""
    found = []
    for name in names:
        with tracking_errors():
            parent = name.rpartition("/")[0]
            if name not in {item.path for item in MlflowClient().list_artifacts(run_id, parent or None)}:
                return None
            path = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=name, dst_path=str(folder))
            found.append(Path(path))
    return found


def _version(found: mlflow.entities.model_registry.ModelVersion) -> Version:
    model_id = found.model_id or (found.source or "").partition("models:/")[2] or None
    return Version(found.name, str(found.version), model_id, found.run_id or None)


def _checked(name: str) -> str:
    if not name or any(mark in name for mark in "/:'\"@"):
        raise ModelError(f"{name!r}: not a name of a registered model. Give one without / : @ and quotes.")
    return name
