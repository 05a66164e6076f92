"""The registry gate: runs with tiny towers, works on disk, and an alias that moves or stays."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from artsim.collection.digests import write_works
from artsim.collection.pairs import validation_pairs
from artsim.collection.selection import Selection, as_csv
from artsim.errors import GateError, InputError, ModelError
from artsim.export.run_record import WORKS_FILE, RunRecord
from artsim.jobs.register import RegisterOptions, register, register_after_training
from artsim.messages import no_progress, say_nothing
from artsim.tracking.logged_models import TowerModel
from artsim.tracking.run import tracked_run
from tests.command import artsim_in_process
from tests.towers import card, write_colours, write_tower

SEEN, UNSEEN = ("ann", "bob", "cat"), ("dan", "eve", "fay")


def collection(folder: Path, names: Mapping[str, str] | None = None) -> Selection:
    """Works by six artists, each with a colour of their own; `names` replaces splits by artist."""
    rows = []
    for number, artist in enumerate((*SEEN, *UNSEEN)):
        for work in range(8):
            name = f"{artist}{work}.png"
            write_colours(folder / name, seed=100 * number + work, colour=number)
            split = "val_unseen" if artist in UNSEEN else ("train", "val_seen")[work % 2]
            rows.append((name, artist, (names or {}).get(artist, split)))
    return Selection(pd.DataFrame(rows, columns=["filename", "artist", "split"]), folder, "works")


def trained(folder: Path, selection: Selection, *, sees: bool = True, refit: bool = False, label: str = "run") -> str:
    """A run as `artsim train` leaves it; a tower that does not see gives every work nearly the same embedding."""
    tower = write_tower(folder / "tower.onnx", card(refit=refit), scale=1 / 255, blind=not sees)
    files = folder / f"files-{label}"
    files.mkdir()
    with tracked_run(label) as run:
        record = RunRecord("test", 16, "rms", None, 0, run.id, str(selection.folder))
        record.write(files)
        write_works(selection, files / WORKS_FILE)
        run.log_folder_at_end(files, "checkpoints")
        (folder / "pairs.csv").write_text(as_csv(validation_pairs(selection, 0)))
        run.log_file(folder / "pairs.csv")
        run.log_tower(TowerModel(tower))
    return run.id


def champion() -> str:
    return str(MlflowClient().get_model_version_by_alias("artsim", "champion").version)


def gate(version: str) -> str:
    return str(MlflowClient().get_model_version("artsim", version).tags["artsim.gate"])


def run_register(run: str, **options: str) -> str:
    return register(RegisterOptions(run, **options), say_nothing, no_progress)


def test_the_first_model_is_champion_and_an_equal_one_takes_its_place(working_folder: Path) -> None:
    selection = collection(working_folder / "works")
    first, second = (trained(working_folder, selection, label=label) for label in ("one", "two"))
    assert run_register(first) == "artsim version 1 is artsim@champion now, the first one."
    assert run_register(first) == "artsim version 1 is artsim@champion already."
    report = run_register(second)
    assert report.startswith(
        "artsim version 2 is artsim@champion now, in place of artsim version 1: its AUC is +0.0000"
    )
    assert (champion(), gate("2")[:6]) == ("2", "passed")


def test_a_worse_model_is_registered_but_the_alias_stays(
    working_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    selection = collection(working_folder / "works")
    good, blind = (trained(working_folder, selection, sees=sees, label=str(sees)) for sees in (True, False))
    run_register(good)
    assert artsim_in_process("register", blind, "--quiet") == 9
    assert "artsim version 2 is registered, but artsim@champion stays artsim version 1" in capsys.readouterr().err
    assert (champion(), gate("2")[:7]) == ("1", "refused")
    # The end of a training says so too, and does not fail.
    assert "stays artsim version 1" in register_after_training(blind, say_nothing, no_progress)
    assert len(MlflowClient().search_model_versions("name = 'artsim'")) == 2


def test_a_better_model_takes_the_alias(working_folder: Path) -> None:
    selection = collection(working_folder / "works")
    blind, good = (trained(working_folder, selection, sees=sees, label=str(sees)) for sees in (False, True))
    run_register(blind)
    assert "in place of artsim version 1: its AUC is +0." in run_register(good)


def test_works_are_compared_by_content_and_a_refit_has_seen_all_of_them(working_folder: Path) -> None:
    """The same files under other names: what one run trained on judges no other run."""
    first = collection(working_folder / "works")
    renamed = working_folder / "renamed"
    renamed.mkdir()
    for path in first.folder.iterdir():
        shutil.copy(path, renamed / f"x{path.name}")
    table = first.table.assign(filename="x" + first.table["filename"])
    run_register(trained(working_folder, first, label="first"))
    other = trained(working_folder, Selection(table, renamed, "renamed"), refit=True, label="other")
    with pytest.raises(GateError, match="no pairs of works that neither model was fitted on"):
        run_register(other)
    assert champion() == "1"


def test_a_file_of_pairs_decides_where_the_runs_have_none(working_folder: Path) -> None:
    selection = collection(working_folder / "works")
    run_register(trained(working_folder, selection, refit=True, label="first"))
    other = trained(working_folder, selection, refit=True, label="other")
    pairs = validation_pairs(selection, 0)
    (working_folder / "own.csv").write_text(as_csv(pairs))
    assert "in place of artsim version 1" in run_register(other, pairs="own.csv", data_dir="works")
    (working_folder / "own.csv").write_text(as_csv(pairs.drop(columns="sameArtist")))
    with pytest.raises(InputError, match="no column sameArtist"):
        run_register(trained(working_folder, selection, label="third"), pairs="own.csv", data_dir="works")


def test_files_that_have_changed_since_judge_nothing(working_folder: Path) -> None:
    selection = collection(working_folder / "works")
    run_register(trained(working_folder, selection, label="first"))
    other = trained(working_folder, selection, label="other")
    for number, path in enumerate(sorted(selection.folder.iterdir())):
        write_colours(path, seed=5000 + number, colour=0)
    with pytest.raises(GateError, match="too few readable pairs"):
        run_register(other)


def test_a_model_of_a_run_that_does_not_name_its_works_needs_pairs(working_folder: Path) -> None:
    selection = collection(working_folder / "works")
    write_tower(working_folder / "tower.onnx")
    with tracked_run("old") as run:
        run.log_tower(TowerModel(working_folder / "tower.onnx"))
    run_register(run.id)
    with pytest.raises(GateError, match="The run of the present model does not say which works"):
        run_register(trained(working_folder, selection))
    assert champion() == "1"


@pytest.mark.parametrize("name", ["a/b", "a@b", "", "it's"])
def test_a_name_that_cannot_be_registered_is_an_error(working_folder: Path, name: str) -> None:
    selection = collection(working_folder / "works")
    with pytest.raises(ModelError, match="not a name of a registered model"):
        run_register(trained(working_folder, selection), name=name)


def test_the_works_are_listed_with_the_digests_of_their_files(tmp_path: Path) -> None:
    selection = collection(tmp_path / "works")
    write_works(selection, tmp_path / "works.csv")
    table = pd.read_csv(tmp_path / "works.csv")
    assert list(table.columns) == ["filename", "artist", "split", "sha256"]
    assert len(np.unique(table["sha256"])) == len(selection.table)
