"""`artsim sweep`: try values of the flags of a training, and export the best tower.

Several processes work on one study. The first of them leads: it holds the sweep's run, and exports the best trial when
no process is at work any more. If the leader ends, the next process that has nothing to try takes its place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from artsim.collection.prepare import prepare_selection
from artsim.collection.selection import Selection
from artsim.errors import GateError, InputError, OutputError
from artsim.evaluation.shortcuts import CueAucs
from artsim.evaluation.validation import Validation
from artsim.export.run_record import SELECTION_FILE
from artsim.jobs.register import register_after_training
from artsim.jobs.steps.checkpoint_uploads import CheckpointUploads
from artsim.jobs.steps.more_processes import more_processes
from artsim.jobs.steps.sweep_log import in_words, log_news, log_sweep, report
from artsim.jobs.steps.sweep_options import SweepOptions, check_identity
from artsim.jobs.steps.train_log import (
    TOWER_FILE,
    Feedback,
    TrainJob,
    describe_selection,
    log_end,
    log_start,
)
from artsim.jobs.steps.training_session import TrainingSession
from artsim.jobs.steps.trials import Trials, study_folder
from artsim.jobs.train import check_files, find_shortcuts, finish, fit_and_export, hooks_of, make_job
from artsim.locking import only_one
from artsim.messages import first_few
from artsim.scoring.session import read_card
from artsim.sweeps.study import ENDED, Study, Trial
from artsim.tracking.linked_models import share_tower
from artsim.tracking.processes import is_gone, this_process
from artsim.tracking.resumed import CHECKPOINTS
from artsim.tracking.run import LAUNCHED, Run, tracked_run
from artsim.training.loop.feature_cache import FeatureCache
from artsim.training.loop.hooks import Outputs

FEATURES = "features"  # the folder beside the studies
PARENT, SELECTION, EXPORTED = "parent", "selection_sha256", "exported"  # attributes of a study
PAUSE = 1.0  # seconds between two looks at what other processes do
BEGIN_PATIENCE = 600  # seconds to wait for the process that begins the sweep's run


def sweep(options: SweepOptions, feedback: Feedback) -> str:
    """Run the trials that are missing, export the best, and return the text to print.

    Raises:
        UsageError: the study has other flags.
        InputError: the study has another selection, or its file is damaged.
        GateError: no trial gave a value.
        ArtsimError: as `train`.
    """
    check_files(options.base)
    folder = study_folder(options.base.checkpoint_dir, options.name)
    study = Study(folder, options.space, options.base.seed)
    check_identity(study, options)
    works = _Sweep(options, study, feedback)
    text = works.lead()
    if text is None:
        works.join()
        text = works.lead()
    if text is None:
        return f"{folder}: another process of this study is at work. It exports the best trial."
    return text


class _Sweep:
    """The work of one process on a study."""

    def __init__(self, options: SweepOptions, study: Study, feedback: Feedback) -> None:
        self.options = options
        self.study = study
        self.folder = study.path.parent
        self.feedback = feedback
        self.process = this_process()
        self.deadline = None if options.minutes is None else time.monotonic() + 60 * options.minutes
        self._told = {each.number for each in study.trials() if each.state in ENDED}

    def lead(self) -> str | None:
        """Do all that is missing, if no other process leads, and return the text to print; None: another one leads."""
        with ExitStack() as stack:
            try:
                stack.enter_context(only_one(self.folder / "leader"))
            except OutputError:
                return None
            resumed = None if LAUNCHED in os.environ else self.study.get(PARENT)
            with tracked_run(self.options.name, resumed, self.feedback.say) as run:
                os.environ.pop(LAUNCHED, None)  # the runs of the trials are not the one that `mlflow run` made
                try:
                    text = self._all(run)
                except KeyboardInterrupt as error:
                    error.add_note("The trials so far are kept. The same command goes on with the study.")
                    raise
        if self.options.base.register:
            text += f"\n\n{register_after_training(run.id, self.feedback.say, self.feedback.progress)}"
        return text

    def join(self) -> None:
        """Work beside the process that leads, until nothing is left to try."""
        os.environ.pop(LAUNCHED, None)  # the runs of the trials are not the one that `mlflow run` made
        ends = time.monotonic() + BEGIN_PATIENCE
        while self.study.get(PARENT) is None and time.monotonic() < ends:
            time.sleep(PAUSE)
        self.feedback.say(f"Another process leads the study {self.options.name}. This one joins it.")
        selection, validation = self._prepared()
        if self._is_trial_missing():
            with TrainingSession(self.options.base, selection, validation, self.feedback) as session:
                self._work(self._trials(session, selection, validation), None)

    def _all(self, run: Run) -> str:
        """All trials that are missing, the export of the best, and what the sweep's run holds of them."""
        base = self.options.base
        run.log_params(self.options.flags)
        selection, validation = self._prepared()
        if base.save_data_to_file:
            selection.write(Path(SELECTION_FILE))
        outputs = Outputs(self.folder, base.summaries_dir)
        uploads = CheckpointUploads(run, self.folder, CHECKPOINTS, (), self.feedback.say)  # of no files
        job = TrainJob(base, run, selection, validation, outputs, self.feedback, uploads)
        log_start(job)
        self.study.set(PARENT, run.id)
        self.feedback.say(describe_selection(selection))
        if self._is_trial_missing() or not self._is_exported(self.study.best):
            shortcuts = find_shortcuts(job)
            with TrainingSession(base, selection, validation, self.feedback) as session:
                trials = self._trials(session, selection, validation)
                with more_processes(self.options.processes, self._arguments, self.folder, self.feedback.say):
                    self._work(trials, run)
                    while self._wait(run) and self._is_trial_missing():
                        self._work(trials, run)
                best = self._best()
                if not self._is_exported(best):
                    self._export(best, trials, session, shortcuts)
        best = self._best()
        share_tower(str(best.run_id), run.id)
        tower = self._tower(best)
        card = read_card(tower)
        log_sweep(run, self.study.trials(), best, card, self.folder)
        return report(run, self.study.trials(), best, tower, card, selection.folder)

    def _prepared(self) -> tuple[Selection, Validation]:
        """The selection of the study, and its validation works.

        Raises:
            InputError: the study began with another one.
        """
        base = self.options.base
        selection = prepare_selection(base.selection, self.feedback.say, self.feedback.progress)
        before = self.study.get(SELECTION)
        if before not in (None, selection.digest):
            raise InputError(
                f"{base.selection.data_file_path}: its works are not those that the study {self.options.name} began "
                "with. Begin another study by --study NAME."
            )
        self.study.set(SELECTION, selection.digest)
        return selection, Validation(selection, base.recipe.distance, base.recipe.threshold, base.seed)

    def _trials(self, session: TrainingSession, selection: Selection, validation: Validation) -> Trials:
        features = FeatureCache(self.options.base.checkpoint_dir / FEATURES, self.feedback.say)
        return Trials(
            study=self.study,
            options_of=self.options.options_of,
            parent=str(self.study.get(PARENT)),
            selection=selection,
            validation=validation,
            features=features,
            fit=lambda recipe, hooks: session.fit(session.recipe(recipe), hooks),
            hooks_of=hooks_of,
            feedback=self.feedback,
        )

    def _is_trial_missing(self) -> bool:
        """Whether a further trial may begin."""
        begun = [each for each in self.study.trials() if each.state not in ("killed", "waiting")]
        is_late = self.deadline is not None and time.monotonic() >= self.deadline
        return len(begun) < self.options.trials and not is_late

    def _work(self, trials: Trials, run: Run | None) -> None:
        """Run trials until none is missing. `run` is the sweep's, if this process leads."""
        while self._is_trial_missing():
            trial = self.study.ask(self.options.trials, self.process, is_gone)
            if trial is None:
                return
            trials.run(trial)
            self._tell(run)

    def _wait(self, run: Run) -> bool:
        """Wait for trials of other processes; return True, as their end may leave one to try again."""
        while self.study.others_at_work(self.process, is_gone):
            self._tell(run)
            time.sleep(PAUSE)
        self._tell(run)
        return True

    def _tell(self, run: Run | None) -> None:
        """Tell and log the trials that have ended since the last time, those of other processes too."""
        trials = self.study.trials()
        new = [each for each in trials if each.state in ENDED and each.number not in self._told]
        best = self.study.best
        if run is not None:
            log_news(run, new, best)
        for each in new:
            self._told.add(each.number)
            self.feedback.say(in_words(each, f"{len(self._told)} of {self.options.trials}", best))

    def _best(self) -> Trial:
        """The best trial. Raises GateError: there is none."""
        best = self.study.best
        if best is None:
            reasons = sorted({each.reason for each in self.study.trials() if each.reason})
            raise GateError(f"No trial gave a value. {first_few(reasons, ' ')}".strip())
        return best

    @property
    def _arguments(self) -> list[str]:
        """The arguments of a further process. Of a flag that is given twice, the last value counts."""
        return [*self.options.arguments, f"--study={self.options.name}", "--processes=1", "--register=False"]

    def _is_exported(self, best: Trial | None) -> bool:
        exported = self.study.get(EXPORTED)
        return best is not None and exported == best.number and self._tower(best).is_file()

    def _tower(self, trial: Trial) -> Path:
        return self.folder / f"trial-{trial.number}" / TOWER_FILE

    def _export(self, best: Trial, trials: Trials, session: TrainingSession, shortcuts: Mapping[str, CueAucs]) -> None:
        """Complete the best trial as `artsim train` does: refit, export, and what its run holds."""
        self.feedback.say(f"Trial {best.number} is the best. Completing it …")
        options = self.options.options_of(best.values)
        with tracked_run(self.options.name, best.run_id, self.feedback.say, system_metrics=False) as run:
            outputs = trials.outputs(best, options)
            job = make_job(options, run, trials.selection, outputs, self.feedback)
            job = replace(job, features=trials.features)
            log_start(job)
            exported = fit_and_export(job, session)
            log_end(job, exported, shortcuts, without_epochs=1)  # the trial has logged its metrics at step 0
            finish(job)
        self.study.set(EXPORTED, best.number)
