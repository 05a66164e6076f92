"""How commands end: signals, what they say was kept, and names and passwords that no terminal acts on."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest

import artsim
from artsim.cli import main
from artsim.cli.options import echo_path, stderr_lines
from artsim.errors import InputError
from tests.command import ROOT, artsim_in_process
from tests.towers import card, write_paintings, write_tower

HOSTILE = "\x1b[2J\u202egpj.exe\x9b"
ESCAPED = r"\u001b[2J\u202egpj.exe\u009b"
KILLED_BY = (
    "import os, signal, sys, time; from artsim.cli import main; main.artsim.main = "
    "lambda **_: (os.kill(os.getpid(), getattr(signal, sys.argv[1])), time.sleep(float(sys.argv[2]))); main.main()"
)


def ended_by(name: str, seconds: float, before: Callable[[], object] | None = None) -> tuple[int, str]:
    """The code and standard error of a command that receives a signal and then goes on for some seconds."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED_BY, name, str(seconds)],
        cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=before,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_sighup_interrupts_like_ctrl_c() -> None:
    assert ended_by("SIGHUP", 60) == (130, "interrupted.\n")


def test_a_sighup_that_is_ignored_stays_ignored() -> None:
    assert ended_by("SIGHUP", 0.1, lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) == (0, "")


def test_a_platform_without_sighup_has_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGHUP")
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(main.artsim, "main", lambda **_: None)
    try:
        with pytest.raises(SystemExit) as ended:
            main.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 0


def test_a_terminal_that_is_gone_does_not_change_how_a_command_ends() -> None:
    """After SIGHUP, writing to the terminal fails."""
    parent, child = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", KILLED_BY, "SIGHUP", "60"], cwd=ROOT, stderr=child) as process:
        os.close(child)
        os.close(parent)
        assert process.wait(60) == 130


def test_notes_survive_click(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def command() -> None:
        error = KeyboardInterrupt()
        error.add_note("The rows are kept")
        raise error

    assert main.run(lambda: command.main([], standalone_mode=False)) == 130
    assert capsys.readouterr().err.strip() == "interrupted. The rows are kept"


@pytest.fixture
def works(tmp_path: Path) -> Path:
    """A tower, and four paintings of which the last one interrupts the command that reads it."""
    write_tower(tmp_path / "tower.onnx")
    write_paintings(tmp_path / "works", *(f"{number}.png" for number in range(4)))
    (tmp_path / "pairs.csv").write_text("image1,image2\n0.png,1.png\n2.png,3.png\n")
    return tmp_path


def interrupt_in(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(place, interrupt)


def test_score_says_what_is_kept(
    works: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    score = ["score", str(works / "pairs.csv"), "--data-dir", str(works / "works"), "--device", "cpu",
             "--model", str(works / "tower.onnx"), "-o", str(works / "scores.csv")]  # fmt: skip
    interrupt_in(monkeypatch, "artsim.jobs.score._write_scores")
    assert artsim_in_process(*score) == 130
    said = f"The embeddings for {works}/scores.csv so far are kept. Start the same command again to resume."
    assert capsys.readouterr().err.strip().splitlines()[-1] == f"interrupted. {said}"
    interrupt_in(monkeypatch, "artsim.scoring.embed_images._EmbeddingPass.new_images")
    assert artsim_in_process(*score, "--embeddings", str(works / "store.parquet")) == 130
    assert f"interrupted. Nothing is kept in {works}/store.parquet yet" in capsys.readouterr().err


def test_embed_says_what_is_kept(
    works: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = works / "store.parquet"
    embed = ["embed", str(works / "works"), "-o", str(store), "--model", str(works / "tower.onnx"), "--device", "cpu"]
    interrupt_in(monkeypatch, "artsim.jobs.embed.write_store")
    assert artsim_in_process(*embed) == 130
    said = f"The embeddings so far are kept in {store}. Start the same command again to resume."
    assert capsys.readouterr().err.strip().splitlines()[-1] == f"interrupted. {said}"


def test_pairs_says_that_nothing_was_written(
    works: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = works / "out.csv"
    interrupt_in(monkeypatch, "artsim.tables.pairs_writer.TextPairsWriter.write")
    assert artsim_in_process("pairs", str(works / "works"), "-o", str(output)) == 130
    assert capsys.readouterr().err.strip().splitlines()[-1] == f"interrupted. {output} was not written."
    assert not output.exists()


def test_no_message_brings_a_control_character_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise InputError(f"works/{HOSTILE}.jpg\nerror: forged: no such file")

    assert main.run(fail) == 3
    assert capsys.readouterr().err == rf"error: works/{ESCAPED}.jpg\nerror: forged: no such file" + "\n"
    stderr_lines(quiet=False)(HOSTILE)
    assert capsys.readouterr().err == f"{ESCAPED}\n"


@pytest.mark.parametrize("arguments", [["info", "\x1b[2J.onnx"], ["\x1b[2J"], ["score", "--x\x1b[2J"],
                                       ["embed", "x", "-o", "y", "--device", "\x1b[2J"]])  # fmt: skip
def test_no_argument_brings_a_control_character_to_a_terminal(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert artsim_in_process(*arguments) in (2, 5)
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "1b[2j" in said.lower()


def test_the_help_without_a_command_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process() == 2
    assert "\nCommands:\n  train" in capsys.readouterr().err


def test_a_path_is_printed_as_it_is_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    echo_path(tmp_path / HOSTILE)
    assert capsys.readouterr().out == f"{tmp_path / HOSTILE}\n"


def test_a_card_is_json_without_control_characters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_tower(tmp_path / "tower.onnx", card(recipe=f"é{HOSTILE}\x7f\U000e0041"))
    assert artsim_in_process("info", str(path), "--json") == 0
    shown = capsys.readouterr().out
    assert not {"\x1b", "\x9b", "\x7f", "\u202e", "\U000e0041"} & set(shown)
    assert json.loads(shown)["recipe"] == artsim.load(path, "cpu").card.recipe


def test_nearest_escapes_names_in_its_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from artsim.cli.nearest_tables import print_result
    from artsim.jobs.steps.ranking import NearArtist, NearWork, QueryResult

    number = np.float32(0.5)
    print_result(
        QueryResult(
            HOSTILE,
            [NearWork(1, number, number, HOSTILE, HOSTILE)],
            [NearArtist(1, number, number, HOSTILE, 1)],
            [HOSTILE],
            unlike=False,
        )
    )
    shown = capsys.readouterr().out
    assert not {"\x9b", "\u202e"} & set(shown)
    assert "\x1b[2J" not in shown
    assert shown.count(ESCAPED) == 5


@pytest.mark.parametrize(
    "error", [MemoryError(), ImportError("libparquet.so.2500: failed to map segment from shared object")]
)
def test_too_little_memory_exits_6_and_says_what_is_kept(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        error.add_note("The finished rows are kept.")
        raise error

    assert main.run(fail) == 6
    said = capsys.readouterr().err
    assert said.startswith("error: there is not enough memory. Close other programs, or raise the limit")
    assert said.endswith("The finished rows are kept.\n")


def test_an_error_of_a_library_is_not_taken_for_one_of_standard_output() -> None:
    def fail() -> None:
        raise OSError("a library's own text, without a number")

    with pytest.raises(OSError, match="own text"):
        main.run(fail)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
def test_a_limit_under_which_libraries_would_hang_exits_6() -> None:
    import resource

    done = subprocess.run(
        [sys.executable, "-m", "artsim", "pairs", "works.csv"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28)),
    )  # fmt: skip
    wanted = "error: artsim needs 0.5 GiB of address space, and `ulimit -v` allows 0.25. Raise it.\n"
    assert (done.returncode, done.stderr) == (6, wanted)
