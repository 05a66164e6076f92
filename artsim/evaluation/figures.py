"""How well distances tell same-artist pairs from the others.

Distances are float32 (N,), smaller for the same artist; labels are 1 for the same artist, 0 for different.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score, roc_curve

FALSE_ACCEPT_RATE = 0.01


def figures(distance: NDArray[np.float32], same: NDArray[np.uint8], threshold: float) -> dict[str, float]:
    """Figures of DESIGN's names over (N,) pairs; none, where only one kind of pair is there to be told apart.

    `eer` is the error rate where both kinds of error are as frequent, between the two points of the ROC curve
    that enclose it; `tar_at_far_1pct` the share of same-artist pairs accepted where at most 1 % of the different
    ones are. Only `balanced_accuracy` and `accuracy` depend on the threshold.
    """
    same = np.asarray(same, dtype=np.uint8)
    if len(same) == 0 or same.min() == same.max():
        return {}
    closeness = -distance
    far, tar, _ = roc_curve(same, closeness)
    predicted = (distance < threshold).astype(np.uint8)
    return {
        "auc": float(roc_auc_score(same, closeness)),
        "average_precision": float(average_precision_score(same, closeness)),
        "eer": _equal_error_rate(far, tar),
        "tar_at_far_1pct": float(tar[far <= FALSE_ACCEPT_RATE].max()),
        "balanced_accuracy": float(balanced_accuracy_score(same, predicted)),
        "accuracy": float(np.mean(predicted == same)),
    }


def _equal_error_rate(far: NDArray[np.float64], tar: NDArray[np.float64]) -> float:
    """The rate where false accepts equal false rejects, on the line between two points of the curve."""
    gap = far - (1 - tar)  # rises from -1 to 1
    after = int(np.argmax(gap >= 0))
    before = max(after - 1, 0)
    rise = gap[after] - gap[before]
    share = -gap[before] / rise if rise > 0 else 0.0
    return float(far[before] + share * (far[after] - far[before]))
