"""Numbers as the report writes them: no more digits than the interval allows, and none where there is too little."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from artsim.messages import counted

MOST_DIGITS = 3
LEAST_PAIRS = 10  # of each kind, below which an AUC says nothing; a setting
WIDEST = 0.5  # interval of an AUC that still says something: half of the scale; a setting
TOO_FEW = "too few to judge"


@dataclass(frozen=True)
class Estimate:
    """A metric from 0 to 1 with the bounds of its interval; None where there are none."""

    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, metrics: Mapping[str, float], key: str) -> Estimate | None:
        """The metric `key` with its bounds `key_low` and `key_high`; None if it is not there."""
        if key not in metrics:
            return None
        return cls(metrics[key], metrics.get(f"{key}_low"), metrics.get(f"{key}_high"))

    @property
    def has_interval(self) -> bool:
        """Whether both bounds are known."""
        return self.low is not None and self.high is not None

    @property
    def is_useful(self) -> bool:
        """Whether the interval is known and narrow enough to say something."""
        return self.low is not None and self.high is not None and self.high - self.low <= WIDEST

    @property
    def digits(self) -> int:
        """The digits after the point: the last one is about half of the interval's width."""
        if self.low is None or self.high is None:
            return 2
        return digits_for((self.high - self.low) / 2)

    @property
    def text(self) -> str:
        """The value alone."""
        return f"{self.value:.{self.digits}f}"

    @property
    def interval(self) -> str:
        """The bounds, such as `0.79 to 0.91`; empty without them."""
        if self.low is None or self.high is None:
            return ""
        return f"{self.low:.{self.digits}f} to {self.high:.{self.digits}f}"

    @property
    def with_interval(self) -> str:
        """The value and its bounds, such as `0.85 (0.79 to 0.91)`."""
        return f"{self.text} ({self.interval})" if self.has_interval else self.text


def says_something(same: int, different: int, auc: Estimate | None) -> bool:
    """Whether the AUC of so many pairs of each kind says something; otherwise there are too few to judge."""
    return min(same, different) >= LEAST_PAIRS and auc is not None and auc.is_useful


def too_few_text(same: int, different: int, auc: Estimate | None) -> str:
    """What to say in place of metrics that say nothing."""
    interval = f"; 95 % interval of the AUC {auc.interval}" if auc is not None and auc.has_interval else ""
    return f"{TOO_FEW}: {counted(same, 'pair')} by one artist, {different:,} by two{interval}"


def metric_text(metrics: Mapping[str, float], key: str, digits: int) -> str:
    """A metric as text, "" if it is not there. One without an interval gets the digits of the AUC of its pairs."""
    estimate = Estimate.of(metrics, key)
    if estimate is None:
        return ""
    return estimate.text if estimate.has_interval else f"{estimate.value:.{digits}f}"


def share_text(estimate: Estimate) -> str:
    """A share with its interval, such as `76 % (72 to 80 %)`; rounded to tens of percent if the interval is wide."""
    share = f"{round(100 * estimate.value, -1 if estimate.digits < 2 else 0):.0f} %"
    if estimate.low is None or estimate.high is None:
        return share
    return f"{share} ({100 * estimate.low:.0f} to {100 * estimate.high:.0f} %)"


def digits_for(uncertainty: float) -> int:
    """Digits after the point of a number from 0 to 1 that is known to ± `uncertainty`: 1 to 3."""
    if uncertainty <= 0:
        return MOST_DIGITS
    return min(MOST_DIGITS, max(1, math.ceil(-math.log10(uncertainty))))


def percent(share: float) -> str:
    """A share as a whole percentage; shares near 0 and 1 stay apart from them."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def short(value: float) -> str:
    """A distance with three significant digits."""
    return f"{value:#.3g}".rstrip(".")
