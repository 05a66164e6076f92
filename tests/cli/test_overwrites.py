"""Every command leaves what it reads as it is, and ends with exit code 2 before it opens anything."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT, artsim_in_process
from tests.towers import write_paintings, write_tower


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_paintings(tmp_path / "im", "a.png", "b.png", "c.png")
    write_tower(tmp_path / "tower.onnx")
    write_tower(tmp_path / "other.onnx")
    Path("pairs.csv").write_text("image1,image2\na.png,b.png\n")
    Path("works.csv").write_text("filename,artist\na.png,x\nb.png,y\n")
    Path("link.csv").symlink_to("pairs.csv")
    Path("selection.csv").write_text("filename,artist,split\na.png,x,train\nb.png,y,train\n")
    Path("checkpoints").mkdir()
    Path("checkpoints/checkpoint.json").write_text("{}")
    Path("checkpoints/best.keras").write_text("x")
    assert artsim_in_process("embed", "im", "-o", "store.parquet", "--model", "tower.onnx", "--quiet") == 0
    return tmp_path


SCORE = "score --model tower.onnx --data-dir im pairs.csv"
NEAREST = "nearest im/a.png --among works.csv --data-dir im --model tower.onnx"
REFUSED = {
    f"{SCORE} -o pairs.csv": "--output pairs.csv: is the file that PAIRS.CSV reads",
    f"{SCORE} -o link.csv": "--output link.csv: is the file that PAIRS.CSV reads",
    f"{SCORE} -o scores.csv --summary tower.onnx": "--summary tower.onnx: is the file that --model reads",
    f"{SCORE} -o scores.csv --summary other.onnx": "--summary other.onnx: is a tower",
    f"{SCORE} -o scores.csv --summary ./scores.csv": "--summary scores.csv: is the file that --output writes",
    f"{SCORE} -o scores.csv --summary im/c.png": "--summary im/c.png: is a picture",
    f"{SCORE} -o scores.csv --summary pairs.csv": "--summary pairs.csv: is the file that PAIRS.CSV reads",
    f"{SCORE} --embeddings store.parquet -o store.parquet": "--output store.parquet: is the file that --embeddings",
    f"{SCORE} --cohort store.parquet -o store.parquet": "--output store.parquet: is the file that --cohort reads",
    f"{SCORE} --engine spark -o x.parquet --summary tower.onnx": "--summary tower.onnx: is the file that --model",
    "embed store.parquet -o store.parquet --model tower.onnx": "--output store.parquet: is the file that FOLDER",
    "pairs works.csv -o works.csv": "--output works.csv: is the file that FOLDER_OR_CSV reads",
    "pairs im --queries works.csv -o works.csv": "--output works.csv: is the file that --queries reads",
    f"{NEAREST} -o works.csv": "--output works.csv: is the file that --among reads",
    f"{NEAREST} -o found.csv --artists found.csv": "--artists found.csv: is the file that --output writes",
    f"{NEAREST} --cohort pairs.csv --artists pairs.csv": "--artists pairs.csv: is the file that --cohort reads",
    "export checkpoints -o checkpoints/best.keras": "--output checkpoints/best.keras: is the file that CHECKPOINTS",
    "export checkpoints -o im/a.png": "--output im/a.png: is a picture",
    "train --data-file-path selection.csv --save-data-to-file True": "--save-data-to-file selection.csv: is the file "
    "that --data-file-path reads",
}


def contents(folder: Path) -> dict[Path, str]:
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("command", REFUSED)
def test_no_command_overwrites_what_it_reads(folder: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(folder)
    capsys.readouterr()
    assert artsim_in_process(*shlex.split(command)) == 2
    assert f"error: {REFUSED[command]}" in capsys.readouterr().err
    assert contents(folder) == before


ALLOWED = [
    f"{SCORE} --quiet -o /dev/null --summary /dev/null",
    f"{SCORE} --quiet -o scores.csv --embeddings store.parquet --cohort none --summary summary.json",
    "embed im -o store.parquet --model tower.onnx --quiet",
]


@pytest.mark.parametrize("command", ALLOWED)
def test_outputs_of_their_own_are_written_again(folder: Path, command: str) -> None:
    assert [artsim_in_process(*shlex.split(command)) for _ in range(2)] == [0, 0]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX file descriptors")
@pytest.mark.parametrize("line", [SCORE, "pairs pairs.csv --columns filename=image1"])
def test_standard_output_is_no_input(folder: Path, line: str) -> None:
    before = contents(folder)
    command = [sys.executable, "-m", "artsim", *shlex.split(line)]
    with Path("pairs.csv").open("r+b") as file:
        done = subprocess.run(
            command,
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
    assert (done.returncode, contents(folder)) == (2, before)
    assert "standard output is the file that " in done.stderr
    assert " reads (pairs.csv). Send it to another file." in done.stderr
