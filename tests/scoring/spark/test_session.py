"""Spark's start and its failures, as far as they show without Java."""

from __future__ import annotations

from pathlib import Path

import pytest

from artsim.errors import ArtsimError, DeviceError, ModelError, OutputError, UsageError
from artsim.scoring.spark.failures import job_failure, start_failure
from artsim.scoring.spark.session import check_java

WORKER = """An exception was thrown from the Python worker:
Traceback (most recent call last):
  File "artsim/scoring/spark/stages.py", line 100, in _worker_scorer
    return load(path)
{error}

\tat org.apache.spark.api.python.BasePythonRunner.handlePythonException(PythonRunner.scala:581)
"""


def test_without_java_the_cure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no `java` on the PATH: on Debian, apt install default-jre-headless"):
        check_java()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=f"JAVA_HOME, {tmp_path}, has none"):
        check_java()


def test_java_is_found_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(mode=0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(java.parent))
    check_java()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    check_java()


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        (WORKER.format(error="artsim.errors.ModelError: tower.onnx: is empty."), ModelError, "tower.onnx: is empty."),
        (WORKER.format(error="artsim.errors.Unheard: x"), DeviceError, "Spark gave up: artsim.errors.Unheard: x."),
        (WORKER.format(error="pyarrow.lib.ArrowInvalid: odd"), DeviceError, "up: pyarrow.lib.ArrowInvalid: odd."),
        (WORKER.format(error="ModuleNotFoundError: No module named 'artsim'"), DeviceError, "workers has no artsim"),
        ("Job aborted\nCaused by: java.io.IOException: No space left on device\n\tat x", OutputError, "No space left"),
        ("An error occurred\n: org.apache.spark.SparkException: lost.\n\tat x", DeviceError, "SparkException: lost."),
        ("", DeviceError, "no reason given"),
    ],
)  # fmt: skip
def test_what_ended_a_job_is_said_in_a_line(said: str, kind: type[ArtsimError], message: str) -> None:
    error = job_failure(said)
    assert type(error) is kind
    assert message in str(error)
    assert "\n" not in str(error)


def test_a_java_that_is_too_old_is_told_from_a_cluster_that_is_not_there() -> None:
    old = "Error: java.lang.UnsupportedClassVersionError: org/apache/spark/launcher/Main"
    assert "needs Java 17" in str(start_failure("[JAVA_GATEWAY_EXITED]", old, None))
    stopped = "java.lang.IllegalStateException: Cannot call methods on a stopped SparkContext."
    error = start_failure(stopped, "", "spark://h:7077")
    assert isinstance(error, DeviceError)
    assert str(error) == "Spark does not start at spark://h:7077: no master answers."
