"""Runs with a tiny tower as their model, in the store of the working folder."""

from __future__ import annotations

from pathlib import Path

from artsim.tracking.logged_models import TowerModel
from artsim.tracking.run import tracked_run
from tests.towers import write_tower


def run_with_tower(folder: Path, name: str = "a-name", scale: float = 1 / 255) -> tuple[str, str]:
    """Log a tower as the model of a new run, and return the IDs of the run and the model."""
    tower = write_tower(folder / f"{name}.onnx", scale=scale)
    with tracked_run(name) as run:
        model_id = run.log_tower(TowerModel(tower, texts={"recipe": "test"}))
    tower.unlink()
    return run.id, model_id
