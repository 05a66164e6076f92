"""Further processes of a command that share its work."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from artsim.files import writing
from artsim.messages import Say
from artsim.tracking.run import LAUNCHED


@contextmanager
def more_processes(processes: int, arguments: Sequence[str], folder: Path, say: Say) -> Iterator[None]:
    """Processes of `artsim sweep` beside this one, until they have ended. An error in the block ends them.

    Args:
        processes: number of all, this one included.
        arguments: of each further one.
        folder: for what they write to the terminal, in one file each.
        say: receives a line about each that fails.
    """
    logs = [folder / f"process-{number}.log" for number in range(2, processes + 1)]
    started = [_start(arguments, log) for log in logs]
    try:
        yield
        for process, log in zip(started, logs, strict=True):
            if code := process.wait():
                say(f"A further process ended with the exit code {code}. Its messages are in {log}.")
    finally:
        for process in started:
            if process.poll() is None:
                process.terminate()
        for process in started:
            process.wait()


def _start(arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != LAUNCHED}
    command = [sys.executable, "-m", "artsim", "sweep", *arguments]
    with writing(log), log.open("wb") as file:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment)  # noqa: S603 - our own
