"""A run with one thing of each kind, and what the store has to hold of it in the end."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from mlflow.tracking import MlflowClient

from artsim.tracking.logged_models import TowerModel
from artsim.tracking.outbox import outboxes
from artsim.tracking.run import Run
from tests.towers import write_tower


def log_all(run: Run, folder: Path) -> None:
    """Log one thing of each kind, and four epochs."""
    table = pd.DataFrame({"filename": ["1.jpg"], "artist": ["Ann"]})
    table.to_csv(folder / "selection.csv", index=False)
    run.log_params({"seed": 1})
    run.log_dataset("val_unseen", table, folder / "selection.csv", "0" * 64, "validation")
    for epoch in range(1, 5):
        (folder / "last.keras").write_text(f"epoch {epoch}")
        run.log_metrics({"train/loss": 1 / epoch, "val_unseen/auc": 0.5 + 0.1 * epoch}, epoch)
        run.log_file(folder / "last.keras", "checkpoints")
        run.log_checkpoint("checkpoint-last", epoch, "checkpoints/last.keras")
    (folder / "last.keras").unlink()
    model = run.log_tower(TowerModel(write_tower(folder / "tower.onnx"), step=5, texts={"recipe": "test"}))
    run.log_metrics({"val_unseen/auc": 0.9}, 5, model)
    run.log_table(table, "table.json")
    run.set_tags({"artsim.stage": "done"})


def check_all(store: MlflowClient, run_id: str, status: str = "FINISHED") -> None:
    """Check that everything of `log_all` is in the store, in order and once."""
    run = store.get_run(run_id)
    assert (run.info.status, run.data.params["seed"], run.data.tags["artsim.stage"]) == (status, "1", "done")
    losses = store.get_metric_history(run_id, "train/loss")
    assert [(each.step, each.value) for each in losses] == [(1, 1.0), (2, 1 / 2), (3, 1 / 3), (4, 1 / 4)]
    assert [each.timestamp for each in losses] == sorted(each.timestamp for each in losses)
    assert [each.step for each in store.get_metric_history(run_id, "val_unseen/auc")] == [1, 2, 3, 4, 5]
    models = {each.name: each for each in store.search_logged_models([run.info.experiment_id])}
    assert sorted(models) == ["checkpoint-last", "tower"]
    metrics = {name: {(each.key, each.step) for each in model.metrics or []} for name, model in models.items()}
    assert metrics["checkpoint-last"] == {("train/loss", 4), ("val_unseen/auc", 4)}
    assert metrics["tower"] == {("val_unseen/auc", 5)}
    assert {model.status.value for model in models.values()} == {"READY"}
    assert run.outputs is not None
    assert run.inputs is not None
    linked = [each.model_id for each in run.outputs.model_outputs]
    assert linked.count(models["tower"].model_id) == 1
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.name == "val_unseen"
    client = MlflowClient()
    assert {each.path for each in client.list_artifacts(run_id)} == {"checkpoints", "table.json"}
    assert Path(client.download_artifacts(run_id, "checkpoints/last.keras")).read_text() == "epoch 4"
    assert not list(outboxes().glob("*"))
