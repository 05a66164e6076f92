"""A scoring process that is killed, and started again with the same command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from artsim.locking import only_one
from tests.command import ROOT
from tests.towers import write_paintings, write_tower

PROGRAM = [sys.executable, "-c", "from artsim.cli.main import score_main; score_main()"]
# The same, but it sleeps once that many blocks are finished. Only a patch leaves time to kill it between two blocks.
SLEEPING = """
import sys, time
from artsim.cli.main import score_main
from artsim.tables.resume import ResumableFile

append, wanted = ResumableFile.append, int(sys.argv.pop(1))

def append_and_sleep(sink, data):
    append(sink, data)
    if sink.blocks == wanted:
        time.sleep(600)

ResumableFile.append = append_and_sleep
score_main()
"""
NAMES = [f"{number}.png" for number in range(40)]
ROWS = 1_500_000  # three blocks


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    write_paintings(folder, *NAMES)
    write_tower(folder / "tower.onnx")
    pairs = "".join(f"{one},{other}\n" for one, other in product(NAMES, NAMES))
    (folder / "pairs.csv").write_text("image1,image2\n" + pairs * (ROWS // len(NAMES) ** 2))
    return folder


def start(folder: Path, output: str, program: list[str] = PROGRAM) -> subprocess.Popen[bytes]:
    command = [*program, "--model", "tower.onnx", "pairs.csv", "-o", output]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE)


def finished(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    _, err = process.communicate(timeout=120)
    return process.returncode, err.decode()


def kill_when(process: subprocess.Popen[bytes], is_time: Callable[[], bool]) -> None:
    """SIGKILL, which a process can do nothing about."""
    try:
        while not is_time():
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.005)
    finally:
        process.kill()
        process.communicate()


def blocks_done(folder: Path) -> int:
    for state in folder.glob(".*.unfinished/run.json"):
        return int(json.loads(state.read_text())["blocks"])
    return 0


@pytest.mark.slow
@pytest.mark.parametrize("output", ["scores.csv", "scores.csv.gz", "scores.jsonl", "scores.parquet"])
def test_killed_and_started_again_it_ends_with_the_same_bytes(folder: Path, output: str) -> None:
    assert finished(start(folder, output))[0] == 0
    whole = (folder / output).read_bytes()
    (folder / output).unlink()
    for wanted in (1, 2):
        program = [sys.executable, "-c", SLEEPING, str(wanted)]
        kill_when(start(folder, output, program), lambda: blocks_done(folder) >= wanted)  # noqa: B023 - called at once
        assert not (folder / output).exists()
    code, err = finished(start(folder, output))
    assert (code, "resumed at" in err) == (0, True)
    assert (folder / output).read_bytes() == whole
    assert not list(folder.glob(".*"))


def test_a_second_process_on_the_same_output_is_refused_8(folder: Path) -> None:
    with only_one(folder / "scores.csv"):
        code, err = finished(start(folder, "scores.csv"))
    assert (code, "another run" in err) == (8, True)
