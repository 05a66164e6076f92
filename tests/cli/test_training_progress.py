"""The display of a training: a live bar on a terminal, and one lasting line an epoch."""

from __future__ import annotations

import io
import sys

import pytest

from artsim.cli.training_progress import TerminalDisplay
from artsim.training.loop.plan import Stage

METRICS = {"train/loss": 1.5, "val_unseen/auc": 0.75, "train/images_per_second": 100.0}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def show(display: TerminalDisplay, fits: int = 1) -> None:
    with display.training(Stage("training", 1, fits, units=6, epochs=2, group="train")):
        display.step(1, 1, 99.0, 1.5, seconds_left=None)
        display.step(1, 2, 99.0, 1.5, seconds_left=65)
        display.epoch(1, METRICS, is_best=True, seconds_left=3900)


def test_epochs_leave_a_line_each_and_quiet_leaves_none(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (False, True):
        show(TerminalDisplay(quiet=quiet))
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["epoch 1/2  loss 1.5000  unseen AUC 0.750  100 images/s  1:05:00 left  best so far"]


def test_the_stage_of_a_training_with_several_fits_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    show(TerminalDisplay(), fits=6)
    assert capsys.readouterr().err.startswith("fit 1 of 6: training  epoch 1/2  loss 1.5000")


def test_a_terminal_shows_the_step_too_and_a_second_training_starts_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    display = TerminalDisplay()
    show(display)
    show(display)
    assert "99 images/s  loss 1.5000  1:05 left in all" in terminal.getvalue()
    assert terminal.getvalue().count("best so far") == 2
