"""Hooks that record what a fit gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from artsim.scoring.familiarity import EmbeddedFold
from artsim.training.loop.evaluator import embed
from artsim.training.loop.hooks import FitHooks, Outputs
from artsim.training.loop.journal import Journal
from artsim.training.loop.pretrained import plan_fits
from artsim.training.loop.stages import Stages
from artsim.training.networks.checkpoints import load_tower
from artsim.training.recipes import Recipe


class RecordedFit:
    """The hooks of one fit, and what they were given in order.

    `evaluated` are the embeddings of the validation works after each epoch, `reported` the metrics of each epoch, and
    `folds` the embedded works for the calibration. `described` are the training works' embeddings by the tower to
    export, with the readout's width. `said` are the lines for the user, `begun` the titles of the stages, and
    `followed` the metrics of progress with their steps. `kept` are the towers that were saved, with their epochs.
    """

    def __init__(self, folder: Path, aucs: Iterable[float] = repeat(0.5)) -> None:
        """`aucs`: what the validation answers, epoch by epoch."""
        self.folder = folder
        self.evaluated: list[NDArray[np.float32]] = []
        self.reported: list[dict[str, float]] = []
        self.folds: list[EmbeddedFold] = []
        self.described: list[tuple[NDArray[np.float32], NDArray[np.float32], int]] = []
        self.said: list[str] = []
        self.begun: list[str] = []
        self.followed: list[tuple[int, dict[str, float]]] = []
        self.kept: list[tuple[str, int]] = []
        self._aucs: Iterator[float] = iter(aucs)
        self.hooks = FitHooks(
            Outputs(folder, folder),
            validate=self._validate,
            report=lambda _, metrics: self.reported.append(metrics),
            calibrate=lambda folds, _: self.folds.extend(folds),
            describe=lambda *described: self.described.append(described),
            say=self.said.append,
            progress=lambda *_: None,
            begin=lambda stage: self.begun.append(stage.title),
            follow=lambda step, metrics: self.followed.append((step, metrics)),
            kept=lambda name, epoch: self.kept.append((name, epoch)),
        )

    def stages(self, recipe: Recipe, works: int) -> Stages:
        """The stages of one fit by a recipe on so many works."""
        return Stages(self.hooks, plan_fits(recipe, [(works, "train")], works), Journal(None, self.said.append))

    def _validate(self, embeddings: NDArray[np.float32]) -> dict[str, float]:
        self.evaluated.append(embeddings)
        return {"val_seen/auc": next(self._aucs)}

    def tower(self, name: str) -> keras.Model:
        """The checkpoint of this name."""
        return load_tower(self.folder / name)

    def embeddings(self, name: str, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the checkpoint of this name gives for paintings."""
        return embed(self.tower(name), pixels)
