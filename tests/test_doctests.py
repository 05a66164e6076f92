"""The examples of the Python API, in docstrings and in docs/python.md, run and print what they show."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import artsim
from artsim import model_names
from artsim.jobs import nearest_works
from artsim.scoring import cohort, embedder, image_lists, scorer, scores
from artsim.scoring.contract import Calibration
from tests.command import ROOT
from tests.towers import adaptable_card, card_with_photographs, write_paintings, write_tower

PAGE = ROOT / "docs" / "python.md"
MODULES = (artsim, cohort, embedder, image_lists, model_names, nearest_works, scorer, scores)
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with the files that the examples name."""
    card = adaptable_card(recipe="compact", threshold=0.75, calibration=Calibration(slope=-4, intercept=3))
    tower = write_tower(tmp_path / "tower.onnx", card)
    write_paintings(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    one = artsim.load(tower, "cpu").embed(tmp_path / "a.jpg")
    near = (one + np.random.default_rng(0).normal(scale=0.01, size=(50, one.shape[1]))).astype(np.float32)
    write_tower(tower, card_with_photographs(np.concatenate([one, near]), card, slope=0.0))
    write_paintings(tmp_path / "paintings" / "Hals", "a.jpg", "b.jpg")
    write_paintings(tmp_path / "paintings" / "Vermeer", "c.jpg")
    monkeypatch.chdir(tmp_path)


def run(example: doctest.DocTest) -> None:
    failed, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(example)
    assert tried > 0
    assert failed == 0


def examples(module: ModuleType) -> list[doctest.DocTest]:
    found = doctest.DocTestFinder().find(module, extraglobs={"artsim": artsim})
    return [example for example in found if example.examples]


@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize(
    "example",
    [each for module in MODULES for each in examples(module)],
    ids=lambda each: each.name,
)
def test_the_example_of_a_docstring_is_true(example: doctest.DocTest) -> None:
    run(example)


def test_everything_public_but_the_errors_has_an_example() -> None:
    shown = {example.name for module in MODULES for example in examples(module)}
    places = {
        "artsim", "artsim.model_names.load", "artsim.scoring.scorer.Scorer", "artsim.scoring.embedder.Embedder.embed",
        "artsim.scoring.scorer.Scorer.score", "artsim.scoring.scorer.Scorer.cohort",
        "artsim.scoring.scorer.Scorer.unfamiliar", "artsim.scoring.cohort.Cohort",
        "artsim.scoring.scores.Score", "artsim.scoring.scores.Scores", "artsim.scoring.scores.Scores.to_frame",
        "artsim.scoring.image_lists.images_in", "artsim.jobs.nearest_works.Nearest",
        "artsim.jobs.nearest_works.nearest",
    }  # fmt: skip
    assert places <= shown


@pytest.mark.usefixtures("_folder")
def test_the_python_page_is_true() -> None:
    session = "".join(block for block in BLOCKS if block.startswith(">>>"))
    run(doctest.DocTestParser().get_doctest(session, {}, PAGE.name, str(PAGE), 0))


@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize("script", [block for block in BLOCKS if not block.startswith(">>>")], ids=lambda _: "script")
def test_the_scripts_of_the_python_page_run(script: str) -> None:
    Path("script.py").write_text(script, encoding="utf-8")
    paths = os.pathsep.join([str(ROOT), *sys.path])
    done = subprocess.run(
        [sys.executable, "script.py"], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == re.findall(r"# prints (.*)$", script, flags=re.MULTILINE)
