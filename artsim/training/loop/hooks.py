"""The callbacks of a fit: output folders, validation, logging and display. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artsim.messages import Progress, Say
from artsim.scoring.familiarity import EmbeddedFold
from artsim.training.loop.feature_cache import FeatureCache
from artsim.training.loop.plan import Stage

Validate = Callable[[NDArray[np.float32]], dict[str, float]]
Report = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Outputs:
    """Existing folders for a run's checkpoints and its TensorBoard summaries."""

    checkpoint_dir: Path
    summaries_dir: Path


class TrainingDisplay:
    """Shows the epochs and steps of the stages of a training, both counted from 1. This base class shows nothing.

    `seconds_left` are those until the whole training ends; None: not known yet.
    """

    def training(self, stage: Stage) -> AbstractContextManager[object]:
        """A context that lasts from before the first step of a stage until after its last epoch."""
        return nullcontext()

    def step(self, epoch: int, step: int, images_per_second: float, loss: float, seconds_left: float | None) -> None:
        """Show the step that has just ended."""

    def epoch(self, epoch: int, metrics: Mapping[str, float], *, is_best: bool, seconds_left: float | None) -> None:
        """Show the metrics of the epoch that has just ended."""


def _nothing(*_: object) -> None:
    """Take anything: the default of callbacks."""


@dataclass(frozen=True)
class FitHooks:
    """The callbacks of a fit.

    `validate` computes the metrics of the validation works' embeddings (V, D). `report` receives the number of each
    epoch, from 1, and its metrics. `calibrate` receives the folds of a cross-validation, and the number of leading
    values of an embedding that are a readout's. `describe` receives the embeddings (N, D) of training works by the
    tower that will be exported, those of a shifted view of each, (N, D), and the same number. It is not called for a
    tower without a readout. `begin` receives each stage as it begins. `follow` receives a step and metrics of progress:
    those of stages without an evaluation, and the time left. `kept` receives the name of each tower that an epoch has
    saved, and the epoch, after `report`. `saved` is called after files in the folder of checkpoints may have changed.
    `features` has those that trainings share; None: they are computed for this one.
    """

    outputs: Outputs
    validate: Validate
    report: Report
    calibrate: Callable[[Iterable[EmbeddedFold], int], None]
    describe: Callable[[NDArray[np.float32], NDArray[np.float32], int], None]
    say: Say
    progress: Progress
    display: TrainingDisplay = field(default_factory=TrainingDisplay)
    begin: Callable[[Stage], None] = _nothing
    follow: Report = _nothing
    kept: Callable[[str, int], None] = _nothing
    saved: Callable[[], None] = _nothing
    features: FeatureCache | None = None
