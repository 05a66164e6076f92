"""The stages of one training, told to the user and logged in the run."""

from __future__ import annotations

from dataclasses import dataclass

from artsim.training.loop.hooks import FitHooks
from artsim.training.loop.plan import Plan, Stage, StageName


@dataclass(frozen=True)
class Stages:
    """The callbacks of a training and its plan. `fit` numbers count from 1."""

    hooks: FitHooks
    plan: Plan

    def begin(self, name: StageName, fit: int, done: int = 0) -> Stage:
        """Begin a stage of which `done` units are complete."""
        stage = self.plan.begin(name, fit, done)
        self.hooks.begin(stage)
        return stage

    def progress(self, title: str, done: int, total: int, before: int = 0) -> None:
        """Report progress of the current stage, which has done `before` units before those of `total`."""
        self.plan.advance(before + done)
        self.hooks.progress(title, done, total)
