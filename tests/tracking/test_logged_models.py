"""What one search over the models of all runs finds."""

from __future__ import annotations

import errno
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.entities import LoggedModelStatus
from mlflow.tracking import MlflowClient

from artsim.errors import ModelError, OutputError
from artsim.tracking.logged_models import TowerModel
from artsim.tracking.run import tracked_run
from tests.towers import write_tower
from tests.tracking.runs import run_with_tower

UNSEEN = "val_unseen"


def measured_run(folder: Path, name: str, auc: float) -> str:
    """A run of two epochs and an exported tower, with this AUC of unseen artists."""
    (folder / "selection.csv").write_text("filename,artist,split\n1.jpg,Ann,val_unseen\n")
    table = pd.read_csv("selection.csv")
    with tracked_run(name) as run:
        run.log_params({"recipe": name})
        run.log_dataset(UNSEEN, table, folder / "selection.csv", "0" * 64, "validation")
        for epoch in (1, 2):
            run.log_metrics({f"{UNSEEN}/auc": auc - 0.3 + 0.01 * epoch, "train/loss": 1 / epoch}, epoch)
        run.log_checkpoint("checkpoint-best", 2, "checkpoints/best.keras")
        model_id = run.log_tower(TowerModel(write_tower(folder / "tower.onnx"), step=3))
        run.log_metrics({f"{UNSEEN}/auc": auc, "export/threshold": 0.3}, 3, model_id)
    return run.id


def test_one_search_finds_the_best_on_unseen_artists_over_all_runs(working_folder: Path) -> None:
    runs = {auc: measured_run(working_folder, f"run-{auc}", auc) for auc in (0.7, 0.9, 0.8)}
    found = mlflow.search_logged_models(
        experiment_ids=["0"],
        filter_string="name = 'tower'",
        datasets=[{"dataset_name": UNSEEN}],
        order_by=[{"field_name": f"metrics.{UNSEEN}/auc", "dataset_name": UNSEEN, "ascending": False}],
        output_format="list",
    )
    assert [model.source_run_id for model in found] == [runs[0.9], runs[0.8], runs[0.7]]
    assert {metric.key: metric.value for metric in found[0].metrics or []} == {
        f"{UNSEEN}/auc": 0.9,
        "export/threshold": 0.3,
    }
    assert found[0].params == {"recipe": "run-0.9"}


def test_a_metric_of_a_model_is_in_its_run_once(working_folder: Path) -> None:
    client, run_id = MlflowClient(), measured_run(working_folder, "one", 0.8)
    assert [metric.step for metric in client.get_metric_history(run_id, f"{UNSEEN}/auc")] == [1, 2, 3]
    (best,) = client.search_logged_models(["0"], "name = 'checkpoint-best'")
    assert {metric.key: metric.step for metric in best.metrics or []} == {f"{UNSEEN}/auc": 2, "train/loss": 2}


def test_a_tower_that_cannot_be_read_makes_no_model(working_folder: Path) -> None:
    (working_folder / "no.onnx").write_bytes(b"no tower")
    with pytest.raises(ModelError), tracked_run("a-name") as run:
        run.log_tower(TowerModel(working_folder / "no.onnx"))
    assert not MlflowClient().search_logged_models(["0"])


def test_a_model_whose_files_cannot_be_logged_is_failed(working_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    tower = TowerModel(write_tower(working_folder / "tower.onnx"))
    monkeypatch.setattr(MlflowClient, "log_model_artifacts", full)
    with pytest.raises(OutputError, match="is full"), tracked_run("a-name") as run:
        run.log_tower(tower)
    (model,) = MlflowClient().search_logged_models(["0"])
    assert model.status == LoggedModelStatus.FAILED


def test_a_checkpoint_replaces_that_of_an_earlier_epoch(working_folder: Path) -> None:
    with tracked_run("a-name") as run:
        for epoch in (1, 2):
            run.log_metrics({"train/loss": 1 / epoch}, epoch)
            run.log_checkpoint("checkpoint-last", epoch, "checkpoints/last.keras")
    (model,) = MlflowClient().search_logged_models(["0"])
    assert model.params == {"step": "2"}
    assert [(metric.step, metric.value) for metric in model.metrics or []] == [(2, 0.5)]


def test_a_run_that_has_ended_gets_further_models(working_folder: Path) -> None:
    run_id, model_id = run_with_tower(working_folder)
    (model,) = MlflowClient().search_logged_models(["0"])
    assert (model.source_run_id, model.model_id, model.status) == (run_id, model_id, LoggedModelStatus.READY)
