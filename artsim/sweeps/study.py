"""A study: the trials of a sweep in one file, which several processes read and write. The one module with Optuna.

Optuna's journal is a file of one line an event. A trial belongs to the process that asked for it. If that process ends
without a word, the next one that asks marks the trial as killed and tries its values again.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from artsim.errors import InputError
from artsim.files import writing
from artsim.locking import only_one
from artsim.training.search_space import Choices, Range, Space, Values

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "study.log"
PATIENCE = 120  # seconds to wait for another process that asks for a trial
STARTUP_TRIALS = 5  # complete trials before one is pruned; a setting
WARM_UP = 2  # the first epoch after which a trial may be pruned; a setting
PROCESS, RUN, REASON, MINUTES = "process", "run", "reason", "minutes"  # attributes of trials
KILLED = "killed"  # the attribute of the study: the numbers of trials
ENDED = ("complete", "pruned", "failed")  # states of trials that count
State = Literal["running", "complete", "pruned", "failed", "killed", "waiting"]


class PrunedError(Exception):
    """A trial that is stopped early, because it is worse than the median of those before."""


@dataclass(frozen=True)
class Trial:
    """A trial as the study knows it. `value` is None unless it is complete, or pruned after a first value."""

    number: int
    state: State
    values: Mapping[str, Any]
    value: float | None
    run_id: str | None
    minutes: float | None
    reason: str | None


class Study:
    """The trials of a sweep."""

    def __init__(self, folder: Path, space: Space, seed: int) -> None:
        """Open the study in an existing folder, or begin it there.

        Raises:
            InputError: its file is damaged.
            OutputError: its file cannot be written.
        """
        self.path = folder / FILE
        self._distributions = {name: _distribution(values) for name, values in space.items()}
        self._seed = seed
        self._running: optuna.Trial | None = None
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with self._locked(), self._reading():
            lock = JournalFileOpenLock(str(self.path)) if os.name == "nt" else None
            self._study = optuna.create_study(
                storage=JournalStorage(JournalFileBackend(str(self.path), lock)),
                study_name=folder.name,
                direction="maximize",
                pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS, n_warmup_steps=WARM_UP),
                load_if_exists=True,
            )

    def get(self, name: str) -> Any:
        """An attribute of the study; None: it has none of this name."""
        with self._reading():
            return self._study.user_attrs.get(name)

    def set(self, name: str, value: Any) -> None:
        """Set an attribute of the study, a value of JSON."""
        with writing(self.path):
            self._study.set_user_attr(name, value)

    def begin(self, first: Mapping[str, Any]) -> None:
        """Give a new study the values of its first trial."""
        with self._locked():
            if not self._study.get_trials(deepcopy=False):
                self._study.enqueue_trial(dict(first))

    def ask(self, budget: int, process: str, is_gone: Callable[[str], bool | None]) -> Trial | None:
        """The next trial; None: as many trials as the budget allows have begun.

        The values depend on the seed, the number of the trial and those before it, not on the process that asks.

        Args:
            budget: number of trials of the study. Those that were killed do not count.
            process: names this process.
            is_gone: whether the process of a name has ended.
        """
        with self._locked():
            self._give_up_dead(is_gone)
            begun = [each for each in self.trials() if each.state not in ("killed", "waiting")]
            if len(begun) >= budget:
                return None
            number = len(self._study.get_trials(deepcopy=False))
            self._study.sampler = optuna.samplers.TPESampler(seed=(self._seed + number) % 2**32)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                self._running = self._study.ask(self._distributions)
            self._running.set_user_attr(PROCESS, process)
            return self._known(self._study.trials[self._running.number])

    def has_run(self, run_id: str) -> None:
        """Note the MLflow run of the trial in progress."""
        self._trial.set_user_attr(RUN, run_id)

    def report(self, value: float, epoch: int) -> None:
        """Take the value of the trial in progress after an epoch.

        Raises:
            PrunedError: it is worse than the median of the trials before.
        """
        self._trial.report(value, epoch)
        if self._trial.should_prune():
            raise PrunedError(f"its value after epoch {epoch} is below the median of the trials before")

    def end(self, value: float | None, minutes: float, reason: str | None = None) -> None:
        """End the trial in progress: complete with a value, pruned or failed without one.

        Args:
            value: of a complete trial.
            minutes: that it took.
            reason: of a failure; None without a value: it was pruned.
        """
        self._trial.set_user_attr(MINUTES, minutes)
        if reason is not None:
            self._trial.set_user_attr(REASON, reason)
        state = TrialState.COMPLETE if value is not None else TrialState.FAIL if reason else TrialState.PRUNED
        self._study.tell(self._trial.number, value if value is not None else None, state)
        self._running = None

    def give_up(self) -> None:
        """Mark the trial in progress as killed, if there is one. Its values are tried again."""
        if self._running is not None:
            with self._locked():
                self._kill(self._study.trials[self._running.number])
            self._running = None

    def others_at_work(self, process: str, is_gone: Callable[[str], bool | None]) -> list[Trial]:
        """The trials that other processes are working on."""
        with self._locked():
            self._give_up_dead(is_gone)
            running = self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING])
        return [self._known(each) for each in running if each.user_attrs.get(PROCESS) != process]

    def trials(self) -> list[Trial]:
        """All trials, by number."""
        with self._reading():
            return [self._known(each) for each in self._study.get_trials(deepcopy=False)]

    @property
    def best(self) -> Trial | None:
        """The complete trial with the highest value, the first of equals; None: there is none."""
        complete = [each for each in self.trials() if each.state == "complete" and each.value is not None]
        return max(complete, key=lambda each: (each.value or 0.0, -each.number), default=None)

    @property
    def _trial(self) -> optuna.Trial:
        if self._running is None:
            raise RuntimeError("no trial is in progress")
        return self._running

    def _give_up_dead(self, is_gone: Callable[[str], bool | None]) -> None:
        for each in self._study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
            # A process names itself before it lets go of the lock.
            if PROCESS not in each.user_attrs or is_gone(each.user_attrs[PROCESS]):
                self._kill(each)

    def _kill(self, trial: FrozenTrial) -> None:
        # Optuna lets only the process of a trial set its attributes, so the study has this one.
        self._study.set_user_attr(KILLED, [*self._killed, trial.number])
        self._study.tell(trial.number, state=TrialState.FAIL)
        self._study.enqueue_trial(trial.params)

    @property
    def _killed(self) -> list[int]:
        return list(self._study.user_attrs.get(KILLED, []))

    def _known(self, frozen: FrozenTrial) -> Trial:
        return _trial(frozen, is_killed=frozen.number in self._killed)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with only_one(self.path, patience=PATIENCE), writing(self.path):
            yield

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError) as error:  # of Optuna's reader of lines
            raise InputError(
                f"{self.path}: damaged ({error}). Remove its last line, or begin another study by --study NAME."
            ) from error


def _distribution(values: Values) -> BaseDistribution:
    if isinstance(values, Choices):
        return CategoricalDistribution(values.values)
    return _of_range(values)


def _of_range(values: Range) -> BaseDistribution:
    if isinstance(values.low, int) and isinstance(values.high, int):
        return IntDistribution(values.low, values.high, log=values.log)
    return FloatDistribution(values.low, values.high, log=values.log)


_STATES: dict[TrialState, State] = {
    TrialState.RUNNING: "running",
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.WAITING: "waiting",
}


def _trial(frozen: FrozenTrial, *, is_killed: bool) -> Trial:
    attributes = frozen.user_attrs
    return Trial(
        number=frozen.number,
        state="killed" if is_killed else _STATES[frozen.state],
        values=dict(frozen.params),
        value=frozen.value,
        run_id=attributes.get(RUN),
        minutes=attributes.get(MINUTES),
        reason=attributes.get(REASON),
    )
