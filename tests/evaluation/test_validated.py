"""What is said of a tower's validation queries."""

from __future__ import annotations

from artsim.evaluation.validated import validation_note

UNSEEN = {
    "val_unseen/precision_at_1": 0.912, "val_unseen/precision_at_1_low": 0.841, "val_unseen/precision_at_1_high": 0.948,
}  # fmt: skip
SEEN = {"val_seen/precision_at_1": 0.763, "val_seen/precision_at_1_low": 0.4, "val_seen/precision_at_1_high": 0.95}


def test_both_kinds_of_queries_are_told_with_their_intervals() -> None:
    note = validation_note(UNSEEN | SEEN)
    assert "91 % (84 to 95 %) by artists never seen in training; too few to judge by the artists trained on." in note


def test_a_card_without_them_says_nothing() -> None:
    assert validation_note({"val_seen/auc": 0.8}) == ""


def test_a_wide_interval_gives_tens_of_percent() -> None:
    wide = {key: value for key, value in SEEN.items() if not key.endswith("_low")}
    note = validation_note(wide | {"val_seen/precision_at_1_low": 0.52})
    assert "80 % (52 to 95 %) by the artists trained on" in note
