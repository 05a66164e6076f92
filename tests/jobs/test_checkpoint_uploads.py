"""Checkpoints reach the store while a training runs, so a killed run has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from artsim.jobs.steps import checkpoint_uploads
from artsim.jobs.steps.checkpoint_uploads import CheckpointUploads
from artsim.messages import say_nothing
from artsim.tracking.run import tracked_run


def test_a_run_has_the_models_of_its_checkpoints_before_its_end(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_uploads, "LEAST_PAUSE", 0.0)
    monkeypatch.setattr(checkpoint_uploads, "PAUSE", 0)
    folder, client = working_folder / "kept", MlflowClient()
    folder.mkdir()
    with tracked_run("a-name", system_metrics=False) as run:
        uploads = CheckpointUploads(run, folder, "checkpoints", (), say_nothing)
        for epoch, saved in ((1, ("best.keras", "last.keras")), (2, ("last.keras",))):
            for name in saved:
                (folder / name).write_text(f"epoch {epoch}, {name}")
            run.log_metrics({"train/loss": 1 / epoch}, epoch)
            for name in saved:
                uploads.has_saved(name, epoch)
            uploads()
        models = {each.name: each for each in client.search_logged_models(["0"], f"source_run_id = '{run.id}'")}
        steps = {name: [metric.step for metric in model.metrics or []] for name, model in models.items()}
        assert steps == {"checkpoint-best": [1], "checkpoint-last": [2]}
        assert Path(client.download_artifacts(run.id, "checkpoints/best.keras")).read_text() == "epoch 1, best.keras"
    outputs = client.get_run(run.id).outputs
    assert outputs is not None
    assert {each.step for each in outputs.model_outputs} == {1, 2}
