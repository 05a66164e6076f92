"""One MLflow run, from before the work to its end.

    with tracked_run("compact-24x24-seed0") as run:
        run.log_params(...)

The run is the one that `mlflow run` made, or a new one. It ends as FINISHED, as FAILED with the reason in the tag
`artsim.failure`, or as KILLED by a KeyboardInterrupt. In each case the folders of `log_folder_at_end` are logged.
"""

from __future__ import annotations

import os
import re
import signal
import threading
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.pandas_dataset import from_pandas
from mlflow.entities import LoggedModelInput, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from artsim.errors import ArtsimError, TrackingError
from artsim.escaping import masked
from artsim.files import file_sha256
from artsim.messages import Say, say_nothing
from artsim.tracking.logged_models import (
    Measurement,
    TowerModel,
    log_checkpoint,
    log_measurement,
    log_tower,
    logged_measurement,
)
from artsim.tracking.processes import FAILURE_TAG, PROCESS_TAG, fail_dead_runs, this_process
from artsim.tracking.restore_killed import start_restoring
from artsim.tracking.store import check_store, run_page, silence_logs, tracking_errors

LAUNCHED = "MLFLOW_RUN_ID"  # the variable that `mlflow run` sets
MODEL_METRICS = ("train/", "val_")  # how the names of the metrics of a checkpoint begin
NOTE_TAG = "mlflow.note.content"
PARENT_TAG = "mlflow.parentRunId"
PARAM_LENGTH = 6000  # MLflow's own limit
DIGEST_LENGTH = 36  # MLflow's own limit
_GENERATED_NAME = re.compile(r"[a-z]+-[a-z]+-\d+")  # a name that MLflow generates, such as bold-owl-42


class Run:
    """An MLflow run; every failure of MLflow is raised as a TrackingError."""

    def __init__(self, client: MlflowClient, run_id: str, *, is_named_by_user: bool, is_launched: bool) -> None:
        self.id = run_id
        self.is_launched = is_launched  # by `mlflow run`, whose user may stand in another folder
        self._client = client
        self._is_named_by_user = is_named_by_user
        self._folders: list[tuple[Path, str, Collection[str]]] = []
        self._datasets: dict[str, str] = {}  # digests by name
        self._measured: dict[int, list[Measurement]] = {}  # by step
        self._is_resumed = False

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

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0, model_id: str | None = None) -> None:
        """Log the metrics of an epoch, or of the whole run as step 0; those of a model also for the model.

        A metric belongs to the dataset that its name begins with, such as `val_unseen/auc` to `val_unseen`. A run
        that is resumed keeps the values that it has logged, so a curve has no step twice.
        """
        measured = Measurement(dict(metrics), step, self._datasets)
        with tracking_errors():
            if self._is_resumed and (earlier := self._logged(metrics, step)):
                measured = replace(measured, metrics={**metrics, **earlier.metrics}, time=earlier.time)
            self._measured.setdefault(step, []).append(measured)
            log_measurement(self._client, self.id, measured, model_id)

    def log_dataset(self, name: str, table: pd.DataFrame, source: Path, digest: str, context: str) -> None:
        """Log a dataset of the run, such as its selection; `source` is the file that holds it."""
        with tracking_errors(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow 3.17.2 warns that two of its resolvers match a local path
            place = masked(str(source.absolute()))
            data = from_pandas(table, source=place, name=name, digest=digest[:DIGEST_LENGTH])
            mlflow.log_input(data, context=context)
            self._datasets[name] = data.digest

    def log_file_as_dataset(self, name: str, path: Path) -> None:
        """Log a file as a dataset of the run, without reading it as a table."""
        with tracking_errors(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in `log_dataset`
            source = resolve_dataset_source(masked(str(path.absolute())))
            # MLflow leaves `profile` abstract, and its metaclass is not ABCMeta.
            data = MetaDataset(source, name, file_sha256(path)[:DIGEST_LENGTH])  # type: ignore[abstract]
            mlflow.log_input(data, context="evaluation")
            self._datasets[name] = data.digest

    def log_table(self, table: pd.DataFrame, name: str) -> None:
        """Log a table, which MLflow can show and compare."""
        with tracking_errors():
            self._client.log_table(self.id, table, name)

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Log one file as an artifact."""
        with tracking_errors():
            self._client.log_artifact(self.id, str(path), folder)

    def log_tower(self, tower: TowerModel, of_run: str | None = None) -> str:
        """Log a tower as a model of the run, or of another run; return the model's ID."""
        with tracking_errors():
            return log_tower(self._client, of_run or self.id, tower)

    def use_model(self, model_id: str) -> None:
        """Log a model as an input of the run."""
        with tracking_errors():
            self._client.log_inputs(self.id, models=[LoggedModelInput(model_id)])

    def follow(self, run_id: str) -> None:
        """Make the run a child of another one, with the same validation sets."""
        with tracking_errors():
            self._client.set_tag(self.id, PARENT_TAG, run_id)
            inputs = self._client.get_run(run_id).inputs
            sets = [each for each in inputs.dataset_inputs if each.dataset.name != "selection"] if inputs else []
            self._client.log_inputs(self.id, sets)
            self._datasets |= {each.dataset.name: each.dataset.digest for each in sets}

    def log_checkpoint(self, name: str, step: int, artifact: str) -> None:
        """Log a checkpoint, whose file is an artifact of the run, as a model with the metrics of its step."""
        with tracking_errors():
            model_id = log_checkpoint(self._client, self.id, name, step, artifact)
            for measured in self._measured.get(step) or self._logged_before(step):
                log_measurement(self._client, self.id, measured.only(MODEL_METRICS), model_id)

    def log_folder_at_end(self, folder: Path, name: str, leave_out: Collection[str] = ()) -> None:
        """Log the files of a folder as artifacts under `name` when the run ends, also after a failure.

        Files with a name in `leave_out` are logged elsewhere.
        """
        self._folders.append((folder, name, leave_out))

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
        for folder, name, leave_out in self._folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.name not in leave_out:
                    place = path.parent.relative_to(folder)
                    self.log_file(path, name if place == Path() else f"{name}/{place.as_posix()}")

    @property
    def page(self) -> str | None:
        """The address of the run's page, without passwords; None if the store is no server."""
        with tracking_errors():
            return run_page(self._client.get_run(self.id).info)

    def end(self, status: int) -> None:
        """End the run."""
        with tracking_errors():
            mlflow.end_run(RunStatus.to_string(status))
            # end_run changes nothing if `mlflow run` has already set a status; the status given here is the true one.
            self._client.set_terminated(self.id, RunStatus.to_string(status))

    def begin_process(self, *, is_resumed: bool) -> None:
        """Tag the run with this process. A run that is resumed loses the reason of its failure."""
        self.set_tags({PROCESS_TAG: this_process()})
        self._is_resumed = is_resumed
        if is_resumed:
            with tracking_errors():
                if FAILURE_TAG in self._client.get_run(self.id).data.tags:
                    self._client.delete_tag(self.id, FAILURE_TAG)

    def remove_artifacts(self, name: str) -> None:
        """Remove artifacts that are not needed any more, if the store can do that."""
        with suppress(NotImplementedError, MlflowException, OSError):
            repository: Any = get_artifact_repository(self._client.get_run(self.id).info.artifact_uri)
            repository.delete_artifacts(name)

    def _logged(self, names: Iterable[str], step: int) -> Measurement | None:
        return logged_measurement(self._client, self.id, names, step, self._datasets)

    def _logged_before(self, step: int) -> list[Measurement]:
        """What an earlier process has logged at a step, in a run that is resumed."""
        found = self._logged(self._client.get_run(self.id).data.metrics, step)
        return [] if found is None else [found]


def tag_launched_run(reason: str) -> None:
    """Tag the run that `mlflow run` made with the reason why the command ends before the run is its own."""
    with suppress(TrackingError), tracking_errors():  # the message of the command is shown in any case
        silence_logs()
        MlflowClient().set_tag(os.environ[LAUNCHED], FAILURE_TAG, masked(reason)[:PARAM_LENGTH])


@contextmanager
def tracked_run(
    name: str, resume: str | None = None, say: Say = say_nothing, *, system_metrics: bool = True
) -> Iterator[Run]:
    """The run that `mlflow run` made for this process, the run to resume, or a new one.

    Runs of this host whose process has ended without a word are set to FAILED first.

    Args:
        name: of a new run.
        resume: ID of the run to resume.
        say: receives a line about each run that is set to FAILED.
        system_metrics: whether CPU and memory are logged while the run lasts.

    Raises:
        TrackingError: the tracking store cannot be reached. The check comes before the run starts.
    """
    silence_logs()
    check_store()
    launched = LAUNCHED in os.environ  # start_run removes the variable
    with tracking_errors():
        client = MlflowClient()
        for line in fail_dead_runs(client, resume):
            say(line)
        given = None if launched or resume else name
        active = mlflow.start_run(None if launched else resume, log_system_metrics=system_metrics, run_name=given)
        is_named_by_user = launched and not _GENERATED_NAME.fullmatch(active.info.run_name or "")
        run = Run(client, active.info.run_id, is_named_by_user=is_named_by_user, is_launched=launched)
        if not resume:
            run.rename(name)
        run.begin_process(is_resumed=resume is not None)
    try:
        yield run
        run.log_folders()
    except KeyboardInterrupt as error:
        with _signals_ignored():
            # The status comes first, as a second signal may end the process before the folders are logged.
            _take_last_steps(run, error, [lambda: run.end(RunStatus.KILLED), run.log_folders])
            if launched:
                start_restoring(run.id)
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
