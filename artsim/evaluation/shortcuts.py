"""Shortcuts: cues of the photographs that alone tell the validation pairs apart.

A tower that is trained on such photographs may read the photograph rather than the painting. Its AUC then says too
little about the painting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artsim.collection.selection import VAL_SEEN, VAL_UNSEEN
from artsim.evaluation.intervals import auc_interval
from artsim.evaluation.metrics import pair_metrics
from artsim.evaluation.report.numbers import Estimate
from artsim.evaluation.validation import Validation
from artsim.scoring.distance import pair_distances

SHORTCUT_AUC = 0.55  # a cue is a shortcut if the lower bound of its AUC is above this; a setting
PAINTED = "mean_colour"  # the cue that a painting has by itself
FRAME = "border_colour"  # a painting's own where the photograph shows no frame or wall
EQUAL_COLOURS = 4.0  # of 255: colours that are nearer count as equal, as compression alone moves them so far; a setting
COLOUR_CHANNELS = 3
CUE_NAMES = {
    "width": "width",
    "height": "height",
    "jpeg_quality": "JPEG quality",
    "border_colour": "border colour",
    "mean_colour": "mean colour",
}


@dataclass(frozen=True)
class CueAuc:
    """The AUC that the distance by one cue reaches on some pairs, with the bounds of its interval."""

    auc: float
    low: float
    high: float

    def __str__(self) -> str:
        if not np.isfinite(self.low):
            return Estimate(self.auc).text
        estimate = Estimate(self.auc, self.low, self.high)
        return f"{estimate.text} ({estimate.interval})"


CueAucs = Mapping[str, CueAuc]  # by the name of the cue


def cue_aucs(
    cues: Mapping[str, NDArray[np.float32]],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    same: NDArray[np.uint8],
) -> CueAucs:
    """The AUC of each cue; empty if all pairs are of one kind. A cue that is the same everywhere has exactly 0.5.

    Args:
        cues: float32 (W, D) of W works, by name.
        first: (N,) row of each pair's first work.
        second: (N,) row of the second work.
        same: (N,) 1 for the same artist.
    """
    if len(np.unique(same)) < 2:
        return {}
    distances = {name: _distances(values, first, second) for name, values in cues.items()}
    return {
        name: CueAuc(pair_metrics(distance, same, 0.0)["auc"], *auc_interval(distance, same, first, second))
        for name, distance in distances.items()
    }


def _distances(cue: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float32]:
    distance = pair_distances(cue, first, second, "euclidean")
    if cue.shape[1] == COLOUR_CHANNELS:
        distance[distance < EQUAL_COLOURS] = 0.0
    return distance


def validation_cue_aucs(cues: Mapping[str, NDArray[np.float32]], validation: Validation) -> dict[str, CueAucs]:
    """The AUCs of the cues of the validation works, for each split that has pairs."""
    splits = validation.pairs["split"].to_numpy()
    found: dict[str, CueAucs] = {}
    for split in (VAL_SEEN, VAL_UNSEEN):
        rows = np.flatnonzero(splits == split)
        if len(rows):
            found[split] = cue_aucs(cues, validation.first[rows], validation.second[rows], validation.same[rows])
    return found


def shortcut_metrics(found: Mapping[str, CueAucs]) -> dict[str, float]:
    """The AUCs as metrics of a run, by keys such as `val_seen/shortcut_width_auc`."""
    return {f"{split}/shortcut_{name}_auc": each.auc for split, aucs in found.items() for name, each in aucs.items()}


def shortcuts_among(aucs: CueAucs) -> list[str]:
    """The cues that are shortcuts.

    Mean colour is none, as it is the painting's too. Border colour is one only where it tells more than mean colour
    does: on photographs without a frame or a wall, the border shows the painting.
    """
    return [name for name, each in aucs.items() if name != PAINTED and each.low > _bar(name, aucs)]


def _bar(name: str, aucs: CueAucs) -> float:
    return max(SHORTCUT_AUC, aucs[PAINTED].auc) if name == FRAME and PAINTED in aucs else SHORTCUT_AUC


def shortcut_warning(found: Mapping[str, CueAucs]) -> str:
    """One text that names the shortcuts of all splits and says what to do; empty without any."""
    named = [part for split, aucs in found.items() for part in _named(split, aucs, shortcuts_among(aucs))]
    if not named:
        return ""
    return (
        "Warning: the tower may read the photographs rather than the paintings. Same-artist pairs can be told by "
        f"{'; '.join(named)}. 0.5 is chance. Take the works of each artist from several sources. Name each work's "
        "source (museum, photographer) in a column `group`, so that no source is on both sides of the split."
    )


def _named(split: str, aucs: CueAucs, names: Iterable[str]) -> list[str]:
    return [f"{CUE_NAMES[name]} alone on {split} (AUC {aucs[name]})" for name in names]


def shortcut_table(found: Mapping[str, CueAucs], meanings: Mapping[str, str]) -> Sequence[str]:
    """Lines of a Markdown table, a row for each split by its meaning; none without pairs."""
    cells = {meanings[split]: [str(aucs[name]) for name in CUE_NAMES] for split, aucs in found.items() if aucs}
    rows = [f"| {' | '.join([meaning, *texts])} |" for meaning, texts in cells.items()]
    if not rows:
        return []
    return [f"| AUC of one cue alone | {' | '.join(CUE_NAMES.values())} |", "|---" * (len(CUE_NAMES) + 1) + "|", *rows]
