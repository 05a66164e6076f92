"""`artsim compare` on runs of MLflow, and the list of them: runs with tiny towers, works on disk, scores as logged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from artsim.collection.digests import write_works
from artsim.collection.selection import VAL_SEEN, VAL_UNSEEN, Selection, as_csv
from artsim.evaluation.validation import Validation
from artsim.evaluation.validation_scores import SCORES_FILE, write_validation_scores
from artsim.export.run_record import SELECTION_FILE, WORKS_FILE, RunRecord
from artsim.jobs.run_table import BEST, EQUAL, list_runs
from artsim.messages import no_progress
from artsim.model_names import load
from artsim.tracking.logged_models import TowerModel
from artsim.tracking.run import tracked_run
from tests.command import artsim_in_process
from tests.jobs.page import Page
from tests.towers import card, write_colours, write_tower

ARTISTS = [f"artist {number}" for number in range(9)]  # six of them unseen, with a colour each
UNSEEN = ARTISTS[3:]


def collection(folder: Path, works: int = 6) -> Selection:
    rows = []
    for number, artist in enumerate(ARTISTS):
        for work in range(works):
            name = f"{number}-{work}.png"
            write_colours(folder / name, seed=100 * number + work, colour=number % 6)
            rows.append((name, artist, VAL_UNSEEN if artist in UNSEEN else ("train", VAL_SEEN)[work % 2]))
    return Selection(pd.DataFrame(rows, columns=["filename", "artist", "split"]), folder, "works")


def trained(folder: Path, selection: Selection, label: str, *, sees: bool = True, has_scores: bool = True) -> str:
    """A run as `artsim train` leaves it; a tower that does not see gives every work nearly the same embedding."""
    tower = write_tower(folder / f"{label}.onnx", card(), blind=not sees)
    files = folder / f"files-{label}"
    files.mkdir()
    validation = Validation(selection, "rms", None, seed=0)
    embeddings = load(tower).embed(validation.paths)
    metrics = validation.evaluate(embeddings, intervals=True).metrics
    with tracked_run(label, system_metrics=False) as run:
        run.log_params({"recipe": "test", "data_file_path": "/some/works", "num_of_artists": 9, "seed": 0})
        RunRecord("test", 16, "rms", None, 0, run.id, str(selection.folder)).write(files)
        write_works(selection, files / WORKS_FILE)
        selection.write(files / SELECTION_FILE)
        run.log_folder_at_end(files, "checkpoints")
        for split in (VAL_SEEN, VAL_UNSEEN):
            part = Selection(selection.part(split), selection.folder, "part")
            run.log_dataset(split, part.table, files / SELECTION_FILE, part.digest, "validation")
        model = run.log_tower(TowerModel(tower))
        run.log_metrics(metrics, 0, model)
        if has_scores:
            write_validation_scores(validation.scores(embeddings, card()), validation.works, files / SCORES_FILE)
            run.log_file(files / SCORES_FILE)
            (files / SCORES_FILE).unlink()
    return run.id


@pytest.fixture
def selection(working_folder: Path) -> Selection:
    return collection(working_folder / "works")


def test_runs_are_compared_by_their_validation_scores(
    working_folder: Path, selection: Selection, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [trained(working_folder, selection, name, sees=name == "sees") for name in ("blind", "sees")]
    assert artsim_in_process("compare", runs[0], f"runs:/{runs[1]}", "--report", "compare.html") == 0
    said = capsys.readouterr().out
    assert f"A  blind ({runs[0][:8]})" in said
    assert "Artists never seen in training: " in said
    assert "B is better than A: AUC +0." in said
    page = Page(Path("compare.html").read_text(encoding="utf-8"))
    assert "artist 4" in page.text
    assert any((each.get("class") or "").startswith("picture ") for _, each in page.elements)


def test_runs_with_other_validation_sets_need_pairs(
    working_folder: Path, selection: Selection, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Selection(selection.table[selection.table["filename"] != "8-5.png"], selection.folder, "other")
    other = Selection(other.table[other.table["filename"] != "0-1.png"], selection.folder, "other")
    runs = [trained(working_folder, selection, "one", sees=False), trained(working_folder, other, "two")]
    assert artsim_in_process("compare", *runs) == 3
    assert "The runs have other validation sets" in capsys.readouterr().err
    validation = Validation(selection, "rms", None, seed=0)
    (working_folder / "own.csv").write_text(as_csv(validation.pairs))
    assert artsim_in_process("compare", *runs, "--pairs", "own.csv", "--data-dir", "works", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pairs"]["compared"] == len(validation.pairs)
    outcomes = {own["set"]: own["against_first"][0]["outcome"] for own in found["sets"]}
    assert outcomes["Artists never seen in training"] == "other"


def test_a_run_is_compared_with_a_file_of_its_scores(
    working_folder: Path, selection: Selection, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(working_folder, selection, "run")
    pairs = Validation(selection, "rms", None, seed=0).pairs.drop(columns="split")
    (working_folder / "own.csv").write_text(as_csv(pairs))
    score = ("score", "own.csv", "--model", f"runs:/{run}", "--data-dir", "works", "--cohort", "none", "--quiet")
    assert artsim_in_process(*score, "-o", "scores.csv") == 0
    assert artsim_in_process("compare", "scores.csv", run) == 0
    said = capsys.readouterr().out
    assert "No difference between A and B is shown" in said
    assert "Rank correlation of the distances: 1.00" in said


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("0" * 32, 3, "has no such run"),
        ("runs:/" + "0" * 32, 3, "has no such run"),
        ("{run}", 3, "the run has no validation_scores.parquet"),
        ("runs:/{run}/tower-int8", 2, "only a run's tower has logged scores"),
    ],
)
def test_a_run_that_cannot_be_compared_is_an_error(
    working_folder: Path, selection: Selection, name: str, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    old = trained(working_folder, selection, "old", has_scores=False)
    assert artsim_in_process("compare", name.format(run=old), old) == code
    assert message in capsys.readouterr().err


def test_a_store_that_does_not_exist_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")
    assert artsim_in_process("compare") == 7
    assert "none.db" in capsys.readouterr().err
    assert not Path("none.db").exists()


def test_the_list_marks_the_best_and_what_is_no_worse(
    working_folder: Path, selection: Selection, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"blind": False, "first": True, "second": True}
    runs = {name: trained(working_folder, selection, name, sees=sees) for name, sees in names.items()}
    old = trained(working_folder, selection, "old", sees=False, has_scores=False)
    with tracked_run("score-pairs", system_metrics=False) as run:  # no training
        run.log_params({"pairs": "a.csv"})
    table = list_runs(None, no_progress)
    (group,) = table.groups
    marks = {row.name: row.mark for row in group.rows}
    assert {marks["first"], marks["second"]} == {BEST, EQUAL}
    assert marks["blind"] == marks["old"] == ""
    assert {row.id for row in group.rows} == {*runs.values(), old}
    aucs = [row.unseen.value if row.unseen else 0.0 for row in group.rows]
    assert np.all(np.diff(aucs) <= 0)
    assert artsim_in_process("compare") == 0
    said = capsys.readouterr().out
    assert all(run in said for run in runs.values())
    assert "works" in said
    assert artsim_in_process("compare", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["runs"]
    assert [row["id"] for row in listed] == [row.id for row in group.rows]


def test_runs_with_other_validation_sets_are_listed_apart(
    working_folder: Path, selection: Selection, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(working_folder, selection, "one")
    other = Selection(selection.table[selection.table["filename"] != "8-5.png"], selection.folder, "other")
    trained(working_folder, other, "two")
    assert artsim_in_process("compare") == 0
    said = capsys.readouterr().out
    assert said.count("Validation set") == 2
    assert "AUCs of different sets cannot be compared" in said
    assert artsim_in_process("compare", "--experiment", "none") == 3
    assert "no such experiment. It has: Default." in capsys.readouterr().err
