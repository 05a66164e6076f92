"""A small training run, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow.entities import LoggedModel
from mlflow.tracking import MlflowClient

from artsim.tracking.resolver import cached_tower


@dataclass(frozen=True)
class Job:
    folder: Path
    run: mlflow.entities.Run
    client: MlflowClient
    stdout: str
    stderr: str

    @property
    def checkpoints(self) -> Path:
        return next((self.folder / "Checkpoints").iterdir())

    def artifact(self, name: str) -> Path:
        return Path(self.client.download_artifacts(self.run.info.run_id, name))

    def model(self, name: str) -> tuple[LoggedModel, int]:
        """The run's model of this name, and its step."""
        (model,) = self.client.search_logged_models([self.run.info.experiment_id], f"name = '{name}'")
        outputs = self.client.get_run(self.run.info.run_id).outputs
        steps = {output.model_id: output.step for output in outputs.model_outputs} if outputs else {}
        return model, steps[model.model_id]

    @property
    def tower(self) -> Path:
        """The tower of the run's model, from the user's cache."""
        return cached_tower(f"runs:/{self.run.info.run_id}")
