"""The metrics of an exported tower in words."""

from __future__ import annotations

from artsim.export.report import auc_text, metric_texts

METRICS = {
    "val_seen/auc": 0.8583, "val_seen/auc_low": 0.7901, "val_seen/auc_high": 0.9046, "val_seen/eer": 0.2371,
    "val_seen/balanced_accuracy": 0.7712, "val_seen/precision_at_1": 0.6124, "val_seen/precision_at_1_low": 0.4,
    "val_seen/precision_at_1_high": 0.8, "val_seen/cllr": 0.71234,
}  # fmt: skip


def test_each_metric_has_the_digits_that_its_interval_allows() -> None:
    assert metric_texts(METRICS, "val_seen", 100, 100) == [
        "AUC 0.86 (0.79 to 0.90)   EER 0.24   balanced accuracy 0.77",
        "precision@1 0.6   Cllr 0.71",
    ]


def test_too_few_pairs_of_one_kind_say_so_instead() -> None:
    (line,) = metric_texts(METRICS, "val_seen", 3, 100)
    assert line == "too few to judge: 3 pairs by one artist, 100 by two; 95 % interval of the AUC 0.79 to 0.90"


def test_an_auc_that_is_not_known_is_a_dash() -> None:
    assert auc_text(METRICS, "val_seen", "same_style_auc") == "–"
