"""An exported tower in words: its metrics, its difference from its source, the cost of a reduced precision."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from artsim.collection.selection import VAL_SEEN, VAL_UNSEEN
from artsim.evaluation.report.numbers import Estimate, metric_text, says_something, too_few_text
from artsim.evaluation.validation import VAL_SHIFTED, Validation
from artsim.export.pipeline import Exported
from artsim.export.reduced_precision import QuantizationCost

SPLIT_NAMES = {VAL_SEEN: "artists trained on", VAL_UNSEEN: "artists never seen"}
WITH_TWIN = {**SPLIT_NAMES, VAL_SHIFTED: "their shifted twin"}
FIRST_METRICS = {"EER": "eer", "balanced accuracy": "balanced_accuracy"}
FURTHER_METRICS = {
    "precision@1": "precision_at_1",
    "MAP@R": "map_at_r",
    "AUC within a style": "same_style_auc",
    "calibration error": "calibration_error",
    "Cllr": "cllr",
    "least Cllr": "cllr_min",
    "predicted as same": "predicted_same",
}


def describe(exported: Exported) -> str:
    """The report that `artsim train` and `artsim export` print."""
    metrics, check = exported.card.validation, exported.check
    tower = "The same tower before the refit on all works" if exported.card.refit else "The exported tower"
    lines = [f"{tower}, on works it was not trained on (threshold {exported.card.threshold:.4g}):"]
    for split, meaning in WITH_TWIN.items():
        if f"{split}/auc" in metrics:
            texts = metric_texts(metrics, split, *kinds_of_pairs(exported.validation, split))
            lines += [f"  {meaning:<20}{texts[0]}", *(f"{'':22}{text}" for text in texts[1:])]
    compared = "In float32, onnxruntime" if exported.cost else "Onnxruntime"
    lines.append(
        f"{compared} differs from TensorFlow on {check.images} images by at most {check.embedding:.2g} in an "
        f"embedding and {check.distance:.2g} in a distance (tolerance {check.tolerance:.2g})."
    )
    if exported.cost:
        lines += _cost_lines(exported.cost, exported.card.precision)
    return "\n".join(lines)


def kinds_of_pairs(validation: Validation, split: str) -> tuple[int, int]:
    """The numbers of a split's validation pairs by one artist and by two; the shifted twin has those of its works."""
    own = validation.pairs["split"] == (validation.unknown_split if split == VAL_SHIFTED else split)
    same = validation.same[own.to_numpy()]
    return int(np.count_nonzero(same)), int(np.count_nonzero(same == 0))


def metric_texts(metrics: Mapping[str, float], split: str, same: int, different: int) -> list[str]:
    """The metrics of a split in two lines, with the digits that their intervals allow; one line if there is too little.

    `same` and `different` are the numbers of its pairs.
    """
    auc = Estimate.of(metrics, f"{split}/auc")
    if auc is None or not says_something(same, different, auc):
        return [too_few_text(same, different, auc)]
    first, further = (
        [f"{label} {text}" for label, text in texts.items() if text]
        for texts in (
            {label: metric_text(metrics, f"{split}/{name}", auc.digits) for label, name in names.items()}
            for names in (FIRST_METRICS, FURTHER_METRICS)
        )
    )
    return ["   ".join([f"AUC {auc_text(metrics, split)}", *first]), "   ".join(further)]


def auc_text(metrics: Mapping[str, float], split: str, name: str = "auc") -> str:
    """An AUC with its interval, or a dash if it is not known; `name` may also be `same_style_auc`."""
    auc = Estimate.of(metrics, f"{split}/{name}")
    return "–" if auc is None else auc.with_interval


def _cost_lines(cost: QuantizationCost, precision: str) -> list[str]:
    (slow, fast), (large, small) = cost.images_per_second, cost.bytes
    return [
        f"{precision} compared with fp32, from the same checkpoint:",
        *(
            f"  {SPLIT_NAMES[split]:<20}AUC {before:.4f} -> {after:.4f} (loss {round(before - after, 4) + 0.0:.4f})"
            for split, (before, after) in cost.auc.items()
        ),
        f"  {'images/s, this CPU':<20}{slow:.0f} -> {fast:.0f} ({fast / slow:.2f} x)",
        f"  {'size':<20}{large / 1e6:.1f} -> {small / 1e6:.1f} MB",
        f"  {'embeddings':<20}differ by at most {cost.embedding:.2g} in a value",
    ]
