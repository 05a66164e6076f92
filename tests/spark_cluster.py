"""A standalone Spark of one master and workers on loopback, each a Java process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
import pyspark

from tests.command import ROOT

SPARK = Path(pyspark.__file__).parent
PATIENCE = 120.0  # seconds, for a busy machine

Found = TypeVar("Found")


def environment(folder: Path) -> dict[str, str]:
    """For Spark on loopback, its scratch files in `folder`, its workers' artsim this one."""
    return {
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_HOSTNAME": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_WORKER_DIR": str(folder),
        "PYTHONPATH": str(ROOT),
    }


@dataclass(frozen=True)
class Cluster:
    """`master` is its URL, `workers` are the processes that start executors."""

    master: str
    workers: list[psutil.Process]

    def executors(self) -> list[psutil.Process]:
        """The executors that run now."""
        children = [child for worker in self.workers for child in worker.children()]
        return [child for child in children if "CoarseGrainedExecutorBackend" in _command(child)]


@contextmanager
def standalone(folder: Path, workers: int) -> Iterator[Cluster]:
    """Start a master on a free port and workers of one core; all of it is gone at the end."""
    with ExitStack() as stack:
        place = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
        log = stack.enter_context(_daemon(folder / "master", "master.Master", *place))[1]
        master = wait_for(lambda: re.search(r"Starting Spark master at (spark://\S+)", log.read_text()))[1]
        started = []
        for number in range(workers):
            arguments = [*place, "--cores", "1", "--memory", "1g", "--work-dir", str(folder), master]
            process, log = stack.enter_context(_daemon(folder / f"worker{number}", "worker.Worker", *arguments))
            wait_for(lambda log=log: "Successfully registered with master" in log.read_text())  # type: ignore[misc]
            started.append(psutil.Process(process.pid))
        yield Cluster(master, started)


def wait_for(look: Callable[[], Found | None]) -> Found:
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError


@contextmanager
def _daemon(folder: Path, name: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    folder.mkdir(parents=True)
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(SPARK / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *arguments],
            env=os.environ | environment(folder) | {"SPARK_HOME": str(SPARK)},
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        yield process, log
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
        process.terminate()
        process.wait(timeout=PATIENCE)


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
