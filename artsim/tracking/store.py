"""The tracking store: made whole or not at all, checked before a run starts, and errors that name the way out.

MLflow makes a SQLite store step by step. A first run that is killed meanwhile leaves a half-made one, which no later
run can open. Two first runs at once make it in each other's way, so they take turns.
"""

from __future__ import annotations

import errno
import logging
import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import mlflow
import requests
from mlflow.entities import RunInfo
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from artsim.errors import OutputError, TrackingError
from artsim.escaping import masked
from artsim.locking import only_one

# A full disk, a used-up quota, the limit of a file's size.
DISK_FULL = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)}
# One short request in place of MLflow's minutes of retries.
PROBE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}

PATIENCE = 60  # seconds to wait for a process that has locked a SQLite store
FIRST_RUN_PATIENCE = 300  # seconds to wait for a process that makes one, generous for a busy machine


def check_store() -> None:
    """Make the store if it is a SQLite file that does not exist yet; send it one small request, without retries.

    Raises:
        TrackingError: the store cannot be used.
    """
    before = {key: os.environ.get(key) for key in PROBE}
    os.environ.update({key: value for key, value in PROBE.items() if before[key] is None})
    try:
        with tracking_errors():
            path = _sqlite_file(mlflow.get_tracking_uri())
            _make_whole(path)
            _open_once(path)
            MlflowClient().search_experiments(max_results=1)
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)


def missing_store() -> Path | None:
    """The file of the store, if the store is a SQLite file that does not exist; reading does not make one."""
    path = _sqlite_file(mlflow.get_tracking_uri())
    return None if path is None or path.exists() else path


def silence_logs() -> None:
    """Keep the log lines of MLflow and its database off the terminal, tracebacks too; errors are still raised."""
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def tracking_errors() -> Iterator[None]:
    """Turn the errors of MLflow in the block into errors of artsim without passwords.

    Raises:
        OutputError: the disk of the store is full.
        TrackingError: any other error.
    """
    try:
        yield
    except (MlflowException, SQLAlchemyError, requests.RequestException, OSError) as error:
        uri = mlflow.get_tracking_uri()
        if _is_disk_full(error):
            remedy = "Make room there, or name another store by MLFLOW_TRACKING_URI."
            raise OutputError(masked(f"{uri}: the disk of the tracking store is full. {remedy}", uri)) from error
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        remedy = _way_out(uri) or "Check MLFLOW_TRACKING_URI and the server."
        raise TrackingError(masked(f"The tracking store {uri} cannot be used: {reason}. {remedy}", uri)) from error


def _is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one that caused it, says that no more can be written. MLflow wraps those of the system."""
    while error is not None:
        if getattr(error, "errno", None) in DISK_FULL or "database or disk is full" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def ui_command(*, anywhere: bool = False) -> str:
    """The command that shows the runs, or the address of the tracking server, without passwords.

    Args:
        anywhere: whether the command has to work in every folder, not only in the working folder.
    """
    uri = mlflow.get_tracking_uri()
    if uri.startswith(("http://", "https://")):
        return masked(uri, uri)
    if not anywhere and uri in (f"sqlite:///{Path.cwd() / 'mlflow.db'}", "sqlite:///mlflow.db"):
        return "mlflow ui"
    if masked(uri, uri) != uri and os.environ.get("MLFLOW_TRACKING_URI") == uri:
        return 'mlflow ui --backend-store-uri "$MLFLOW_TRACKING_URI"'
    shown = masked(uri, uri)
    return shlex.join(["mlflow", "ui", "--backend-store-uri", _absolute_uri(shown) if anywhere else shown])


def run_page(run: RunInfo) -> str | None:
    """The address of a run's page on a tracking server, without passwords; None if the store is no server."""
    uri = mlflow.get_tracking_uri()
    if not uri.startswith(("http://", "https://")):
        return None
    # Without the query, MLflow's page opens the view of generative AI.
    place = f"#/experiments/{run.experiment_id}/runs/{run.run_id}?workflowType=machine_learning"
    return f"{masked(uri, uri).rstrip('/')}/{place}"


def _absolute_uri(uri: str) -> str:
    """The same store, named from every folder."""
    scheme, found, path = uri.partition("sqlite:///") if uri.startswith("sqlite:///") else ("", "", uri)
    if "://" in path or path.startswith("file:/"):
        return uri
    return f"{scheme}{found}{Path(path.removeprefix('file:')).absolute()}"


def _sqlite_file(uri: str) -> Path | None:
    """The file of a SQLite store; None for any other store."""
    if not uri.startswith("sqlite"):
        return None
    with suppress(SQLAlchemyError, ValueError):
        name = make_url(uri).database
        return Path(name) if name and name != ":memory:" and not name.startswith("file:") else None
    return None


def _make_whole(path: Path | None) -> None:
    """Make a store, unless it exists. Of several processes, the first makes it and the others wait."""
    if path is None or path.exists() or not path.parent.is_dir():
        return
    try:
        with only_one(path, patience=FIRST_RUN_PATIENCE):
            if not path.exists():
                _make(path)
    except OutputError as error:  # the lock cannot be made: neither can the store
        raise OSError(str(error)) from error


def _make(path: Path) -> None:
    """Make a store under another name and give it its own when it is complete."""
    part = path.absolute().with_name(f".{uuid4().hex}.db")
    try:
        with _without_waiting_for_the_disk():
            MlflowClient(f"sqlite:///{part}").search_experiments(max_results=1)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        try:
            os.link(part, path)  # unlike a move, it never replaces the store of another first run
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            if not path.exists():
                part.replace(path)
    finally:
        for left in part.parent.glob(f"{part.name}*"):  # with SQLite's journal, if there is one
            with suppress(OSError):
                left.unlink()


@contextmanager
def _without_waiting_for_the_disk() -> Iterator[None]:
    """Let SQLite write without waiting for the disk. MLflow makes a store in hundreds of transactions.

    If the machine loses its power meanwhile, only the unfinished file under another name is lost.
    """

    def hurry(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")

    event.listen(Engine, "connect", hurry)
    try:
        yield
    finally:
        event.remove(Engine, "connect", hurry)


def _open_once(path: Path | None) -> None:
    """Open a SQLite store once. MLflow tries for two minutes before it says what is wrong."""
    if path is None or not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as store:
            store.execute("SELECT 1 FROM sqlite_master LIMIT 1")
    except sqlite3.Error as error:
        raise OSError(str(error)) from error


def _way_out(uri: str) -> str | None:
    """What to do about a SQLite store that MLflow cannot open."""
    path = _sqlite_file(uri)
    if path is None:
        return None
    if not path.is_file() or not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK):
        return f"Make {path} a file that can be written, in such a folder, or name another by MLFLOW_TRACKING_URI."
    runs = _runs_in(path)
    if runs is None:
        return f"{path} is not a SQLite store, or damaged. Move it away, or name another by MLFLOW_TRACKING_URI."
    if runs == 0:
        return (
            "It has no runs: a first run was killed while it made the store, or is still making it. If there is none, "
            f"delete {path} and start again."
        )
    return (
        f"It has {runs:,} runs. If another version of MLflow wrote it, copy {path} and run: mlflow db upgrade "
        f"sqlite:///{path}"
    )


def _runs_in(path: Path) -> int | None:
    """The number of runs in a SQLite file; 0 if it has no such table; None if it is no SQLite file."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as store:
            tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return int(store.execute("SELECT count(*) FROM runs").fetchone()[0]) if "runs" in tables else 0
    except sqlite3.Error:
        return None
