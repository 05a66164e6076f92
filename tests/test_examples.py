"""The examples run as their texts say."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

import artsim
from tests.command import ROOT
from tests.towers import write_tower

EXAMPLES = ROOT / "examples"

# Takes a script's name and its arguments; gives its exit code, standard output and standard error.
RunExample: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunExample:
    """A script, run as `python examples/SCRIPT ...`, but in this process: its imports would take seconds."""

    def run(script: str, *arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_info:
            runpy.run_path(str(EXAMPLES / script), run_name="__main__")
        assert isinstance(exit_info.value.code, int)
        return exit_info.value.code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tower(tmp_path_factory.mktemp("tower") / "tower.onnx")


@pytest.fixture
def works(demo_csv: Path) -> Path:
    """The folder of the embedded collection's works."""
    return demo_csv.parent / "train"


def test_score_pairs_prints_the_scores_of_each_pair(run_example: RunExample, tower: Path, works: Path) -> None:
    a, b, c = (str(works / f"a000{artist}_w000.jpg") for artist in range(3))
    code, output, errors = run_example("score_pairs.py", tower, a, b, c, c)
    assert (code, errors) == (0, "")
    header, *rows = (line.split() for line in output.splitlines())
    assert header == ["image1", "image2", "distance", "probability", "prediction"]
    assert [row[:2] for row in rows] == [[a, b], [c, c]]
    scores = artsim.load(tower).score([a, c], [b, c])
    expected = np.transpose([scores.distance, scores.probability, scores.prediction])
    np.testing.assert_allclose(np.array([row[2:] for row in rows], dtype=float), expected, atol=1e-5)


def test_score_pairs_reports_half_a_pair_and_a_missing_image(run_example: RunExample, tower: Path, works: Path) -> None:
    work = works / "a0000_w000.jpg"
    for images, complaint in (
        ([work], "image2 is a list of 0"),
        ([work, "nothing.jpg"], "'nothing.jpg'"),
    ):
        code, output, errors = run_example("score_pairs.py", tower, *images)
        assert (code, output) == (1, "")
        assert complaint in errors


def test_who_painted_this_ranks_the_nearest_works(
    run_example: RunExample, tower: Path, works: Path, tmp_path: Path
) -> None:
    query = tmp_path / "found.jpg"
    with Image.open(works / "a0003_w002.jpg") as work:
        work.save(query, quality=60)
    code, output, errors = run_example("who_painted_this.py", tower, works, query, "--count", 3)
    assert (code, errors) == (0, "")
    ranks, distances, names = zip(*(line.split() for line in output.splitlines()), strict=True)
    assert ranks == ("1", "2", "3")
    assert names[0] == "a0003_w002.jpg"
    assert list(distances) == sorted(distances, key=float)


def test_who_painted_this_leaves_the_query_itself_out(run_example: RunExample, tower: Path, works: Path) -> None:
    _, output, _ = run_example("who_painted_this.py", tower, works, works / "a0003_w002.jpg", "--count", 100)
    found = {line.split()[-1] for line in output.splitlines()}
    assert found == {path.name for path in works.iterdir()} - {"a0003_w002.jpg"}


def test_who_painted_this_reports_a_folder_without_images(
    run_example: RunExample, tower: Path, works: Path, tmp_path: Path
) -> None:
    code, _, errors = run_example("who_painted_this.py", tower, tmp_path, works / "a0000_w000.jpg")
    assert code == 1
    assert f"{tmp_path}: no images" in errors


def read_notebook() -> Any:
    return nbformat.read(EXAMPLES / "first_look.ipynb", as_version=4)  # type: ignore[no-untyped-call]


def test_the_notebook_is_stored_without_outputs() -> None:
    cells = [cell for cell in read_notebook().cells if cell.cell_type == "code"]
    assert cells
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


@pytest.mark.slow
def test_the_notebook_shows_works_pairs_and_nearest_works_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "TMPDIR"):  # where Jupyter and the notebook write
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    notebook = read_notebook()
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(tmp_path))
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 6
    tables = "".join(output["data"]["text/plain"] for output in outputs if "data" in output)
    assert "image2: unreadable" in tables
    assert "<artsim.Scorer tower.onnx: recipe 'compact'" in tables
    left = {path.name for path in (tmp_path / "TMPDIR").iterdir()}
    assert left <= {"__pycache__"}  # TensorFlow's autograph compiles its generated files there
