"""What follows a fit from outside: where its files go, who takes its figures, who is told. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Validate = Callable[[NDArray[np.float32]], dict[str, float]]
Report = Callable[[int, dict[str, float]], None]
Fold = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True)
class Outputs:
    """Folders, already there, for a run's checkpoints and its TensorBoard summaries."""

    checkpoint_dir: Path
    summaries_dir: Path


@dataclass(frozen=True)
class FitHooks:
    """What a fit is given beside its works.

    `validate` gives the figures of the validation works' embeddings (V, D); `report` is told of each epoch, from 1,
    and its metrics; `calibrate` gets embeddings (N, D) and artists (N,) of works whose artists their tower had not met,
    a fold a tower; `say` is told of what begins, `progress` of (stage, done, total); `quiet`: show no live progress.
    """

    outputs: Outputs
    validate: Validate
    report: Report
    calibrate: Callable[[Iterable[Fold]], None]
    say: Callable[[str], None]
    progress: Callable[[str, int, int], None]
    quiet: bool = False
