"""Where the artifacts of a run lie."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import urlsplit

from mlflow.tracking import MlflowClient

from artsim.tracking.store import tracking_errors


def keeps_artifacts_here(run_id: str) -> bool:
    """Whether the artifacts of a run are files of this computer. Those behind a server or in a cloud are not."""
    with tracking_errors():
        address = MlflowClient().get_run(run_id).info.artifact_uri or ""
    return urlsplit(address).scheme in ("", "file") or bool(PurePath(address).drive)
