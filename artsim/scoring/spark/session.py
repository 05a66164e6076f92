"""A Spark session that is quiet, finds its Python, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from artsim import errors
from artsim.errors import ArtsimError, DeviceError, OutputError, UsageError
from artsim.files import stderr_to

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BROADCAST_BYTES = 2**27  # of embeddings, which an executor of Spark's default size can hold
POLL_SECONDS = 0.5
_SUBMITTED = "PYSPARK_GATEWAY_PORT"  # set by spark-submit, whose Java process runs already


def check_java() -> None:
    """See that Spark can be started.

    Raises:
        UsageError: there is no Java.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if java is None and _SUBMITTED not in os.environ:
        where = f"JAVA_HOME, {home}, has none" if home else "there is no `java` on the PATH"
        raise UsageError(
            f"--engine spark needs Java 17 or later, and {where}: on Debian, apt install default-jre-headless."
        )


@contextmanager
def spark_session(app: str, master: str | None) -> Iterator[SparkSession]:
    """Start Spark and stop it at the end; with no master, where Spark's own settings say.

    Spark has no terminal to write to: what goes wrong is raised.

    Raises:
        UsageError: Spark does not start, for want of a newer Java, or of a master that it knows.
        DeviceError: the cluster can't be reached, or a job failed on it.
        ArtsimError: what a worker raised.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    with tempfile.TemporaryFile() as log, warnings.catch_warnings():
        # Said of pandas 3, of which only strings, numbers and bytes are used here.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        try:
            with stderr_to(log):
                session = _started(app, master)
        except (PySparkException, Py4JError, RuntimeError) as error:
            failure = _not_started(error, log, master)
            _end_java()
            raise failure from None
        try:
            yield session
        except (PySparkException, Py4JError) as error:
            raise _failed(str(error)) from None  # its text can't be had once Java has ended
        finally:
            session.stop()
            _end_java()


def _started(app: str, master: str | None) -> SparkSession:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName(app)
    if master is not None:
        builder = builder.master(master)
    settings = {
        "spark.log.level": "ERROR",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.caseSensitive": "true",  # as the columns of a pairs file are
    }
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    threshold = "spark.sql.autoBroadcastJoinThreshold"
    context = session.sparkContext
    if not context.getConf().contains(threshold):
        session.conf.set(threshold, str(BROADCAST_BYTES))
    if str(context.master).startswith("local") and "PYSPARK_PYTHON" not in os.environ:
        context.pythonExec = sys.executable
    return session


def _end_java() -> None:
    """End the Java process that was started here, which would stay until this one ends."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    if gateway is None or _SUBMITTED in os.environ:
        return
    gateway.shutdown()
    process: Any = getattr(gateway, "proc", None)
    if process is not None:
        process.stdin.close()  # which it waits for
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
    SparkContext._gateway = SparkContext._jvm = None


@contextmanager
def watched(session: SparkSession, stage: str, total: int, progress: Any) -> Iterator[None]:
    """Tell how much of a stage is done, by the share of its tasks that have ended."""
    if progress is None:
        yield
        return
    context = session.sparkContext
    context.setJobGroup(stage, stage)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            ended, tasks = _tasks(context.statusTracker(), stage)
            if tasks:
                progress(stage, min(max(0, total - 1), total * ended // tasks), total)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    progress(stage, total, total)


def _tasks(tracker: Any, group: str) -> tuple[int, int]:
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
    stages = [tracker.getStageInfo(stage) for job in jobs if job for stage in job.stageIds]
    known = [stage for stage in stages if stage]
    return sum(stage.numCompletedTasks for stage in known), sum(stage.numTasks for stage in known)


def _not_started(error: Exception, log: IO[bytes], master: str | None) -> ArtsimError:
    log.seek(0)
    said = f"{error}\n{log.read().decode(errors='replace')}"
    if "UnsupportedClassVersionError" in said:
        return UsageError("Spark does not start: it needs Java 17 or later; JAVA_HOME says which Java it takes.")
    # Spark gives up by stopping, and what is said then is that it has stopped.
    reason = "no master answers" if "stopped SparkContext" in said else _reason(said)
    if "Could not parse Master URL" in said or "Master must " in said:
        return UsageError(f"--master {master}: Spark knows no such master ({reason}).")
    return DeviceError(f"Spark does not start{f' at {master}' if master else ''}: {reason}.")


def _failed(said: str) -> ArtsimError:
    """What a job ended with, in artsim's own words where a worker had some."""
    own = re.search(r"^artsim\.errors\.(\w+): (.*)$", said, re.MULTILINE)
    kind = getattr(errors, own[1], None) if own else None
    if own and isinstance(kind, type) and issubclass(kind, ArtsimError):
        return kind(own[2])
    if "No module named 'artsim'" in said:
        return DeviceError("the Python of Spark's workers has no artsim; docs/cluster.md says how it gets there.")
    if "No space left on device" in said:
        return OutputError(f"can't be written: {_reason(said)}.")
    return DeviceError(f"Spark gave up: {_reason(said)}.")


def _reason(said: str) -> str:
    """The line that says most: what a worker's traceback ends with, else Java's innermost cause, else the first one."""
    _, traceback, rest = said.rpartition("Traceback (most recent call last):\n")
    lines = [line for line in rest.splitlines() if line.strip() and not line.startswith(" ")]
    if not traceback:
        causes = re.findall(r"^Caused by: (.*)$|^: (.*)$", said, re.MULTILINE)
        lines = [cause or first for cause, first in causes[-1:]] or lines
    return (lines[0] if lines else "no reason given").strip().rstrip(".")[:300]
