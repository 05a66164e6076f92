"""One trial of a sweep: a training without refit and export, in a run that is a child of the sweep's."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from artsim.collection.selection import Selection
from artsim.errors import GateError, UsageError
from artsim.evaluation.validation import Validation
from artsim.files import writing
from artsim.jobs.steps.checkpoint_uploads import CheckpointUploads
from artsim.jobs.steps.train_log import TOWER_FILE, Feedback, TrainJob, TrainOptions
from artsim.sweeps.study import PrunedError, Study, Trial
from artsim.tracking.resumed import CHECKPOINTS
from artsim.tracking.run import Run, tracked_run
from artsim.training.loop.feature_cache import FeatureCache
from artsim.training.loop.hooks import FitHooks, Outputs
from artsim.training.monitor import FALLBACKS, Monitor
from artsim.training.recipes import Recipe

TRIAL_TAG, STUDY_TAG, STATE_TAG = "artsim.trial", "artsim.study", "artsim.trial_state"

Fit = Callable[[Recipe, FitHooks], Monitor]
HooksOf = Callable[[TrainJob], FitHooks]


@dataclass(frozen=True)
class Trials:
    """Runs trials of a study.

    Attributes:
        study: whose trials they are.
        options_of: the settings of a trial, by the values of the flags that are searched.
        parent: ID of the sweep's run.
        selection: of all trials.
        validation: of all trials.
        features: that the trials share.
        fit: trains a tower.
        hooks_of: the callbacks of a training.
        feedback: the callbacks for the user.
    """

    study: Study
    options_of: Callable[[Mapping[str, object]], TrainOptions]
    parent: str
    selection: Selection
    validation: Validation
    features: FeatureCache
    fit: Fit
    hooks_of: HooksOf
    feedback: Feedback

    def run(self, trial: Trial) -> None:
        """Run a trial, and end it in the study. Settings that contradict each other, or diverge, fail the trial only.

        Raises:
            KeyboardInterrupt: the trial is killed. Its values are tried again.
            ArtsimError: of anything that would stop the other trials too.
        """
        started = time.monotonic()
        value, reason = None, None
        try:
            value = self._in_a_run(trial)
        except (GateError, UsageError) as error:
            reason = str(error)
        except BaseException:
            self.study.give_up()
            raise
        self.study.end(value, (time.monotonic() - started) / 60, reason)
        self._remove_folders()

    def outputs(self, trial: Trial, options: TrainOptions) -> Outputs:
        """The folders of a trial, which exist."""
        name = f"trial-{trial.number}"
        study = self.study.path.parent.name
        outputs = Outputs(self.study.path.parent / name, options.summaries_dir / study / name)
        for path in (outputs.checkpoint_dir, outputs.summaries_dir):
            with writing(path):
                path.mkdir(parents=True, exist_ok=True)
        return outputs

    def _in_a_run(self, trial: Trial) -> float | None:
        """The value of a trial; None: it was pruned."""
        options = self.options_of(trial.values)
        with tracked_run(f"trial-{trial.number}", say=self.feedback.say, system_metrics=False) as run:
            self.study.has_run(run.id)
            run.follow(self.parent)
            run.set_tags({STUDY_TAG: self.study.path.parent.name, TRIAL_TAG: str(trial.number)})
            run.log_params(options.flags)
            try:
                value = self._value(run, options, self.outputs(trial, options))
            except PrunedError as error:
                run.set_tags({STATE_TAG: f"pruned: {error}"})
                return None
            run.set_tags({STATE_TAG: "complete"})
            return value

    def _value(self, run: Run, options: TrainOptions, outputs: Outputs) -> float:
        """Train a tower, and return the AUC of unseen artists after the best epoch."""
        recipe = replace(options.recipe, refit=False)  # its metrics are those before the refit
        quiet = Feedback(lambda _: None, self.feedback.progress, self.feedback.display)
        uploads = CheckpointUploads(run, outputs.checkpoint_dir, CHECKPOINTS, (), quiet.say)
        job = TrainJob(options, run, self.selection, self.validation, outputs, quiet, uploads, self.features)
        values: dict[int, float] = {}
        report = partial(self._report, run, recipe, values)
        hooks = replace(self.hooks_of(job), report=report, begin=nothing, kept=nothing, saved=nothing)
        monitor = self.fit(recipe, hooks)
        if monitor.best_epoch not in values:
            raise GateError("No epoch has a validation metric.")
        return values[monitor.best_epoch]

    def _report(
        self, run: Run, recipe: Recipe, values: dict[int, float], epoch: int, metrics: dict[str, float]
    ) -> None:
        run.log_metrics(metrics, epoch if recipe.has_epochs else 0)
        values[epoch] = metrics[metric_of(metrics)]
        if recipe.has_epochs:
            self.study.report(values[epoch], epoch)

    def _remove_folders(self) -> None:
        """Remove the checkpoints of all trials but the best, and but those that have a tower."""
        best = self.study.best
        for trial in self.study.trials():
            folder = self.study.path.parent / f"trial-{trial.number}"
            is_over = trial.state not in ("running", "waiting")
            if is_over and (best is None or trial.number != best.number) and not (folder / TOWER_FILE).exists():
                shutil.rmtree(folder, ignore_errors=True)


def nothing(*_: object) -> None:
    """Take anything: a trial logs no stages and no checkpoints."""


def metric_of(metrics: Mapping[str, float]) -> str:
    """The metric that a sweep raises: the AUC of unseen artists, or of seen artists where there are no unseen ones."""
    return next(name for name in FALLBACKS if name in metrics)


def study_folder(checkpoint_dir: Path, name: str) -> Path:
    """The folder of a study, which is made if it is missing."""
    folder = checkpoint_dir / name
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder
