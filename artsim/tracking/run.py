"""One MLflow run, from before the work to its end.

    with tracked_run("compact-24x24-seed0") as run:
        run.log_params(...)

The run is the one that `mlflow run` made, or a new one. It ends as FINISHED, as FAILED with the reason in the tag
`artsim.failure`, or as KILLED by a KeyboardInterrupt. In each case the folders of `log_folder_at_end` are logged.

A store of files on this machine gets each step at once, and a step that fails raises an error. For any other store the
steps go through an outbox: an outage neither ends nor holds up the work, and the next run delivers what is left.
"""

from __future__ import annotations

import os
import re
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import mlflow
from mlflow.entities import Run as RunEntity
from mlflow.entities import RunStatus
from mlflow.tracking import MlflowClient
from mlflow.tracking.context.registry import resolve_tags
from mlflow.tracking.fluent import _get_experiment_id  # the experiment that the user's variables name
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME

from artsim.errors import ArtsimError, OutputError, TrackingError
from artsim.escaping import masked
from artsim.files import writing
from artsim.locking import only_one
from artsim.messages import Say, say_nothing
from artsim.tracking.courier import CATCH_UP, Courier
from artsim.tracking.delivery import Delivery
from artsim.tracking.earlier import deliver_earlier
from artsim.tracking.outages import impatient, is_local
from artsim.tracking.outbox import About, Outbox, outboxes
from artsim.tracking.processes import FAILURE_TAG, PROCESS_TAG, fail_dead_runs, this_process
from artsim.tracking.restore_killed import start_restoring
from artsim.tracking.run_log import PARAM_LENGTH, Post, RunLog
from artsim.tracking.steps import Kind, Step
from artsim.tracking.store import check_store, run_page, silence_logs, tracking_errors
from artsim.tracking.system_metrics import SystemMetrics

LAUNCHED = "MLFLOW_RUN_ID"  # the variable that `mlflow run` sets
AFTER_CTRL_C = 5.0  # seconds that a run waits for a store that is away
_GENERATED_NAME = re.compile(r"[a-z]+-[a-z]+-\d+")  # a name that MLflow generates, such as bold-owl-42


class Run(RunLog):
    """An MLflow run. `undelivered` says after its end what the store lacks; None: it has everything."""

    def __init__(self, entity: RunEntity, post: Post, *, is_named_by_user: bool, is_launched: bool) -> None:
        super().__init__(entity.info.run_id, post)
        self.name = entity.info.run_name or ""
        self.is_launched = is_launched  # by `mlflow run`, whose user may stand in another folder
        self.page = run_page(entity.info)  # its address, without passwords; None if the store is no server
        self.undelivered: str | None = None
        self._artifact_uri = entity.info.artifact_uri or ""
        self._is_named_by_user = is_named_by_user
        self._system_metrics: SystemMetrics | None = None

    @property
    def keeps_artifacts_here(self) -> bool:
        """Whether the artifacts are files of this computer. Those behind a server or in a cloud are not."""
        return is_local(self._artifact_uri)

    def rename(self, name: str) -> None:
        """Rename the run, unless the user named it."""
        if not self._is_named_by_user:
            self.name = name
            self._log(Kind.NAME, {"name": name})

    def begin_process(self, *, is_resumed: bool, system_metrics: bool) -> None:
        """Tag the run with this process, and measure the machine's load until the end of the run."""
        self.set_tags({PROCESS_TAG: this_process()})
        self._is_resumed = is_resumed
        if system_metrics:
            with tracking_errors():
                self._system_metrics = SystemMetrics(self.id, self.log_system_metrics, is_resumed=is_resumed)
            self._system_metrics.start()

    def end(self, status: int) -> None:
        """End the run."""
        if self._system_metrics is not None:
            self._system_metrics.stop()
        super().end(status)

    def finish(self, patience: float) -> None:
        """Wait until the store has everything, or is away for `patience` seconds."""
        self.undelivered = self._post.finish(patience)


class Direct:
    """Delivers each step at once."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def post(self, step: Step) -> str | None:
        """Deliver a step; return the ID of the model that it has made."""
        try:
            with tracking_errors():
                return self._delivery(step)
        except ArtsimError:
            if step.kind is not Kind.REMOVAL:
                raise
            return None

    def settle(self) -> None:
        """Do nothing: a step that fails has raised an error."""

    def finish(self, patience: float) -> None:
        """Do nothing: the store has everything."""


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
        say: receives a line about each run that is set to FAILED, and about outages of the store.
        system_metrics: whether CPU and memory are logged while the run lasts.

    Raises:
        TrackingError: the tracking store cannot be reached. The check comes before the run starts.
    """
    silence_logs()
    check_store()
    deliver_earlier(say)
    with ExitStack() as stack:
        with tracking_errors():
            client = MlflowClient()
            for line in fail_dead_runs(client, resume):
                say(line)
            launched = os.environ.pop(LAUNCHED, None)
            entity = _begun(client, name, resume or launched)
        post = stack.enter_context(_post_of(client, entity, say))
        is_named_by_user = bool(launched) and not _GENERATED_NAME.fullmatch(entity.info.run_name or "")
        run = Run(entity, post, is_named_by_user=is_named_by_user, is_launched=bool(launched))
        if launched and not resume:
            run.rename(name)
        run.begin_process(is_resumed=resume is not None, system_metrics=system_metrics)
        yield from _until_the_end(run)
        if run.undelivered is not None:
            say(f"The work is done, but the tracking store does not have all of it. {run.undelivered}")


def _begun(client: MlflowClient, name: str, existing: str | None) -> RunEntity:
    """A new run, or an existing one that goes on and loses the reason of its failure.

    It is no active run of MLflow, which would end it by a request of its own when the process ends.
    """
    if existing is None:
        return client.create_run(str(_get_experiment_id()), tags=resolve_tags({MLFLOW_RUN_NAME: name}), run_name=name)
    client.update_run(existing, status=RunStatus.to_string(RunStatus.RUNNING))
    entity = client.get_run(existing)
    if FAILURE_TAG in entity.data.tags:
        client.delete_tag(existing, FAILURE_TAG)
    return entity


@contextmanager
def _post_of(client: MlflowClient, entity: RunEntity, say: Say) -> Iterator[Post]:
    """What delivers the steps of a run."""
    run_id, uri = entity.info.run_id, mlflow.get_tracking_uri()
    if is_local(uri) and is_local(entity.info.artifact_uri):
        yield Direct(Delivery(client, run_id))
        return
    with tracking_errors():
        client.list_artifacts(run_id)  # an artifact store that is away is told before the work starts
    with _outbox(About.of(run_id, uri), say) as outbox, impatient():
        outbox.remove_ends()
        courier = Courier(outbox, Delivery(client, run_id, outbox.models, outbox.keep_model), say)
        courier.start()
        yield courier


@contextmanager
def _outbox(about: About, say: Say) -> Iterator[Outbox]:
    """The outbox of a run, locked; a temporary one if the user's folder cannot be written."""
    with ExitStack() as stack:
        try:
            place = outboxes() / about.run
            with writing(place):
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(only_one(place, say))
            outbox = Outbox(place, about)
        except OutputError as error:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="artsim-")), about.run)
            say(f"{error} So what the tracking store does not take before the end of the run is lost.")
            outbox = Outbox(place, about)
        yield outbox


def _until_the_end(run: Run) -> Iterator[Run]:
    """Give the run to the work, and end it as the work ends."""
    try:
        yield run
        run.log_folders()
    except KeyboardInterrupt as error:
        with _signals_ignored():
            # The status comes first, as a second signal may end the process before the folders are logged.
            last = partial(run.finish, AFTER_CTRL_C)
            _take_last_steps(run, error, [lambda: run.end(RunStatus.KILLED), run.log_folders, last])
            if run.is_launched:
                start_restoring(run.id)
        raise
    except BaseException as error:
        reason = f"{type(error).__name__}: {error}"[:PARAM_LENGTH]
        # The status comes before the folders: on a full disk, they would leave no room for it.
        end, last = partial(run.end, RunStatus.FAILED), partial(run.finish, CATCH_UP)
        _take_last_steps(run, error, [lambda: run.set_tags({FAILURE_TAG: reason}), end, run.log_folders, last])
        raise
    run.end(RunStatus.FINISHED)
    run.finish(CATCH_UP)


def _take_last_steps(run: Run, error: BaseException, steps: Sequence[Callable[[], None]]) -> None:
    """End a run after an error. A step that fails, as on a full disk, neither hides the error nor stops the others."""
    failures = []
    for step in steps:
        try:
            step()
        except ArtsimError as failure:
            failures.append(failure)
    if failures:
        error.add_note(f"The run {run.id} could not be logged to its end: {failures[0]}")
    if run.undelivered is not None:
        error.add_note(f"The tracking store does not have all of the run. {run.undelivered}")


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
