"""`artsim sweep` in small: a network with random weights, eight painters, no more than a few trials."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from artsim.cli.sweep import OWN, sweep
from artsim.files import file_sha256
from artsim.jobs.steps.sweep_log import trials_table
from artsim.scoring.session import read_card
from artsim.sweeps.study import Trial
from artsim.tracking.resolver import cached_tower, find_tower
from artsim.training.networks import features
from tests.command import artsim_in_process
from tests.jobs.test_entry_points import launched

NETWORK = ["--recipe", "readout", "--tower", "mobilenet", "--weights", "none", "--image-size", "64"]
SEARCH = ["--search", "embedding-size=8..32", "--search", "readout-shift=0..1", "--readout-stretch", "1.5"]


def flags_of_sweep() -> set[str]:
    return {str(each.name) for each in sweep.params} - {"collection"}


@dataclass
class Swept:
    folder: Path
    command: list[str]
    text: str
    computed: int  # how often features were computed

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(f"sqlite:///{self.folder}/mlflow.db")

    @property
    def runs(self) -> list[Run]:
        return list(self.client.search_runs(["0"], order_by=["attributes.start_time ASC"]))

    @property
    def parent(self) -> Run:
        return next(run for run in self.runs if "mlflow.parentRunId" not in run.data.tags)

    @property
    def children(self) -> list[Run]:
        return [run for run in self.runs if run.data.tags.get("mlflow.parentRunId") == self.parent.info.run_id]

    @property
    def study(self) -> Path:
        (study,) = self.folder.glob("Checkpoints/sweep-*")
        return study


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, demo_csv: Path) -> Iterator[Swept]:
    """Three trials in a working folder, which stays the current one."""
    folder = tmp_path_factory.mktemp("sweep")
    patch, calls = pytest.MonkeyPatch(), list[int]()
    patch.chdir(folder)
    real = features.compute_features

    def counted(*arguments: object, **named: object) -> object:
        calls.append(1)
        return real(*arguments, **named)  # type: ignore[arg-type]

    patch.setattr("artsim.training.loop.tuning.compute_features", counted)
    command = ["sweep", str(demo_csv), *NETWORK, *SEARCH]
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            assert artsim_in_process(*command, "--trials", "3") == 0, err.getvalue()
        yield Swept(folder, command, out.getvalue() + err.getvalue(), len(calls))
    finally:
        patch.undo()


def test_each_trial_is_a_child_with_its_values_as_params(swept: Swept) -> None:
    assert [run.data.tags["artsim.trial"] for run in swept.children] == ["0", "1", "2"]
    assert {run.info.status for run in [swept.parent, *swept.children]} == {"FINISHED"}
    for run in swept.children:
        assert set(run.data.params) == flags_of_sweep() - set(OWN)
        assert 8 <= int(run.data.params["embedding_size"]) <= 32
        assert run.data.params["readout_stretch"] == "1.5"
        assert 0 <= run.data.metrics["val_unseen/auc"] <= 1
    assert len({run.data.params["readout_shift"] for run in swept.children}) == 3


def test_the_params_of_the_sweep_are_its_flags(swept: Swept) -> None:
    params = swept.parent.data.params
    assert set(params) == flags_of_sweep()
    assert (params["embedding_size"], params["readout_shift"], params["trials"]) == ("8..32", "0..1", "3")


def test_features_are_computed_once(swept: Swept) -> None:
    assert swept.computed == 4  # of two parts of the works, and of their views
    assert len(list((swept.folder / "Checkpoints" / "features").glob("*.npz"))) == 1


def test_the_best_trial_is_exported_and_is_the_model_of_the_sweep(swept: Swept) -> None:
    number = swept.parent.data.tags["artsim.best_trial"]
    (best,) = (run for run in swept.children if run.data.tags["artsim.trial"] == number)
    assert swept.parent.data.tags["artsim.best_run"] == best.info.run_id
    tower = swept.study / f"trial-{number}" / "tower.onnx"
    card = read_card(tower)
    assert (card.run_id, card.refit) == (best.info.run_id, True)
    assert swept.parent.data.metrics["val_unseen/auc_low"] == card.validation["val_unseen/auc_low"]
    assert best.data.metrics["val_unseen/auc"] == card.validation["val_unseen/auc"]
    values = {run.data.tags["artsim.trial"]: metric(swept.client, run) for run in swept.children}
    assert swept.parent.data.metrics["sweep/best_value"] == values[number] == max(values.values())
    assert [path.name for path in swept.study.glob("trial-*")] == [f"trial-{number}"]
    assert file_sha256(cached_tower(f"runs:/{swept.parent.info.run_id}")) == file_sha256(tower)
    assert find_tower(f"runs:/{swept.parent.info.run_id}") == find_tower(f"runs:/{best.info.run_id}")


def metric(client: MlflowClient, run: Run) -> float:
    """The value of a trial, which it logs as step 0."""
    return next(each.value for each in client.get_metric_history(run.info.run_id, "val_unseen/auc") if each.step == 0)


def test_the_table_of_trials(swept: Swept) -> None:
    path = swept.client.download_artifacts(swept.parent.info.run_id, "trials.csv")
    table = pd.read_csv(path)
    assert list(table.columns[:4]) == ["trial", "state", "value", "minutes"]
    assert table["value"].is_monotonic_decreasing
    assert set(table["run_id"]) == {run.info.run_id for run in swept.children}


def test_the_text_names_the_trials_and_the_next_commands(swept: Swept) -> None:
    assert "3 of 3: trial 2, AUC " in swept.text
    assert f"artsim register {swept.parent.info.run_id}" in swept.text
    assert f"Checkpoints/{swept.study.name}/trial-" in swept.text


def test_the_sweep_is_registered_by_its_run(swept: Swept, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("register", swept.parent.info.run_id, "--quiet") == 0
    assert "is artsim@champion now" in capsys.readouterr().out


def test_the_same_command_has_nothing_left_to_do(
    swept: Swept, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("artsim.jobs.sweep.TrainingSession", None)
    assert artsim_in_process(*swept.command, "--trials", "3", "--quiet") == 0
    assert "is the best of 3" in capsys.readouterr().out
    assert len(swept.children) == 3


def test_a_study_of_other_flags_or_works_is_refused(
    swept: Swept, tmp_path: Path, demo_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = [*swept.command, "--study", swept.study.name]
    assert artsim_in_process(*again, "--seed", "1") == 2
    assert "the study began with other flags: --seed 0 (now 1)" in capsys.readouterr().err
    fewer = tmp_path / "fewer"
    shutil.copytree(demo_csv.parent, fewer)
    text = (fewer / "train_info.csv").read_text().splitlines()
    kept = Path(str(demo_csv)).read_text()
    try:
        demo_csv.write_text("\n".join(text[:-1]) + "\n")
        assert artsim_in_process(*again) == 3
    finally:
        demo_csv.write_text(kept)
    assert "its works are not those that the study" in capsys.readouterr().err


def test_a_trial_that_was_killed_is_done_again(swept: Swept, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("artsim.jobs.steps.training_session.TrainingSession.fit", interrupted)
        assert artsim_in_process(*swept.command, "--trials", "4", "--quiet") == 130
    assert [run.info.status for run in (swept.parent, swept.children[-1])] == ["KILLED", "KILLED"]
    lost = swept.children[-1].data.params["readout_shift"]
    assert artsim_in_process(*swept.command, "--trials", "4", "--quiet") == 0
    assert swept.children[-1].data.params["readout_shift"] == lost
    assert swept.parent.info.status == "FINISHED"


def test_the_entry_point_goes_on_with_the_study(swept: Swept, monkeypatch: pytest.MonkeyPatch, demo_csv: Path) -> None:
    given = {
        "data_file_path": str(demo_csv), "recipe": "readout", "tower": "mobilenet", "weights": "none",
        "image_size": "64", "readout_stretch": "1.5", "search": "embedding-size=8..32 readout-shift=0..1",
        "trials": "3", "quiet": "True",
    }  # fmt: skip
    before = len(swept.runs)
    code, run_id = launched(monkeypatch, "sweep", **given)
    run = swept.client.get_run(run_id)
    assert (code, run.info.status, len(swept.runs)) == (0, "FINISHED", before + 1)
    assert set(run.data.params) == flags_of_sweep()
    assert given.items() <= run.data.params.items()


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--trials", "0"], "Invalid value for '--trials'"),
        (["--timeout", "0"], "Invalid value for '--timeout'"),
        (["--search", "shift=0..1"], "--shift cannot be searched"),
        (["--readout-shift", "1", "--search", "readout-shift=0..1"], "--readout-shift has a value, and --search"),
        (["--study", "../x"], "use letters, digits"),
    ],
)
def test_wrong_flags_are_told_before_anything_is_made(
    working_folder: Path, capsys: pytest.CaptureFixture[str], flags: list[str], problem: str
) -> None:
    assert artsim_in_process("sweep", "--recipe", "readout", *flags) == 2
    assert problem in capsys.readouterr().err
    assert [path.name for path in working_folder.iterdir()] == ["mlflow.db"]


def test_without_the_extra_the_command_to_install_it_is_told(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("artsim.cli.extras.find_spec", lambda name: None if name == "optuna" else name)
    assert artsim_in_process("sweep") == 2
    assert 'optuna not installed. Run: pip install "artsim[train,sweep]"' in capsys.readouterr().err


def test_the_table_has_trials_that_failed_last() -> None:
    complete = Trial(1, "complete", {"readout_shift": 0.5}, 0.7, "b", 0.1, None)
    failed = Trial(0, "failed", {"readout_shift": 0.1}, None, "a", 0.1, "it diverged")
    table = trials_table([failed, complete, Trial(2, "waiting", {}, None, None, None, None)])
    assert table["trial"].tolist() == [1, 0]
