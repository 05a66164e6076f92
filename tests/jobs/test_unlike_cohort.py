"""A cohort of other photographs than those of the pairs is noted."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artsim.evaluation.summary import Summary
from artsim.jobs.score import ScoreOptions, score_pairs
from artsim.scoring.cohort import MOST_MISFIT
from tests.towers import adaptable_card, write_paintings, write_tower

NAMES = [f"{number}.png" for number in range(12)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: all pairs of twelve paintings, eleven paintings like them, and twelve bright ones."""
    write_paintings(tmp_path, *NAMES)
    write_paintings(tmp_path / "alike", *(f"alike{number}.png" for number in range(11)))
    write_tower(tmp_path / "tower.onnx", adaptable_card())
    rows = "".join(f"{one},{other}\n" for one, other in combinations(NAMES, 2))
    (tmp_path / "pairs.csv").write_text(f"image1,image2\n{rows}")
    (tmp_path / "bright").mkdir()
    for name, patches in zip(NAMES, np.random.default_rng(0).integers(150, 256, (12, 3, 3, 3)), strict=True):
        pixels = patches.astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        Image.fromarray(pixels).save(tmp_path / "bright" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(cohort: str) -> tuple[Summary, float]:
    """The summary, and the misfit in its JSON form."""
    summary = score_pairs(ScoreOptions("tower.onnx", "pairs.csv", "scores.csv", device="cpu", cohort=cohort))
    return summary, json.loads(summary.to_json())["cohort"]["misfit"]


def test_a_cohort_of_other_photographs_is_said_to_be_unlike_the_pairs(folder: Path) -> None:
    summary, misfit = run("bright")
    assert summary.cohort_note == (
        "12 works of bright: distances adapted; the images of the pairs are unlike these works, so probabilities may "
        "be too high"
    )
    assert MOST_MISFIT < misfit <= 1


def test_nothing_is_said_of_a_cohort_like_the_pairs(folder: Path) -> None:
    summary, misfit = run("alike")
    assert summary.cohort_note == "11 works of alike: distances adapted"
    assert 0 <= misfit < MOST_MISFIT
