"""artsim train, killed in each of its stages and resumed by `artsim train --resume`.

    python -m benchmarks.resumed

A shrunken `transfer` run on the embedded collection is trained once without interruption. It has random weights, 64 px,
six artists, and four fits: the first one, two folds of the calibration, and the refit. A second run is killed by
SIGKILL half a second after a stage begins, and is resumed, until it has been killed in every stage and in the export.

Expected: all final metrics are the same to the last bit, every curve has each step once, and the run is FINISHED.

Measured on 2026-11-27 on two busy cores: killed 14 times, and all of it was met.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from benchmarks.data import verdict

FLAGS = [
    *("--recipe", "transfer", "--tower", "mobilenet", "--weights", "none", "--image-size", "64"),
    *("--num-of-artists", "6", "--num-of-images-per-artist", "4", "--works-per-artist", "2", "--batch-size", "4"),
    *("--embedding-size", "16", "--tune-epochs", "3", "--epochs", "4", "--device-id", "/cpu:0"),
]
DELAY = 0.5  # seconds from the beginning of a stage to the kill
TIMED = ("system/", "progress/")  # metrics that measure time or the machine; so do those named images_per_second


def main() -> int:
    """Kill, resume, and compare."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        began = time.monotonic()
        stages = [stage for stage, _ in watched(place, FLAGS)]
        print(f"{len(stages)} stages, {time.monotonic() - began:.0f} s without interruption")
        client = MlflowClient(f"sqlite:///{place}/mlflow.db")
        (whole,) = client.search_runs(["0"])
        arguments = FLAGS
        for stage in stages:
            print(
                f"killed in: {stage}" if killed_in(place, arguments, stage) else f"not killed in: {stage}", flush=True
            )
            (run,) = (each for each in client.search_runs(["0"]) if each.info.run_id != whole.info.run_id)
            arguments = ["--resume", run.info.run_id]
        for _ in watched(place, arguments):
            pass
        resumed = client.get_run(run.info.run_id)
        same = metrics_of(resumed) == metrics_of(whole)
        unbroken = steps_of(client, resumed) == steps_of(client, whole)
        print(f"status {resumed.info.status}, metrics {'same' if same else 'OTHER'}, ", end="")
        print(f"curves {'unbroken' if unbroken else 'BROKEN'}")
        if not same:
            found = metrics_of(whole)
            print(
                {
                    name: (found.get(name), value)
                    for name, value in metrics_of(resumed).items()
                    if found.get(name) != value
                }
            )
    return verdict(same and unbroken and resumed.info.status == "FINISHED", "the same metrics, and each step once")


def watched(place: Path, arguments: list[str]) -> Generator[tuple[str, subprocess.Popen[str]]]:
    """Run artsim train, and give each stage that it tells of as it begins."""
    command = [sys.executable, "-m", "artsim", "train", *arguments]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = []
        for line in process.stderr:
            told.append(line)
            if line.endswith(" …\n") and (line.startswith(("fit ", "features")) or "Exporting" in line):
                yield ("export" if "Exporting" in line else line.removesuffix(" …\n")), process
        if process.wait() not in (0, -signal.SIGKILL):
            raise SystemExit("".join(told))


def killed_in(place: Path, arguments: list[str], stage: str) -> bool:
    """Whether the run was killed in this stage; it may have ended before."""
    with contextlib.closing(watched(place, arguments)) as stages:
        for begun, process in stages:
            if begun == stage:
                time.sleep(DELAY)
                process.kill()
                return True
    return False


def metrics_of(run: Run) -> dict[str, float]:
    """The last value of each metric that does not measure time."""
    values = run.data.metrics.items()
    return {name: value for name, value in values if not name.startswith(TIMED) and "images_per_second" not in name}


def steps_of(client: MlflowClient, run: Run) -> dict[str, list[int]]:
    """The steps of each metric, in order."""
    history = {name: client.get_metric_history(run.info.run_id, name) for name in metrics_of(run)}
    return {name: sorted(metric.step for metric in steps) for name, steps in history.items()}


if __name__ == "__main__":
    sys.exit(main())
