"""The display of a training: a live bar on a terminal, and one lasting line an epoch."""

from __future__ import annotations

import io
import sys

import pytest

from artsim.cli.training_progress import TerminalDisplay

METRICS = {"train/loss": 1.5, "val_unseen/auc": 0.75, "train/images_per_second": 100.0}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def show(display: TerminalDisplay) -> None:
    with display.training(epochs=2, steps=3):
        display.step(1, 1, 99.0, 1.5)
        display.epoch(1, METRICS, is_best=True)


def test_epochs_leave_a_line_each_and_quiet_leaves_none(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (False, True):
        show(TerminalDisplay(quiet=quiet))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("epoch 1/2  loss 1.5000  unseen AUC 0.750  100 images/s  0:0")
    assert lines[0].endswith("left  best so far")


def test_a_terminal_shows_the_step_too_and_a_second_training_starts_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    display = TerminalDisplay()
    show(display)
    show(display)
    assert "99 images/s  loss 1.5000" in terminal.getvalue()
    assert terminal.getvalue().count("best so far") == 2
