"""The plan of a training: its stages in order, how far it is, and the time left. Imports no TensorFlow.

A training consists of fits, and a fit of stages. A pretrained tower has six fits with enough artists: the first
fit, one for each other fold of the calibration, and the refit on all works. Each tunes the network, computes features,
and trains a head.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

EARLIER_WEIGHT = 0.1  # of earlier stages in the pace of their kind; a setting

StageName = Literal["features", "tuning", "training"]


@dataclass(frozen=True)
class Stage:
    """One stage of a fit.

    Attributes:
        name: what is done.
        fit: number of the fit, from 1. 0: the features of the frozen network, which all fits share.
        fits: number of all fits.
        units: amount of work: paintings whose features are computed, or steps of the optimiser.
        epochs: number of epochs; 0 for features.
        group: first part of the names of the stage's metrics, as in `tuning/loss`.
    """

    name: StageName
    fit: int
    fits: int
    units: int
    epochs: int = 0
    group: str = ""

    @property
    def title(self) -> str:
        """What the user is told, for example `fit 2 of 6: tuning`."""
        return f"fit {self.fit} of {self.fits}: {self.name}" if self.fits > 1 and self.fit else self.name

    @property
    def key(self) -> str:
        """A name that no other stage of the plan has."""
        return f"{self.name}-{self.fit}"

    @property
    def steps(self) -> int:
        """Number of steps in an epoch."""
        return self.units // self.epochs


class Plan:
    """The stages of a training, and the pace of each kind of stage.

    The time left is estimated from what this process has measured. A kind of stage that has not run yet counts as
    nothing. Earlier stages of a kind count little once another begins: the features of the frozen network, the
    first ones, take longest if it is tuned, because the later ones reuse its lower half.
    """

    def __init__(self, stages: Sequence[Stage], clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives the time in seconds."""
        self.stages = list(stages)
        self._clock = clock
        self._place = 0
        self._done = 0  # units of the current stage
        self._mark: tuple[float, int] | None = None  # time and units at the last call of `advance`
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._units: defaultdict[str, float] = defaultdict(float)

    @property
    def fits(self) -> int:
        """Number of fits."""
        return self.stages[0].fits

    def stage(self, name: StageName, fit: int) -> Stage:
        """The stage with this name of a fit."""
        return next(stage for stage in self.stages if (stage.name, stage.fit) == (name, fit))

    def begin(self, name: StageName, fit: int, done: int = 0) -> Stage:
        """Begin a stage of which `done` units are complete. Stages before it are complete."""
        stage = self.stage(name, fit)
        self._place, self._done, self._mark = self.stages.index(stage), done, None
        for measured in (self._seconds, self._units):
            measured[name] *= EARLIER_WEIGHT
        return stage

    def advance(self, done: int) -> None:
        """Take the number of units of the current stage that are complete now.

        The first unit of a stage is not measured, because TensorFlow traces its graph in it.
        """
        now = self._clock()
        if self._mark is not None:
            before, units = self._mark
            name = self.stages[self._place].name
            self._seconds[name] += now - before
            self._units[name] += done - units
        self._mark, self._done = (now, done), done

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the last stage ends; None: nothing of the current kind of stage is measured yet."""
        current, *later = self.stages[self._place :]
        if not self._units[current.name]:
            return None
        left = [(current.name, current.units - self._done), *((stage.name, stage.units) for stage in later)]
        return sum(units * self._seconds[name] / self._units[name] for name, units in left if self._units[name])

    def epoch_of_group(self, stage: Stage, epoch: int) -> int:
        """The number of an epoch among those of all stages with the same group of metrics."""
        earlier = self.stages[: self.stages.index(stage)]
        return sum(each.epochs for each in earlier if each.group == stage.group) + epoch

    def epoch_of_all(self, stage: Stage, epoch: int) -> int:
        """The number of an epoch among those of all stages."""
        return sum(each.epochs for each in self.stages[: self.stages.index(stage)]) + epoch
