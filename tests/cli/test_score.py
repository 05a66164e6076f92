"""`artsim-score` and `artsim info` as typed: exit codes, standard streams, full disks."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from artsim import images
from artsim.cli import options
from artsim.cli.info import info
from artsim.cli.main import run
from artsim.cli.score import score
from artsim.scoring import device, scorer
from tests.towers import adaptable_card, card, newer_card, write_paintings, write_tower

PROGRAM = [sys.executable, "-c", "from artsim.cli.main import score_main; score_main()"]
ROOT = Path(__file__).parents[2]
HEADER = "image1,image2,distance,probability,prediction,status"

Command = Callable[..., int]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a tower, three paintings and a pair of them."""
    write_paintings(tmp_path, "a.png", "b.png", "c.png")
    write_tower(tmp_path / "tower.onnx")
    (tmp_path / "pairs.csv").write_text("image1,image2\na.png,b.png\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def artsim_score(*arguments: str, command: click.Command = score) -> int:
    """Run a command in this process and return its exit code."""
    return run(lambda: command.main(list(arguments), prog_name="artsim-score", standalone_mode=False))


def scored(*arguments: str) -> int:
    return artsim_score("--model", "tower.onnx", *arguments)


def program(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run artsim-score in a new process, in the working folder."""
    # Coverage is not measured there: a process that can't write files can't write that either.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    environment["PYTHONPATH"] = str(ROOT)
    streams = {"stdout": subprocess.PIPE} | options
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [*PROGRAM, "--model", "tower.onnx", *arguments],
        env=environment, stderr=subprocess.PIPE, check=False, timeout=60, **streams,
    )  # fmt: skip


def test_scores_go_to_stdout_and_the_rest_to_stderr(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scored("pairs.csv") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == HEADER
    assert out.splitlines()[1].startswith("a.png,b.png,")
    assert [line.split("  ")[0] for line in err.splitlines()] == [
        "provider", "images", "pairs", "cohort", "wall time", "bad images",
    ]  # fmt: skip
    assert "\x1b" not in err


def test_quiet_writes_nothing_to_stderr(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scored("pairs.csv", "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_old_spellings_of_flags_work(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scored("pairs.csv", "--DATA_DIR", ".", "--Batch_Size", "1", "--device", "CPU") == 0


def test_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"image1,image2\nb.png,c.png\n")))
    assert scored("-") == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("b.png,c.png,")


def test_info_prints_the_card(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_score("tower.onnx", "--json", command=info) == 0
    assert json.loads(capsys.readouterr().out).items() >= json.loads(card().to_json()).items()


def test_defaults_and_limits_of_the_flags_are_those_of_the_library() -> None:
    defaults = {option.name: option.default for option in score.params}
    assert defaults["max_pixels"] == images.MAX_PIXELS
    assert options.MAX_BATCH_SIZE == scorer.MAX_BATCH_SIZE
    text = " ".join(score.get_help(click.Context(score)).split())
    assert f"{scorer.BATCH_SIZES[device.CPU]} on the CPU, {scorer.BATCH_SIZES[device.CUDA]} on CUDA" in text


USAGE = [
    [],
    ["pairs.csv", "--model"],
    ["pairs.csv", "--gpu"],
    ["pairs.csv", "--batch-size", "0"],
    ["pairs.csv", "--batch-size", "many"],
    ["pairs.csv", "--device", "tpu"],
    ["pairs.csv", "--prior", "0"],
    ["pairs.csv", "--prior", "nan"],
    ["pairs.csv", "--threshold", "nan"],
    ["pairs.csv", "--columns", "filename=File"],
    ["pairs.csv", "--max-bad-images", "few"],
    ["pairs.csv", "-o", "scores.xls"],
    ["pairs.csv", "-o", "scores"],
]


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_wrong_usage_exits_2(folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert scored(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


INPUTS = {
    "no such file": None,
    "0 bytes": b"",
    "missing columns": b"left,right\na.png,b.png\n",
    "a label of 2": b"image1,image2,sameArtist\na.png,b.png,2\n",
    "an output's column": b"image1,image2,distance\na.png,b.png,0\n",
    "damaged text": b"image1,image2\n\x81.png,b.png\n",
    "too many cells": b"image1,image2\na.png,b.png,c.png\n",
}


@pytest.mark.parametrize("name", INPUTS)
def test_unusable_input_exits_3(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = INPUTS[name]
    if data is not None:
        (folder / "input.csv").write_bytes(data)
    assert scored("input.csv") == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: input.csv")


def test_a_folder_as_input_exits_3(folder: Path) -> None:
    assert scored(".") == 3


def test_a_header_without_rows_exits_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pairs.csv").write_bytes(b"\xef\xbb\xbfimage1,image2\r\n")
    assert scored("pairs.csv") == 0
    assert capsys.readouterr().out == HEADER + "\n"


def test_bad_images_exit_4_after_everything_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pairs.csv").write_text("image1,image2\na.png,b.png\na.png,lost.png\n")
    assert scored("pairs.csv", "-o", "scores.csv", "--summary", "summary.json") == 4
    assert "lost.png" in capsys.readouterr().err
    assert (folder / "scores.csv").read_text().endswith("a.png,lost.png,,,,image2: missing\n")
    assert len(json.loads((folder / "summary.json").read_text())["bad_images"]) == 1
    assert scored("pairs.csv", "-o", "scores.csv", "--max-bad-images", "1") == 0
    assert scored("pairs.csv", "-o", "scores.csv", "--max-bad-images", "33%") == 4
    assert scored("pairs.csv", "-o", "scores.csv", "--max-bad-images", "34%") == 0


@pytest.mark.parametrize("contents", [None, b"", b"no model"], ids=["missing", "empty", "not ONNX"])
@pytest.mark.parametrize("command", ["score", "info"])
def test_an_unusable_model_exits_5(
    folder: Path, contents: bytes | None, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if contents is not None:
        (folder / "other.onnx").write_bytes(contents)
    if command == "info":
        assert artsim_score("other.onnx", command=info) == 5
    else:
        assert artsim_score("--model", "other.onnx", "pairs.csv") == 5
    assert capsys.readouterr().err.startswith("error: other.onnx: ")


@pytest.mark.parametrize("metadata", ["", newer_card()], ids=["foreign", "newer"])
def test_a_foreign_or_newer_onnx_file_exits_5(folder: Path, metadata: str) -> None:
    write_tower(folder / "tower.onnx", metadata)
    assert scored("pairs.csv") == 5


def test_missing_cuda_exits_6(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device, "gpu_count", lambda: 0)
    assert scored("pairs.csv", "--device", "cuda") == 6
    assert "--device cpu" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["none/scores.csv", "none/scores.parquet", "taken.csv"])
@pytest.mark.parametrize("option", ["--output", "--summary"])
def test_an_impossible_output_exits_8(folder: Path, output: str, option: str) -> None:
    (folder / "taken.csv").mkdir()
    assert scored("pairs.csv", option, output) == 8
    assert sorted(path.name for path in folder.iterdir()) == [
        "a.png", "b.png", "c.png", "pairs.csv", "taken.csv", "tower.onnx",
    ]  # fmt: skip


def test_the_null_device_as_output_exits_0(folder: Path) -> None:
    assert scored("pairs.csv", "-o", os.devnull) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_device_exits_8(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scored("pairs.csv", "-o", "/dev/full") == 8
    assert "No space left" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_behind_standard_output_exits_8(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = program("pairs.csv", stdout=full)
    assert done.returncode == 8
    assert done.stderr.decode().splitlines() == ["error: standard output: can't be written (No space left on device)."]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
@pytest.mark.parametrize("limit", [5_000, 20_000])
@pytest.mark.parametrize("suffix", ["csv", "jsonl.gz", "parquet"])
def test_a_full_disk_exits_8_and_the_run_can_be_resumed(folder: Path, suffix: str, limit: int) -> None:
    rows = [f"{'ab'[n % 2]}.png,c.png,{n * 7919 % 100_003}" for n in range(20_000)]
    (folder / "pairs.csv").write_text("image1,image2,note\n" + "\n".join(rows))
    before = sorted(folder.iterdir())
    output = folder / f"scores.{suffix}"
    assert scored("pairs.csv", "-o", output.name) == 0
    whole = output.read_bytes()
    output.unlink()

    def small_files_only() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = program("pairs.csv", "-o", output.name, preexec_fn=small_files_only)
    assert (done.returncode, done.stdout) == (8, b"")
    assert done.stderr.decode().count("\n") == 1
    assert "Start the same command again to resume" in done.stderr.decode()
    assert sorted(path for path in folder.iterdir() if not path.name.startswith(".")) == before
    assert scored("pairs.csv", "-o", output.name) == 0
    assert output.read_bytes() == whole
    assert sorted(folder.iterdir()) == sorted([*before, output])


def test_a_closed_pipe_exits_0(folder: Path) -> None:
    rows = ["a.png,b.png"] * 50_000
    (folder / "pairs.csv").write_text("image1,image2\n" + "\n".join(rows))
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = program("pairs.csv", "--quiet", stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX file descriptors")
def test_a_closed_standard_output_that_is_not_needed_exits_0(folder: Path) -> None:
    done = program("pairs.csv", "-o", "scores.csv", stdout=None, preexec_fn=lambda: os.close(1))
    assert (done.returncode, (folder / "scores.csv").read_text().count("\n")) == (0, 2)
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX file descriptors")
def test_a_closed_standard_output_exits_8(folder: Path) -> None:
    done = program("pairs.csv", stdout=None, preexec_fn=lambda: os.close(1))
    assert done.returncode == 8
    assert done.stderr.decode().splitlines() == ["error: standard output: can't be written (Bad file descriptor)."]


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
def test_a_pipe_as_a_cohort_is_refused_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(folder / "pipe")
    write_tower(folder / "tower.onnx", adaptable_card())
    assert scored("pairs.csv", "-o", "scores.csv", "--cohort", "pipe") == 3
    assert "pipe: the cohort is a pipe or a device. Name a folder" in capsys.readouterr().err


def test_scoring_imports_neither_tensorflow_nor_mlflow_nor_pandas(folder: Path) -> None:
    code = (
        "import sys; from artsim.cli.main import run; from artsim.cli.score import score\n"
        "assert run(lambda: score.main(['--model', 'tower.onnx', 'pairs.csv'], standalone_mode=False)) == 0\n"
        "print('LOADED', *sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    loaded = {name.partition(".")[0] for name in done.stdout.split("LOADED ")[1].split()}
    assert "onnxruntime" in loaded
    assert not loaded & {"tensorflow", "keras", "mlflow", "onnx", "tf2onnx", "pandas", "sklearn"}
