"""A Spark session: it prints nothing, uses this Python on one machine, and ends its Java process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from artsim.errors import UsageError
from artsim.files import stderr_to
from artsim.messages import Progress
from artsim.scoring.spark.failures import job_failure, start_failure

if TYPE_CHECKING:
    from pyspark import StatusTracker
    from pyspark.sql import SparkSession

BROADCAST_BYTES = 2**27  # of embeddings; fits into an executor of Spark's default size
POLL_SECONDS = 0.5
_SUBMITTED = "PYSPARK_GATEWAY_PORT"  # spark-submit sets it; its Java process runs already


def check_java() -> None:
    """Check that there is a Java, which Spark needs.

    Raises:
        UsageError: there is none.
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
    """Start Spark and stop it at the end; without a master, Spark's own setting applies.

    Spark's output is hidden. Its failures are raised as errors.

    Raises:
        UsageError: Spark does not start: Java is too old, or the master is unknown to Spark.
        DeviceError: the cluster can't be reached, or a job failed on it.
        ArtsimError: an error of artsim on a worker.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    with tempfile.TemporaryFile() as log, warnings.catch_warnings():
        # A warning about pandas 3; artsim uses only its strings, numbers and bytes.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        try:
            with stderr_to(log):
                session = _started(app, master)
        except (PySparkException, Py4JError, RuntimeError) as error:
            log.seek(0)
            failure = start_failure(str(error), log.read().decode(errors="replace"), master)
            _end_java()
            raise failure from None
        try:
            yield session
        except (PySparkException, Py4JError) as error:
            raise job_failure(str(error)) from None  # now, as Java has the text and ends below
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
        "spark.sql.caseSensitive": "true",  # like the columns of a pairs file
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
    """End the Java process of this session; pyspark would keep it until this process ends.

    pyspark has no public way to end it, hence the private attributes.
    """
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    if gateway is None or _SUBMITTED in os.environ:
        return
    gateway.shutdown()
    process: subprocess.Popen[bytes] | None = getattr(gateway, "proc", None)
    if process is not None:
        if process.stdin is not None:
            process.stdin.close()  # the process waits for this
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
    SparkContext._gateway = SparkContext._jvm = None


@contextmanager
def watched(session: SparkSession, stage: str, total: int, progress: Progress) -> Iterator[None]:
    """Report the progress of a stage by the share of its finished tasks."""
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


def _tasks(tracker: StatusTracker, group: str) -> tuple[int, int]:
    jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
    stages = [tracker.getStageInfo(stage) for job in jobs if job for stage in job.stageIds]
    known = [stage for stage in stages if stage]
    return sum(stage.numCompletedTasks for stage in known), sum(stage.numTasks for stage in known)
