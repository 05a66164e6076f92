"""The tracking store: made whole, checked before a run, and errors that name the way out but no password."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from artsim.errors import OutputError, TrackingError
from artsim.tracking import store
from artsim.tracking.run import tracked_run
from artsim.tracking.store import check_store, tracking_errors, ui_command
from tests.command import ROOT


def test_a_new_store_gets_its_name_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    seen: list[list[str]] = []
    real = os.link

    def link(part: Path, path: Path) -> None:
        seen.append([name.name for name in tmp_path.iterdir() if not name.name.startswith(".")])
        real(part, path)

    monkeypatch.setattr(os, "link", link)
    check_store()
    assert seen in ([[]], [["mlruns"]])
    assert not list(tmp_path.glob(".*"))
    (experiment,) = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").search_experiments()
    assert Path(experiment.artifact_location.removeprefix("file://")).parent == tmp_path / "mlruns"


def test_only_the_making_of_a_store_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    def synchronous() -> object:
        engine = create_engine(f"sqlite:///{tmp_path}/some.db", poolclass=NullPool)
        with engine.connect() as connection:
            return connection.exec_driver_sql("PRAGMA synchronous").scalar()

    with store._without_waiting_for_the_disk():
        assert synchronous() == 0
    assert synchronous() == 2  # FULL, the default of SQLite


def test_a_killed_first_run_leaves_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "MlflowClient", killed)
    with pytest.raises(KeyboardInterrupt):
        check_store()
    assert not list(tmp_path.iterdir())


def test_of_several_first_runs_one_makes_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made: list[str] = []

    def counting(uri: str | None = None) -> MlflowClient:
        made.extend([uri] if uri else [])
        return MlflowClient(uri)

    def no_links(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no hard links")

    monkeypatch.setattr(store, "MlflowClient", counting)
    monkeypatch.setattr(os, "link", no_links)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: store._make_whole(Path("mlflow.db")), range(3)))  # its way in, without a client
    assert len(made) == 1
    assert len(MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").search_experiments()) == 1
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_first_runs_of_several_processes_at_once_all_end_well(tmp_path: Path) -> None:
    begin = "import sys\nfrom artsim.tracking.run import tracked_run\nsys.stdin.read()\n"
    run = "with tracked_run('a-name', system_metrics=False):\n    pass\n"
    command = [sys.executable, "-c", begin + run]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [subprocess.Popen(command, cwd=tmp_path, env=environment, stdin=subprocess.PIPE) for _ in range(3)]
    for process in processes:  # they begin together, after their imports
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(timeout=300) for process in processes] == [0, 0, 0]
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    assert [run.info.status for run in client.search_runs(["0"])] == ["FINISHED"] * 3


def half_made(path: Path, runs: int | None) -> None:
    """A store of which some tables exist; None: not the table of runs."""
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        made.execute("INSERT INTO alembic_version VALUES ('451aebb31d03')")
        if runs is not None:
            made.execute("CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL)")
            made.executemany("INSERT INTO runs VALUES (?)", [(str(number),) for number in range(runs)])


@pytest.mark.parametrize(
    ("runs", "way_out"),
    [
        (None, r"It has no runs: a first run was killed .* delete .*mlflow\.db and start again"),
        (0, r"It has no runs: a first run was killed .* delete .*mlflow\.db and start again"),
        (3, r"It has 3 runs\..* copy .*mlflow\.db and run: mlflow db upgrade sqlite:///.*mlflow\.db"),
    ],
)
def test_a_store_that_is_half_made_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: int | None, way_out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    half_made(tmp_path / "mlflow.db", runs)
    with pytest.raises(TrackingError, match=way_out), tracked_run("a-name"):
        pytest.fail("the run must not begin")


def test_a_file_that_is_no_store_names_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").write_text("no database" * 100)
    with pytest.raises(TrackingError, match=r"mlflow\.db is not a SQLite store.*Move it away"):
        check_store()


@pytest.mark.parametrize(
    ("uri", "secrets"),
    [
        ("http://user:hidden%40word@host:5000", ["hidden%40word", "hidden@word"]),
        ("postgresql://user:hid/den@host/db", ["hid/den"]),
        ("http://[bad:hidden@host", ["hidden"]),
    ],
)
def test_no_error_shows_a_password(monkeypatch: pytest.MonkeyPatch, uri: str, secrets: list[str]) -> None:
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: uri)
    with pytest.raises(TrackingError) as told, tracking_errors():
        raise MlflowException(f"login to {uri} failed with {' and '.join(secrets)}")
    assert not [secret for secret in secrets if secret in str(told.value)]
    assert ":***@" in str(told.value)


def test_the_next_command_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "postgresql://user:hidden@host/db"
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: uri)
    assert ui_command() == "mlflow ui --backend-store-uri 'postgresql://user:***@host/db'"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert ui_command() == 'mlflow ui --backend-store-uri "$MLFLOW_TRACKING_URI"'
    monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: "https://user:hidden@host/")
    assert ui_command() == "https://user:***@host/"


def test_no_tag_or_param_holds_a_password(working_folder: Path) -> None:
    with pytest.raises(ValueError, match="hidden"), tracked_run("a-name") as run:
        run.log_params({"data_file_path": "s3://user:hidden@host/x"})
        raise ValueError("http://user:hidden@host failed")
    (found,) = MlflowClient(f"sqlite:///{working_folder}/mlflow.db").search_runs(["0"])
    assert found.data.params["data_file_path"] == "s3://user:***@host/x"
    assert found.data.tags["artsim.failure"] == "ValueError: http://user:***@host failed"


@pytest.mark.parametrize(
    "error",
    [
        MlflowException("(sqlite3.OperationalError) database or disk is full"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_a_full_disk_is_an_output_that_cannot_be_written(error: Exception) -> None:
    with pytest.raises(OutputError, match=r"the disk of the tracking store is full\. Make room"), tracking_errors():
        try:
            raise error
        except OSError as caused:
            raise MlflowException("artifacts cannot be logged") from caused


def test_a_store_that_cannot_be_written_says_what_to_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(TrackingError, match=r"Make .*mlflow\.db a file that can be written, in such a folder, or name"):
        check_store()
