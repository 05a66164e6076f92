"""Commands that SIGKILL ends while they write: nothing half-written has a final name, and the next run succeeds.

For scoring and embedding, see `test_resume` and `test_embed`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from artsim.scoring.contract import METADATA_KEY
from artsim.scoring.session import read_card
from tests.command import ROOT, SMALL, artsim_in_process, artsim_process

# The command, but it sleeps in the function whose module and name come first, for a file below the working folder.
SLEEPING = """
import importlib, sys, time
from pathlib import Path
from artsim.cli.main import main
module, name = (sys.argv.pop(1) for _ in range(2))
def sleep(path, *_):
    time.sleep(600 if path.absolute().is_relative_to(Path.cwd()) else 0)
setattr(importlib.import_module(module), name, sleep)
main()
"""

WRITING = ("artsim.files", "keep_permissions")  # called when a temporary file is there
SAVING = ("artsim.training.networks.checkpoints", "_seal")  # called when a checkpoint is there under another name


def killed_in(place: tuple[str, str], folder: Path, is_time: Callable[[], bool], *arguments: str) -> None:
    """Run a command and kill it in a function, once something is there."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPING, *place, *arguments], cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    try:
        while not is_time():
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()


def test_killed_pairs_leave_no_file_and_are_written_by_the_next_run(tmp_path: Path) -> None:
    rows = "".join(f"{number}.jpg,Ann {number % 9}\n" for number in range(50))
    (tmp_path / "works.csv").write_text("filename,artist\n" + rows)
    pairs = ("pairs", str(tmp_path / "works.csv"), "-o")
    assert artsim_in_process(*pairs, str(tmp_path / "whole.csv")) == 0
    killed_in(WRITING, tmp_path, lambda: bool(list(tmp_path.glob(".*.part"))), *pairs, str(tmp_path / "made.csv"))
    assert not (tmp_path / "made.csv").exists()
    assert artsim_in_process(*pairs, str(tmp_path / "made.csv")) == 0
    assert (tmp_path / "made.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.fixture
def folder(tmp_path: Path, demo_csv: Path) -> Path:
    """A working folder with a small collection in `works`, and no store of runs yet."""
    shutil.copytree(demo_csv.parent, tmp_path / "works")
    return tmp_path


TRAIN = ["train", "--data-file-path", "works/train_info.csv", *SMALL, "--epochs", "1", "--quiet"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_trainings_and_exports_leave_nothing_half_written_and_hinder_nobody(folder: Path) -> None:
    checkpoints = folder / "Checkpoints"
    killed_in(SAVING, folder, lambda: bool(list(checkpoints.glob("*/.saving-*/*.keras"))), *TRAIN)
    assert not list(checkpoints.glob("*/*.keras"))
    shutil.rmtree(checkpoints)
    done = artsim_process(*TRAIN, cwd=folder)
    assert done.returncode == 0, done.stderr
    (run,) = checkpoints.iterdir()
    export = ("export", str(run), "-o", "exported.onnx")
    killed_in(WRITING, folder, lambda: bool(list(folder.glob(".*.part"))), *export)
    assert not (folder / "exported.onnx").exists()
    done = artsim_process(*export, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "exported.onnx").read_bytes() == (run / "tower.onnx").read_bytes()
    read_card(folder / "exported.onnx")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_trainings_with_one_seed_differ_only_in_the_id_of_the_run(folder: Path) -> None:
    """In two processes, as sets of names have another order in each."""
    towers = []
    for seed in ("1", "2"):
        done = artsim_process(*TRAIN, cwd=folder, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
        (run,) = (folder / "Checkpoints").iterdir()
        towers.append(onnx.load(run / "tower.onnx"))
        shutil.rmtree(run)
    (one, other) = towers
    assert one.graph.SerializeToString(deterministic=True) == other.graph.SerializeToString(deterministic=True)
    cards = [{each.key: json.loads(each.value) for each in tower.metadata_props}[METADATA_KEY] for tower in towers]
    assert {name for name in cards[0] if cards[0][name] != cards[1][name]} == {"run_id"}
    assert set(cards[0]) == set(cards[1])
