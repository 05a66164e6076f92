"""Two images, their score, and what is said of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import artsim
from artsim.jobs.pair import OPINION, PairAnswer, PairOptions
from tests.command import artsim_in_process
from tests.towers import adaptable_card, familiar_card, write_paintings, write_tower

NAMES = [f"{number}.png" for number in range(12)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_paintings(tmp_path, "a.png", "b.png")
    write_paintings(tmp_path / "others", *NAMES)
    write_tower(tmp_path / "tower.onnx", adaptable_card())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pair(*arguments: str) -> int:
    return artsim_in_process("pair", *arguments, "--model", "tower.onnx", "--device", "cpu")


def test_the_score_is_that_of_the_scorer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pair("a.png", "b.png") == 0
    out, err = capsys.readouterr()
    score = artsim.load("tower.onnx", "cpu").score("a.png", "b.png")
    lines = out.splitlines()
    assert lines[0].startswith("The paintings speak ")
    assert lines[1] == f"  probability  {score.probability:.2f}, if 50% of such pairs are by one artist"
    assert lines[2].startswith(f"  distance     {score.distance:.3f}, ")
    assert lines[3] == "  cohort       none: the score depends on these two images only"
    assert lines[-1] == OPINION
    assert err == ""


def test_a_cohort_and_a_prior_are_used_and_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pair("a.png", "b.png", "--cohort", "others", "--prior", "0.01", "--quiet") == 0
    lines = capsys.readouterr().out.splitlines()
    scorer = artsim.load("tower.onnx", "cpu")
    cohort = scorer.cohort([f"others/{name}" for name in NAMES])
    score = scorer.score("a.png", "b.png", cohort=cohort, prior=0.01)
    assert lines[1] == f"  probability  {score.probability:.2f}, if 1% of such pairs are by one artist"
    assert lines[2].startswith(f"  distance     {score.distance:.3f}, ")
    assert lines[3] == "  cohort       12 works of others: distances adapted"


def test_two_photographs_of_one_painting_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("a.png", "copy.png")
    for other in ("a.png", "copy.png"):
        assert pair("a.png", other) == 0
        assert capsys.readouterr().out.startswith("Both images show the same painting. Their score says nothing")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["a.png", "lost.png"], 3, "error: 'lost.png': no such file. Name two images that artsim can read."),
        (["text.png", "a.png"], 3, "text.png: not an image"),
        (["a.png"], 2, "Missing argument 'IMAGE2'"),
        (["a.png", "b.png", "--cohort", "self"], 2, "two images are no cohort. Name a folder"),
        (["a.png", "b.png", "--columns", "filename=File"], 2, "--columns names columns of the cohort's table"),
        (["a.png", "b.png", "--prior", "2"], 2, "the prior is 2"),
    ],
)
def test_wrong_input_ends_with_a_message(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    (folder / "text.png").write_text("no picture")
    assert pair(*arguments) == code
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""


@pytest.mark.parametrize(
    ("log10_lr", "words"),
    [
        (0.0, "neither for one artist nor for two"),
        (0.29, "neither for one artist nor for two"),
        (0.3, "weakly for one artist"),
        (-1.0, "moderately for two artists"),
        (2.5, "moderately strongly for one artist"),
        (-9.0, "extremely strongly for two artists"),
    ],
)
def test_the_words_are_those_of_the_guideline(log10_lr: float, words: str) -> None:
    options = PairOptions("a.png", "b.png", "tower.onnx")
    answer = PairAnswer(options, 1.0, 1.2, 0.5, 0.5, log10_lr, (), is_same_work=False, cohort_note="none")
    assert answer.lines()[0] == f"The paintings speak {words}."


def test_an_unfamiliar_photograph_is_noted_by_its_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tower(folder / "tower.onnx", familiar_card())
    assert artsim.load("tower.onnx", "cpu").unfamiliar(["a.png"]).all()
    assert pair("a.png", "a.png") == 0
    assert "  note         'a.png' is different from the training photographs." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("unfamiliar", "cohort", "note"),
    [
        (("a.png",), "none", "a.png is different from the training photographs. Trust the score less, or"),
        (("a.png", "b.png"), "none", "a.png and b.png are different from the training photographs."),
        (("b.png",), "others", "b.png is different from the training photographs. Trust the score less."),
    ],
)
def test_unfamiliar_photographs_are_named(unfamiliar: tuple[str, ...], cohort: str, note: str) -> None:
    options = PairOptions("a.png", "b.png", "tower.onnx", cohort=cohort)
    answer = PairAnswer(options, 1.0, 1.2, 0.5, 0.5, 0.0, unfamiliar, is_same_work=False, cohort_note="none")
    (line,) = (line for line in answer.lines() if line.startswith("  note "))
    assert line.replace("'", "").startswith(f"  note         {note}")
    assert ("by --cohort" in line) == (cohort == "none")
