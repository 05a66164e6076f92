"""The metric that decides which epoch is best, and when training stops early. Imports no TensorFlow."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from statistics import fmean
from typing import Any, Literal

MonitorName = Literal[
    "val/auc",
    "val_unseen/auc",
    "val_unseen/same_style_auc",
    "val_unseen/precision_at_1",
    "val_unseen/map_at_r",
    "val_seen/auc",
    "val_seen/same_style_auc",
    "val_seen/precision_at_1",
    "val_seen/map_at_r",
    "val_seen/loss",
]
MEAN_AUC = "val/auc"  # of unseen and seen artists, or the AUC of seen artists alone where there are no unseen ones
FALLBACKS = ("val_unseen/auc", "val_seen/auc")  # every run has at least one
LOWER_IS_BETTER = ("val_seen/loss",)


def metric_key(name: str) -> str:
    """The key of a metric in its present form; `val_loss` and names such as `val_unseen_auc` are the earlier form."""
    return "val_seen/loss" if name == "val_loss" else re.sub(r"^(val(_unseen|_seen)?)_(?=[^/]*$)", r"\1/", name)


class Monitor:
    """Follows one metric from epoch to epoch.

    A run without unseen artists or styles may lack the metric. Then another metric decides for the whole run: the same
    metric of seen artists, else an AUC that the run has.
    """

    def __init__(self, wanted: MonitorName = "val_unseen/auc", patience: int = 0) -> None:
        """`patience` is the number of epochs in a row without improvement after which training stops; 0: never."""
        self.wanted = wanted
        self.patience = patience
        self.name: str | None = None  # of the metric that decides; known after the first epoch
        self.best = -math.inf
        self.best_epoch = 0
        self.epoch = 0

    def is_best(self, metrics: Mapping[str, float]) -> bool:
        """Take the next epoch's metrics; an epoch with a missing or NaN metric is never the best."""
        self.epoch += 1
        if self.name is None:
            candidates = (self.wanted, self.wanted.replace("unseen", "seen"), *FALLBACKS)
            self.name = next(name for name in candidates if name in metrics or name == MEAN_AUC)
        merit = self._value(metrics) * (-1 if self.name in LOWER_IS_BETTER else 1)
        if not merit > self.best:
            return False
        self.best, self.best_epoch = merit, self.epoch
        return True

    def _value(self, metrics: Mapping[str, float]) -> float:
        if self.name != MEAN_AUC:
            return metrics.get(str(self.name), math.nan)
        return fmean(metrics[name] for name in FALLBACKS if name in metrics)

    @property
    def state(self) -> dict[str, str | float | None]:
        """What it knows after its last epoch, for `restore`."""
        return {name: getattr(self, name) for name in ("name", "best", "best_epoch", "epoch")}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of another monitor."""
        for name in self.state:
            setattr(self, name, state[name])

    @property
    def is_at_best(self) -> bool:
        """Whether the last epoch is the best so far."""
        return self.best_epoch == self.epoch

    @property
    def is_over(self) -> bool:
        """Whether training stops now."""
        return 0 < self.patience <= self.epoch - self.best_epoch
