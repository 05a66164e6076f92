"""Servers of MLflow for tests: on the loopback address, at a free port, ended with the test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

PATIENCE = 240  # seconds; MLflow's server takes tens of them to answer on two busy cores


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mlflow_server(command: str, *options: str, health: str, cwd: Path, **environment: str) -> Iterator[str]:
    """Run `mlflow COMMAND` as a server, and give its address once it answers at the path `health`."""
    port = free_port()
    address, log = f"http://127.0.0.1:{port}", cwd / f"server-{port}.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *command.split(), *options, "--host", "127.0.0.1", "--port", str(port)],
            cwd=cwd,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **environment},
            stdout=file,
            stderr=file,
            start_new_session=True,  # so that its workers end with it
        )
    try:
        _wait_for(f"{address}{health}", process, log)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.5)
    raise AssertionError(f"{address} does not answer:\n{log.read_text()}")
