"""Fixtures of the jobs."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from tests.command import SMALL, artsim_in_process
from tests.jobs.trained import Job


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory, demo_csv: Path) -> Iterator[Job]:
    """Run the job once, in a working folder of its own."""
    folder = tmp_path_factory.mktemp("job")
    patch = pytest.MonkeyPatch()
    patch.chdir(folder)
    patch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "1")  # seconds; by default 10, longer than this run
    try:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            flags = ["--data-file-path", str(demo_csv), "--num-of-artists", "8", "--save-data-to-file", "True"]
            code = artsim_in_process("train", *flags, *SMALL)
        assert code == 0, err.getvalue()
        client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
        run = client.search_runs([client.search_experiments()[0].experiment_id])[0]
        yield Job(folder, run, client, out.getvalue(), err.getvalue())
    finally:
        patch.undo()
