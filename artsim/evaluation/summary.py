"""What a scoring run says at its end: on stderr as aligned text, in a file as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

BAD_IMAGES_NAMED = 5

# Names as a person reads them, in the order in which they count.
METRICS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "eer": "equal error rate",
    "tar_at_far_1pct": "TAR at FAR 1 %",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "calibration_error": "calibration error",
    "brier_skill": "Brier skill",
}


@dataclass(frozen=True)
class Summary:
    """One run of the scorer; `bad_images` are the reasons, a sentence for each that begins with its name.

    `images_per_second` counts reading and embedding; `pairs_per_second` counts scoring and writing, which follow;
    `pairs_taken_over` were written by an earlier run that was cut off; `wall_seconds` is everything, opening the model
    and the figures too. Figures are of the `labelled_pairs` that have scores, at `threshold`; there are none where all
    have the same label. Calibration error and Brier skill are of the pairs weighted to `prior`.
    """

    artsim_version: str
    model: str
    recipe: str
    run_id: str | None
    provider: str
    provider_note: str | None
    images: int
    images_per_second: float
    pairs: int
    pairs_taken_over: int
    pairs_per_second: float
    unscored_pairs: int
    bad_images: Sequence[str]
    threshold: float
    prior: float
    labelled_pairs: int
    figures: Mapping[str, float]
    auc_interval: tuple[float, float] | None
    wall_seconds: float

    def to_json(self) -> str:
        """Everything, as one indented JSON object."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    def lines(self) -> list[tuple[str, str]]:
        """What a person should see: names and values, a line each."""
        return [
            ("provider", self.provider + (f" ({self.provider_note})" if self.provider_note else "")),
            ("images", f"{self.images:,} ({self.images_per_second:,.1f} images/s)"),
            ("pairs", f"{self.pairs:,} ({self.pairs_per_second:,.0f} pairs/s)"),
            *([("gone on from", f"row {self.pairs_taken_over:,}")] if self.pairs_taken_over else []),
            ("wall time", f"{self.wall_seconds:,.1f} s"),
            *self._bad_lines(),
            *self._metric_lines(),
        ]

    def _bad_lines(self) -> list[tuple[str, str]]:
        if not self.bad_images:
            return [("bad images", "none")]
        named = [("", reason) for reason in self.bad_images[:BAD_IMAGES_NAMED]]
        rest = len(self.bad_images) - len(named)
        return [
            (
                "bad images",
                f"{len(self.bad_images):,} of {self.images:,}; {self.unscored_pairs:,} pairs without scores",
            ),
            *named,
            *([("", f"and {rest:,} more")] if rest else []),
        ]

    def _metric_lines(self) -> list[tuple[str, str]]:
        if not self.labelled_pairs:
            return []
        if not self.figures:
            return [("figures", f"none: all {self.labelled_pairs:,} scored pairs have the same label")]
        lines = [(label, f"{self.figures[name]:.3f}") for name, label in METRICS.items()]
        if self.auc_interval is not None:
            low, high = self.auc_interval
            lines[0] = (lines[0][0], f"{lines[0][1]} (95 % interval {low:.3f} to {high:.3f})")
        return [
            ("labelled pairs", f"{self.labelled_pairs:,}, threshold {self.threshold:g}, prior {self.prior:g}"),
            *lines,
        ]


def aligned(lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The names padded to one width."""
    width = max((len(name) for name, _ in lines), default=0)
    return [(name.ljust(width), value) for name, value in lines]
