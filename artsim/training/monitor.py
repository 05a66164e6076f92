"""Which epoch was best by one figure, and when a better one is no longer worth waiting for. Imports no TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import Literal

MonitorName = Literal[
    "val_auc",
    "val_unseen_auc",
    "val_unseen_same_style_auc",
    "val_unseen_precision_at_1",
    "val_unseen_map_at_r",
    "val_seen_auc",
    "val_seen_same_style_auc",
    "val_seen_precision_at_1",
    "val_seen_map_at_r",
    "val_loss",
]
MEAN_AUC = "val_auc"  # of unseen and of seen artists, as far as a run has them
ANY_RUN_HAS_ONE = ("val_unseen_auc", "val_seen_auc")
LOWER_IS_BETTER = ("val_loss",)


class Monitor:
    """Follows one figure from epoch to epoch.

    A run may lack the figure, for want of unseen artists or of styles. Then another decides, for the whole run: the
    same figure of seen artists, else an AUC that the run has.
    """

    def __init__(self, wanted: MonitorName = "val_unseen_auc", patience: int = 0) -> None:
        """`patience`: how many epochs in a row may bring nothing better; 0: any number."""
        self.wanted = wanted
        self.patience = patience
        self.name: str | None = None  # of the figure that decides, known after the first epoch
        self.best = -math.inf
        self.best_epoch = 0
        self.epoch = 0

    def is_best(self, metrics: Mapping[str, float]) -> bool:
        """Take the next epoch's metrics; a figure that is not there, or no number, is not better than any."""
        self.epoch += 1
        if self.name is None:
            seen = self.wanted.replace("unseen", "seen")
            self.name = next(
                name for name in (self.wanted, seen, *ANY_RUN_HAS_ONE) if name in metrics or name == MEAN_AUC
            )
        merit = self._value(metrics) * (-1 if self.name in LOWER_IS_BETTER else 1)
        if not merit > self.best:
            return False
        self.best, self.best_epoch = merit, self.epoch
        return True

    def _value(self, metrics: Mapping[str, float]) -> float:
        if self.name != MEAN_AUC:
            return metrics.get(str(self.name), math.nan)
        return fmean(metrics[name] for name in ANY_RUN_HAS_ONE if name in metrics)

    @property
    def is_over(self) -> bool:
        """Whether patience has come to its end."""
        return 0 < self.patience <= self.epoch - self.best_epoch
