"""The stages of one training: told to the user, logged in the run, and kept for a run that is resumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from artsim.training.loop.hooks import FitHooks
from artsim.training.loop.journal import FOLDER, TUNED_FEATURES, Arrays, Journal
from artsim.training.loop.plan import Plan, Stage, StageName


@dataclass(frozen=True)
class Stages:
    """The callbacks of a training, its plan and its journal. `fit` is the number of a fit, from 1."""

    hooks: FitHooks
    plan: Plan
    journal: Journal

    @classmethod
    def of(cls, hooks: FitHooks, plan: Plan) -> Stages:
        """The stages of a training with its journal beside the checkpoints."""
        return cls(hooks, plan, Journal(hooks.outputs.checkpoint_dir / FOLDER, hooks.say))

    def begin(self, name: StageName, fit: int, done: int = 0) -> Stage:
        """Begin a stage of which `done` units are complete."""
        stage = self.plan.begin(name, fit, done)
        self.hooks.begin(stage)
        return stage

    def progress(self, title: str, done: int, total: int, before: int = 0) -> None:
        """Report progress of the current stage, which has done `before` units before those of `total`."""
        self.plan.advance(before + done)
        self.hooks.progress(title, done, total)

    def result(self, fit: int) -> dict[str, NDArray[Any]] | None:
        """The result of a fit that is complete already; None: it has to be done."""
        found = self.journal.read(f"fit-{fit}")
        if found is not None:
            self.hooks.say(f"fit {fit} of {self.plan.fits}: complete before the run was resumed.")
        return found

    def keep_result(self, fit: int, arrays: Arrays) -> None:
        """Keep the result of a fit. What its stages have kept is not needed any more."""
        self.journal.write(f"fit-{fit}", arrays)
        self.journal.remove(*(f"{name}-{fit}" for name in ("tuned", "epoch-tuning", "epoch-training")), TUNED_FEATURES)
        self.hooks.saved()
