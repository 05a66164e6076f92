"""One MLflow run, from before the work to its end.

    with tracked_run("compact-24x24-seed0") as run:
        run.log_params(...)

The run is the one that `mlflow run` made, or a new one. It ends as FINISHED, as FAILED with the reason in the tag
`artsim.failure`, or as KILLED by a KeyboardInterrupt. In each case the folders of `log_folder_at_end` are logged.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import distributions
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import RunStatus
from mlflow.tracking import MlflowClient

from artsim.errors import ArtsimError
from artsim.escaping import masked
from artsim.tracking.store import check_store, tracking_errors

FAILURE_TAG = "artsim.failure"
NOTE_TAG = "mlflow.note.content"
PARAM_LENGTH = 6000  # MLflow's own limit
DIGEST_LENGTH = 36  # MLflow's own limit
_RUNTIME = ("mlflow", "numpy", "onnx", "onnxruntime", "onnxruntime-gpu")
_GENERATED_NAME = re.compile(r"[a-z]+-[a-z]+-\d+")  # a name that MLflow generates, such as bold-owl-42


class Run:
    """An MLflow run; every failure of MLflow is raised as a TrackingError."""

    def __init__(self, client: MlflowClient, run_id: str, *, is_named_by_user: bool, is_launched: bool) -> None:
        self.id = run_id
        self.is_launched = is_launched  # by `mlflow run`, whose user may stand in another folder
        self._client = client
        self._is_named_by_user = is_named_by_user
        self._folders: list[tuple[Path, str | None]] = []

    def rename(self, name: str) -> None:
        """Rename the run, unless the user named it."""
        if not self._is_named_by_user:
            with tracking_errors():
                self._client.update_run(self.id, name=name)

    def log_params(self, params: Mapping[str, object]) -> None:
        """Log the params that the run lacks. MLflow forbids changes of those that `mlflow run` has written."""
        with tracking_errors():
            logged = self._client.get_run(self.id).data.params
            new = {key: masked(str(value))[:PARAM_LENGTH] for key, value in params.items() if key not in logged}
            self._client.log_batch(self.id, params=[mlflow.entities.Param(*item) for item in new.items()])

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Log the metrics of an epoch, or of the whole run as step 0."""
        with tracking_errors():
            mlflow.log_metrics(dict(metrics), step=step, run_id=self.id)

    def log_selection(self, table: pd.DataFrame, source: str, digest: str) -> None:
        """Log the selection as the dataset of the run."""
        with tracking_errors(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow 3.17.2 warns that two of its resolvers match a local path
            data = from_pandas(table, source=masked(source), name="selection", digest=digest[:DIGEST_LENGTH])
            mlflow.log_input(data, context="training")

    def log_table(self, table: pd.DataFrame, name: str) -> None:
        """Log a table, which MLflow can show and compare."""
        with tracking_errors():
            self._client.log_table(self.id, table, name)

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Log one file as an artifact."""
        with tracking_errors():
            self._client.log_artifact(self.id, str(path), folder)

    def log_tower(self, path: Path, metadata: Mapping[str, str]) -> None:
        """Log an ONNX tower as the model of the run."""
        import onnx

        with tracking_errors():
            mlflow.onnx.log_model(
                onnx.load(path),
                name="tower",
                # By default MLflow adds onnxruntime, which overwrites the files of onnxruntime-gpu.
                pip_requirements=sorted(
                    {f"{each.name}=={each.version}" for each in distributions() if each.name in _RUNTIME}
                ),
                metadata=dict(metadata),
                save_as_external_data=False,  # True empties the graph that was passed
            )

    def log_folder_at_end(self, folder: Path, name: str) -> None:
        """Log the files of a folder as artifacts under `name` when the run ends, also after a failure."""
        self._folders.append((folder, name))

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags, without passwords."""
        with tracking_errors():
            for key, value in tags.items():
                self._client.set_tag(self.id, key, masked(value))

    def set_description(self, text: str) -> None:
        """Set the description of the run, in Markdown."""
        self.set_tags({NOTE_TAG: text})

    def log_folders(self) -> None:
        """Log the folders of `log_folder_at_end` as they are now."""
        for folder, name in self._folders:
            if folder.is_dir():
                with tracking_errors():
                    self._client.log_artifacts(self.id, str(folder), name)

    def end(self, status: int) -> None:
        """End the run."""
        with tracking_errors():
            mlflow.end_run(RunStatus.to_string(status))
            # end_run changes nothing if `mlflow run` has already set a status; the status given here is the true one.
            self._client.set_terminated(self.id, RunStatus.to_string(status))


@contextmanager
def tracked_run(name: str) -> Iterator[Run]:
    """The run that `mlflow run` made for this process, or a new one.

    Raises:
        TrackingError: the tracking store cannot be reached. The check comes before the run starts.
    """
    _silence_logs()
    check_store()
    is_launched = "MLFLOW_RUN_ID" in os.environ  # by `mlflow run`; start_run removes the variable
    with tracking_errors():
        active = mlflow.start_run(log_system_metrics=True, run_name=None if is_launched else name)
        client = MlflowClient()
        is_named_by_user = is_launched and not _GENERATED_NAME.fullmatch(active.info.run_name or "")
        run = Run(client, active.info.run_id, is_named_by_user=is_named_by_user, is_launched=is_launched)
        run.rename(name)
    try:
        yield run
        run.log_folders()
    except KeyboardInterrupt as error:
        with _signals_ignored():
            # The status comes first, as a second signal may end the process before the folders are logged.
            _take_last_steps(run, error, [lambda: run.end(RunStatus.KILLED), run.log_folders])
            if is_launched:
                _start_restoring(run.id)
        raise
    except BaseException as error:
        reason = f"{type(error).__name__}: {error}"[:PARAM_LENGTH]
        # The status comes before the folders: on a full disk, they would leave no room for it.
        end = partial(run.end, RunStatus.FAILED)
        _take_last_steps(run, error, [lambda: run.set_tags({FAILURE_TAG: reason}), end, run.log_folders])
        raise
    run.end(RunStatus.FINISHED)


def _take_last_steps(run: Run, error: BaseException, steps: Sequence[Callable[[], None]]) -> None:
    """End a run after an error. A step that fails, as on a full disk, neither hides the error nor stops the others.

    MLflow would otherwise end the run again when the process ends, and print a traceback.
    """
    failures = []
    for step in steps:
        try:
            step()
        except ArtsimError as failure:
            failures.append(failure)
    if failures:
        error.add_note(f"The run {run.id} could not be logged to its end: {failures[0]}")


def _start_restoring(run_id: str) -> None:
    """Start the process that restores KILLED after `mlflow run` has set FAILED; it must outlive both."""
    nothing = subprocess.DEVNULL
    command = [sys.executable, "-m", "artsim.tracking.restore_killed", run_id]
    subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)  # noqa: S603 - our own


def _silence_logs() -> None:
    """Keep the log lines of MLflow and its database off the terminal, tracebacks too; errors are still raised."""
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Ignore signals while a run is ended. Python allows this in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # Windows has no SIGHUP.
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
