"""An exported tower in words: its metrics, its difference from its source, the cost of a reduced precision."""

from __future__ import annotations

from collections.abc import Mapping

from artsim.collection.selection import VAL_SEEN, VAL_UNSEEN
from artsim.evaluation.validation import VAL_SHIFTED
from artsim.export.pipeline import Exported
from artsim.export.reduced_precision import QuantizationCost

SPLIT_NAMES = {VAL_SEEN: "artists trained on", VAL_UNSEEN: "artists never seen"}
WITH_TWIN = {**SPLIT_NAMES, VAL_SHIFTED: "their shifted twin"}
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
            lines += [
                f"  {meaning:<20}AUC {auc_text(metrics, split)}   EER {metrics[f'{split}/eer']:.3f}   "
                f"balanced accuracy {metrics[f'{split}/balanced_accuracy']:.3f}",
                f"{'':22}{'   '.join(_further_metrics(metrics, split))}",
            ]
    compared = "In float32, onnxruntime" if exported.cost else "Onnxruntime"
    lines.append(
        f"{compared} differs from TensorFlow on {check.images} images by at most {check.embedding:.2g} in an "
        f"embedding and {check.distance:.2g} in a distance (tolerance {check.tolerance:.2g})."
    )
    if exported.cost:
        lines += _cost_lines(exported.cost, exported.card.precision)
    return "\n".join(lines)


def auc_text(metrics: Mapping[str, float], split: str, name: str = "auc") -> str:
    """An AUC with its interval, or a dash if it is not known; `name` may also be `same_style_auc`."""
    key = f"{split}/{name}"
    if key not in metrics:
        return "–"
    low, high = metrics.get(f"{key}_low"), metrics.get(f"{key}_high")
    return f"{metrics[key]:.3f}" + (f" ({low:.3f} to {high:.3f})" if low is not None and high is not None else "")


def _further_metrics(metrics: Mapping[str, float], split: str) -> list[str]:
    keys = {label: f"{split}/{name}" for label, name in FURTHER_METRICS.items()}
    return [f"{label} {metrics[key]:.3f}" for label, key in keys.items() if key in metrics]


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
