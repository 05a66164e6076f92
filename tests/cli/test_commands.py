"""The programs as typed: help, exit codes, signals, and the commands train, export and demo."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import click
import pytest

from artsim import __version__
from artsim.cli import main
from artsim.errors import ArtsimError
from tests.command import ROOT, artsim_in_process, artsim_process
from tests.towers import write_paintings


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("--version") == 0
    assert capsys.readouterr().out == f"artsim {__version__}\n"


@pytest.mark.parametrize("command", ["", *main.COMMANDS])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_shows_examples_and_the_page_of_the_exit_codes(
    command: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert artsim_in_process(*command.split(), flag) == 0
    text = capsys.readouterr().out
    assert f"Usage: artsim {command}" in text
    assert not command or "\n  Examples:\n    artsim" in text
    assert text.endswith("/docs/cli.md\n")


@pytest.mark.parametrize("arguments", [["paint"], ["train", "--nothing"], ["demo"], ["export", "x", "--which", "both"]])
def test_wrong_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_demo_writes_the_collection_and_prints_the_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        artsim_in_process("demo", str(tmp_path / "works"), "--num-of-artists", "2", "--NUM_OF_IMAGES_PER_ARTIST", "3")
        == 0
    )
    path = Path(capsys.readouterr().out.strip())
    assert path == tmp_path / "works" / "train_info.csv"
    assert len(path.read_text().splitlines()) == 7
    assert len(list((tmp_path / "works" / "train").glob("*.jpg"))) == 6


def test_demo_into_the_folder_of_another_collection_exits_8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "train_info.csv").write_text("mine")
    assert artsim_in_process("demo", str(tmp_path)) == 8
    assert (tmp_path / "train_info.csv").read_text() == "mine"


def test_export_of_a_folder_without_checkpoints_exits_5(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("export", str(tmp_path)) == 5
    assert f"{tmp_path}: no checkpoints" in capsys.readouterr().err


def test_train_without_its_extra_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from artsim.cli import extras

    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "tensorflow" else name)
    assert artsim_in_process("train") == 2
    assert 'tensorflow not installed. Run: pip install "artsim[train]"' in capsys.readouterr().err


def raising(error: BaseException) -> object:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ArtsimError("a defect"), 1),
        (click.UsageError("what?"), 2),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (OSError(errno.ENOSPC, "No space left on device"), 8),
    ],
)
def test_each_error_has_its_exit_code(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(raising(error)) == code  # type: ignore[arg-type]
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("error", [ZeroDivisionError(), OSError(errno.EIO, "broken", "file")])
def test_an_unexpected_error_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)):
        main.run(raising(error))  # type: ignore[arg-type]


def test_python_m_artsim(tmp_path: Path) -> None:
    assert artsim_process("--version", cwd=tmp_path).stdout == f"artsim {__version__}\n"
    assert artsim_process("nonsense", cwd=tmp_path).returncode == 2


def test_sigterm_interrupts_like_ctrl_c(tmp_path: Path) -> None:
    code = (
        "import os, signal, time; from artsim.cli import main; main.artsim.main = "
        "lambda **_: (os.kill(os.getpid(), signal.SIGTERM), time.sleep(60)); main.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "interrupted.\n")


USAGE = {
    "embed  -o x.parquet": "FOLDER_OR_FILE...': the name is empty",
    "score ": "PAIRS.CSV': the name is empty",
    "pairs ": "FOLDER_OR_CSV': the name is empty",
    "nearest a.png --among ": "--among': the name is empty",
    "embed . -o x.parquet --data-dir none": "--data-dir': 'none' is not a folder that exists. Name the folder",
    "score x.csv --data-dir none": "--data-dir': 'none' is not a folder",
    "nearest a.png --among x.csv --data-dir none": "--data-dir': 'none' is not a folder",
    "train --data-dir none": "--data-dir': 'none' is not a folder",
    "export . --data-dir none": "--data-dir': 'none' is not a folder",
    "embed . -o x.parquet --columns filename=File": "--columns names columns of a table, and '.' is no table. Name",
    "pairs . --columns filename=File": "--columns names columns of a table, and '.' is no table",
    "nearest a.png --among . --columns filename=File": "--columns names columns of a table, and '.' is no table",
    "score x.csv --cohort self --columns filename=File": "--columns names columns of a table, and 'self' is no table",
    "train --columns filename=File": "--columns names columns of a table, and 'demo' is no table",
}


TOO_LONG = "x" * 300 + ".csv"  # the system answers with an error, as for a folder without permission
IMPOSSIBLE = {
    f"embed {TOO_LONG} -o x.parquet": 3,
    f"pairs {TOO_LONG}": 3,
    f"pairs . --queries {TOO_LONG}": 3,
    f"nearest {TOO_LONG} --among .": 3,
    f"nearest a.png --among {TOO_LONG}": 3,
    f"score {TOO_LONG}": 3,
    f"score pairs.csv --cohort {TOO_LONG}": 3,
    f"export {TOO_LONG}": 5,
    f"info {TOO_LONG}": 5,
}


@pytest.mark.parametrize("line", IMPOSSIBLE)
def test_names_that_the_system_refuses_end_with_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_paintings(tmp_path, "a.png", "b.png")
    (tmp_path / "pairs.csv").write_text("image1,image2\na.png,b.png\n")
    assert artsim_in_process(*line.split(" ")) == IMPOSSIBLE[line]
    assert TOO_LONG in capsys.readouterr().err


@pytest.mark.parametrize("line", USAGE)
def test_names_that_can_not_be_meant_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert artsim_in_process(*line.split(" ")) == 2
    assert USAGE[line] in " ".join(capsys.readouterr().err.split())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_help_to_a_full_disk_exits_8() -> None:
    command = [sys.executable, "-m", "artsim", "train", "--help"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 8
    assert "standard output can't be written" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [("scor", "No such command 'scor'. Did you mean 'score'?"), ("xyz", "No such command 'xyz'.\n")],
)
def test_a_misspelt_command_gets_a_suggestion(name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process(name) == 2
    assert said in capsys.readouterr().err
    assert artsim_in_process("SCORE", "--help") == 0
