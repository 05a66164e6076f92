"""One MLflow run, from before the work to its end, whatever the end is.

    with tracked_run("compact-24x24-seed0") as run:
        run.log_params(...)

It resumes the run that `mlflow run` made, or starts one. It ends FINISHED, FAILED with the reason as the tag
`artsim.failure`, or KILLED by a KeyboardInterrupt; files that were kept by then are logged in each case.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlparse

import mlflow
import pandas as pd
import requests
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import RunStatus
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import SQLAlchemyError

from artsim.errors import TrackingError

FAILURE_TAG = "artsim.failure"
NOTE_TAG = "mlflow.note.content"
PARAM_LENGTH = 6000  # MLflow's own limit
DIGEST_LENGTH = 36  # MLflow's own limit
PROBE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
_RUNTIME = ("mlflow", "numpy", "onnx", "onnxruntime", "onnxruntime-gpu")
_GENERATED_NAME = re.compile(r"[a-z]+-[a-z]+-\d+")  # as MLflow makes them up: bold-owl-42


class Run:
    """A run that things are logged to; all of MLflow's failures come as TrackingError."""

    def __init__(self, client: MlflowClient, run_id: str, *, is_named_by_user: bool) -> None:
        self.id = run_id
        self._client = client
        self._is_named_by_user = is_named_by_user
        self._kept: list[tuple[Path, str | None]] = []

    def rename(self, name: str) -> None:
        """Give the run another name, unless the user gave it one."""
        if not self._is_named_by_user:
            with _reaching():
                self._client.update_run(self.id, name=name)

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log what is not logged yet: `mlflow run` has written its own, as text that must not change."""
        with _reaching():
            there = self._client.get_run(self.id).data.params
            new = {key: str(value)[:PARAM_LENGTH] for key, value in params.items() if key not in there}
            self._client.log_batch(self.id, params=[mlflow.entities.Param(*item) for item in new.items()])

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Log figures of an epoch, or of the whole run."""
        with _reaching():
            mlflow.log_metrics(dict(metrics), step=step, run_id=self.id)

    def log_selection(self, table: pd.DataFrame, source: str, digest: str) -> None:
        """Log the works a run uses as its dataset."""
        with _reaching(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a path is a path, although two of MLflow's resolvers claim it
            data = from_pandas(table, source=source, name="selection", digest=digest[:DIGEST_LENGTH])
            mlflow.log_input(data, context="training")

    def log_table(self, table: pd.DataFrame, name: str) -> None:
        """Log a table that MLflow's pages can show and compare."""
        with _reaching():
            self._client.log_table(self.id, table, name)

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Log one file as an artifact."""
        with _reaching():
            self._client.log_artifact(self.id, str(path), folder)

    def log_tower(self, path: Path, metadata: Mapping[str, str]) -> None:
        """Log an ONNX tower as the run's model."""
        import onnx

        with _reaching():
            mlflow.onnx.log_model(
                onnx.load(path),
                name="tower",
                # By itself MLflow would name onnxruntime, which overwrites onnxruntime-gpu where both are installed.
                pip_requirements=[f"{package}=={version(package)}" for package in _RUNTIME if _is_installed(package)],
                metadata=dict(metadata),
                save_as_external_data=False,  # True would empty the graph that was passed
            )

    def keep(self, folder: Path, name: str) -> None:
        """Log what a folder holds, as artifacts under `name`, when the run ends, however it ends."""
        self._kept.append((folder, name))

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        with _reaching():
            for key, value in tags.items():
                self._client.set_tag(self.id, key, value)

    def note(self, text: str) -> None:
        """Set the run's description, Markdown."""
        self.set_tags({NOTE_TAG: text})

    def log_folders(self) -> None:
        """Log the folders that were to be kept, as they are now."""
        for folder, name in self._kept:
            if folder.is_dir():
                with _reaching():
                    self._client.log_artifacts(self.id, str(folder), name)

    def end(self, status: int) -> None:
        """End the run."""
        with _reaching():
            mlflow.end_run(RunStatus.to_string(status))
            # end_run leaves a run alone that another process has ended meanwhile; this one knows better.
            self._client.set_terminated(self.id, RunStatus.to_string(status))


@contextmanager
def tracked_run(name: str) -> Iterator[Run]:
    """The run that this process is part of, or a new one.

    Raises:
        TrackingError: the tracking server or store can't be reached; said before anything is started.
    """
    _hush()
    _check_store()
    is_launched = "MLFLOW_RUN_ID" in os.environ  # by `mlflow run`; start_run takes it away
    with _reaching():
        active = mlflow.start_run(log_system_metrics=True, run_name=None if is_launched else name)
        client = MlflowClient()
        is_named_by_user = is_launched and not _GENERATED_NAME.fullmatch(active.info.run_name or "")
        run = Run(client, active.info.run_id, is_named_by_user=is_named_by_user)
        run.rename(name)
    try:
        yield run
        run.log_folders()
    except KeyboardInterrupt:
        with _signals_ignored():
            run.end(RunStatus.KILLED)  # first of all: who interrupts may not wait for the rest
            run.log_folders()
            if is_launched:
                _start_restoring(run.id)
        raise
    except BaseException as error:
        run.set_tags({FAILURE_TAG: f"{type(error).__name__}: {error}"[:PARAM_LENGTH]})
        run.log_folders()
        run.end(RunStatus.FAILED)
        raise
    run.end(RunStatus.FINISHED)


def _start_restoring(run_id: str) -> None:
    """Start what says KILLED again after `mlflow run` has said FAILED; it must survive both."""
    nothing = subprocess.DEVNULL
    command = [sys.executable, "-m", "artsim.tracking.restore_killed", run_id]
    subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)  # noqa: S603 - our own


def ui_command() -> str:
    """What to type, or where to look, to see the runs."""
    uri = mlflow.get_tracking_uri()
    if uri.startswith(("http://", "https://")):
        return uri
    if uri in (f"sqlite:///{Path.cwd() / 'mlflow.db'}", "sqlite:///mlflow.db"):
        return "mlflow ui"
    return f"mlflow ui --backend-store-uri {uri}"


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _hush() -> None:
    """Keep MLflow's and its database's remarks out of the terminal; errors still come as exceptions."""
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _check_store() -> None:
    """Ask the tracking store something small, without the minutes of retries that come later."""
    before = {key: os.environ.get(key) for key in PROBE}
    os.environ.update({key: value for key, value in PROBE.items() if before[key] is None})
    try:
        with _reaching():
            MlflowClient().search_experiments(max_results=1)
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except (MlflowException, SQLAlchemyError, requests.RequestException, OSError) as error:
        uri = mlflow.get_tracking_uri()
        secret = urlparse(uri).password
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        text = f"the tracking store {uri} can't be used: {reason}. Check MLFLOW_TRACKING_URI, and that the server runs."
        raise TrackingError(text.replace(secret, "***") if secret else text) from error


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Let nobody interrupt what ends a run, as far as this is the thread that may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
