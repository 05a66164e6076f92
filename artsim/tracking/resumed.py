"""Runs that are resumed: what the store knows of them, and whether they can go on."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from artsim._version import __version__
from artsim.errors import InputError, UsageError
from artsim.escaping import masked
from artsim.files import writing
from artsim.messages import Say
from artsim.tracking.earlier import deliver_earlier
from artsim.tracking.processes import CHECKPOINT_TAG, PROCESS_TAG, is_gone
from artsim.tracking.store import check_store, tracking_errors

VERSION_TAG = "artsim.version"
SUMMARIES_TAG = "artsim.summaries_dir"
SELECTION_TAG = "artsim.selection_sha256"
CHECKPOINTS = "checkpoints"  # the artifacts
NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True)
class RecordedRun:
    """A run that can be resumed, as its store knows it.

    `is_launched` says whether `mlflow run --run-id` resumes it.
    """

    id: str
    params: Mapping[str, str]
    checkpoint_dir: Path
    summaries_dir: Path
    selection_sha256: str
    is_launched: bool


def run_to_resume(run_id: str | None, say: Say) -> RecordedRun | None:
    """The run to resume: the one that is named, or that of `mlflow run --run-id`; None: a new run begins.

    Raises:
        UsageError: it has finished, its process is running, or it can't be resumed by this version of artsim.
        InputError: there is no such run, or it ended before its training began.
        TrackingError: the store cannot be reached.
    """
    launched = os.environ.get("MLFLOW_RUN_ID")
    if launched and run_id:
        raise UsageError(f"--resume {run_id}: under mlflow run, use mlflow run . --run-id {run_id} instead.")
    if not (launched or run_id):
        return None
    check_store()
    deliver_earlier(say)  # what the run says of itself may wait in its outbox
    wanted = run_id or str(launched)
    run = _find(wanted)
    if launched and CHECKPOINT_TAG not in run.data.tags:
        return None  # `mlflow run` has just made it
    _check(run, say)
    tags = run.data.tags
    folders = (Path(tags[CHECKPOINT_TAG]), Path(tags[SUMMARIES_TAG]))
    return RecordedRun(wanted, run.data.params, folders[0], folders[1], tags[SELECTION_TAG], bool(launched))


def _find(run_id: str) -> mlflow.entities.Run:
    with tracking_errors():
        try:
            run = MlflowClient().get_run(run_id)
        except MlflowException as error:
            if error.error_code not in NOT_THERE:
                raise
            run = None
    if run is None or run.info.lifecycle_stage == "deleted":
        uri = mlflow.get_tracking_uri()
        raise InputError(
            f"--resume {run_id}: the store {masked(uri, uri)} has no such run. Copy the run's ID from mlflow ui, or "
            "set MLFLOW_TRACKING_URI to the store that has it."
        )
    return run


def _check(run: mlflow.entities.Run, say: Say) -> None:
    run_id, tags = run.info.run_id, run.data.tags
    if run.info.status == "FINISHED":
        raise UsageError(f"--resume {run_id}: the run has finished. Start a new one without --resume.")
    if CHECKPOINT_TAG not in tags:
        raise InputError(f"--resume {run_id}: the run ended before its training began. Start a new one.")
    if tags.get(VERSION_TAG) != __version__:
        raise UsageError(
            f"--resume {run_id}: artsim {tags.get(VERSION_TAG)} began the run, and this is artsim {__version__}. "
            "Resume it with the version that began it."
        )
    if run.info.status == "RUNNING":
        gone = is_gone(tags.get(PROCESS_TAG, ""))
        if gone is False:
            raise UsageError(f"--resume {run_id}: its process is still running. Wait for it, or end it first.")
        if gone is None:
            say(f"Run {run_id} began on another host. Make sure that its process has ended.")


def restore_checkpoints(run: RecordedRun, needed: tuple[str, ...], say: Say) -> None:
    """Download the folder of checkpoints from the store if it lacks a file that is needed.

    Raises:
        InputError: the store lacks it too.
        OutputError: the folder cannot be written.
    """
    folder = run.checkpoint_dir
    if all((folder / name).is_file() for name in needed):
        return
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".resuming-", dir=folder.parent) as place:
            with tracking_errors(), suppress(FileNotFoundError, MlflowException):
                mlflow.artifacts.download_artifacts(run_id=run.id, artifact_path=CHECKPOINTS, dst_path=place)
            found = Path(place, CHECKPOINTS)
            if not all((found / name).is_file() for name in needed):
                raise InputError(
                    f"--resume {run.id}: the folder {folder} is missing, and the store has no copy of it. Start a new "
                    "run."
                )
            shutil.copytree(found, folder, dirs_exist_ok=True)
    say(f"{folder}: downloaded from the store, because it was missing.")
