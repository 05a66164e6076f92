"""What a run costs in its tracking store: seconds and megabytes.

    python -m benchmarks.tracking_cost [sqlite] [server]

`artsim train` with its defaults, once for each kind of store: the SQLite file of the working folder, and a server of
MLflow on this machine with a SQLite store and artifacts. The seconds are those that the training waits for tracking:
the start of the run, each entry, and the end until the store has everything.

Expected: at most 3 % of the run's time, and one copy of each file in the store.

Measured on 2026-11-27 on 2 idle EPYC cores: SQLite 3.0 of 131 s (2.3 %), 27.7 MB in 152 files; server 2.0 of 135 s
(1.5 %), 25.5 MB. On busy cores, and before a model left out the code that scoring does not need: 3.8 and 11.6 %.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.data import verdict
from benchmarks.mlflow_server import Server

MOST = 0.03
SMALL = 100  # bytes; smaller files, such as empty ones, may be alike
CHILD = "--child"


def main() -> int:
    """Train with each kind of store."""
    met = [measured(kind) for kind in sys.argv[1:] or ["sqlite", "server"]]
    return verdict(all(met), f"at most {MOST:.0%} of the time, and one copy of each file")


def measured(kind: str) -> bool:
    """Train with one kind of store, and print what it costs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work = folder / "work"
        work.mkdir()
        server = Server(folder) if kind == "server" else None
        stored, database = work / "mlruns", work / "mlflow.db"
        environment = {**os.environ, "XDG_STATE_HOME": f"{folder}/state", "PYTHONPATH": str(Path.cwd())}
        if server is not None:
            server.start()
            stored, database = folder / "artifacts", folder / "server.db"
            environment["MLFLOW_TRACKING_URI"] = server.uri
        try:
            command = [sys.executable, "-m", "benchmarks.tracking_cost", CHILD]
            ended = subprocess.run(command, cwd=work, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        finally:
            if server is not None:
                server.stop()
        whole, waited = map(float, ended.stdout.splitlines()[-1].split())
        files = [path for path in stored.rglob("*") if path.is_file() and path.stat().st_size >= SMALL]
        twice = repeated(files)
        megabytes, own = (sum(path.stat().st_size for path in paths) / 1e6 for paths in (files, [database]))
    print(f"{kind}: {waited:.1f} of {whole:.1f} s ({waited / whole:.1%})")
    print(f"  {megabytes:.1f} MB in {len(files)} files, {own:.1f} MB of database; twice: {', '.join(twice) or 'none'}")
    return waited <= MOST * whole and not twice


def repeated(files: list[Path]) -> list[str]:
    """The names of files with the same content."""
    alike = defaultdict(list)
    for path in files:
        alike[hashlib.sha256(path.read_bytes()).digest()].append(path.name)
    return [name for names in alike.values() if len(names) > 1 for name in names]


def child() -> int:
    """Train in this process, and print the seconds in all and those in which the training waits for tracking."""
    from artsim.cli import main as cli
    from artsim.jobs import train
    from artsim.tracking.run import Run
    from artsim.tracking.run_log import RunLog

    waited = Waited()
    prepared = [(RunLog, name) for name in ("log_tower", "log_dataset", "log_table")]  # what they log is made first
    for owner, name in (*prepared, (RunLog, "_log"), (Run, "finish"), (RunLog, "check_artifact_store")):
        setattr(owner, name, waited.timed(getattr(owner, name)))
    vars(train)["tracked_run"] = waited.timed_ends(vars(train)["tracked_run"])
    started = time.monotonic()
    code = cli.run(lambda: cli.artsim(["train", "--quiet"], standalone_mode=False))
    print(time.monotonic() - started, waited.seconds)
    return code


class Waited:
    """The seconds that the main thread has spent in some calls; a call within another counts once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the time of a block."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        started, self._depth = time.monotonic(), self._depth + 1
        try:
            yield
        finally:
            self._depth -= 1
            self.seconds += 0 if self._depth else time.monotonic() - started

    def timed(self, call: Any) -> Any:
        """The same call, counted."""

        def counted(*arguments: Any, **named: Any) -> Any:
            with self.counting():
                return call(*arguments, **named)

        return counted

    def timed_ends(self, manager: Any) -> Any:
        """The same context manager; its beginning and its end are counted, and its block is not."""

        @contextmanager
        def counted(*arguments: Any, **named: Any) -> Iterator[Any]:
            context = manager(*arguments, **named)
            with self.counting():
                entered = context.__enter__()
            try:
                yield entered
            finally:
                with self.counting():
                    context.__exit__(*sys.exc_info())

        return counted


if __name__ == "__main__":
    sys.exit(child() if CHILD in sys.argv else main())
