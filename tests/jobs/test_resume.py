"""Scoring runs that end early and are started again with the same command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from artsim.jobs import score as job
from artsim.jobs.score import ScoreOptions, score_pairs
from artsim.locking import only_one
from artsim.scoring.contract import Calibration
from artsim.scoring.embed_images import EmbeddedImages
from artsim.scoring.scores import Criterion
from artsim.tables.pairs_file import PairsFile
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


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        ("scores.csv", "dc45c568f4192f8892b9d3369304f77bc9e65e4f92a6f02d7d294cb366184963"),
        ("scores.jsonl.gz", "2e7554a40a6c962477bdb84e5d88e2cfbd08d25b0871888a088f9f883f6dd63a"),
        ("scores.parquet", "43e4cf0ac4020967e995cb5c647e3a36d1965e8fc2ca1727baea3787388c8dc4"),
    ],
)
def test_a_fingerprint_is_that_of_artsim_0_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, wanted: str
) -> None:
    """Recorded with artsim 0.1.0; another fingerprint would start unfinished outputs again."""
    monkeypatch.setattr(job, "__version__", "0.1.0")  # a new version starts again, on purpose
    (tmp_path / "pairs").write_text("image1,image2\na.png,b.png\n")
    pairs = PairsFile(tmp_path / "pairs", "standard input", is_copy=True)  # its identity is its content
    criterion = Criterion("euclidean", 0.5, Calibration(-2.0, 1.0, 0.25), 0.125)
    vectors = np.arange(8, dtype=np.float32).reshape(2, 4) / np.float32(8)
    embedded = EmbeddedImages(vectors, np.array([0, 1], np.uint8), ["b.png: no such file"], ["0" * 64, ""], 1)
    assert job.output_fingerprint(ScoreOptions("tower.onnx", "-", output), pairs, criterion, embedded) == wanted


@pytest.mark.parametrize("output", ["scores.csv", "scores.jsonl.zst", "scores.parquet"])
def test_an_interrupted_run_is_resumed(folder: Path, output: str) -> None:
    (folder / "few.csv").write_text("image1,image2\n" + "0.png,1.png\n2.png,3.png\n" * 30)
    options = ScoreOptions(str(folder / "tower.onnx"), str(folder / "few.csv"), str(folder / output), device="cpu")
    assert score_pairs(options, block_bytes=128).pairs_resumed == 0
    whole = (folder / output).read_bytes()
    (folder / output).unlink()

    def interrupt(stage: str, done: int, total: int) -> None:
        if stage == "pairs" and done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_pairs(options, interrupt, block_bytes=128)
    assert not (folder / output).exists()
    summary = score_pairs(options, block_bytes=128)
    assert 30 < summary.pairs_resumed < 60 == summary.pairs
    assert ("resumed at", f"row {summary.pairs_resumed}") in summary.lines()
    assert (folder / output).read_bytes() == whole


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
