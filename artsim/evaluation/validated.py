"""How often a tower's validation queries were answered right, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from artsim.evaluation.report.numbers import TOO_FEW, Estimate, share_text

# The artists of the queries, by the split of their works.
QUERIES = {"val_unseen": "by artists never seen in training", "val_seen": "by the artists trained on"}


def validation_note(metrics: Mapping[str, float]) -> str:
    """How often the nearest work was by the right artist, by the metrics of a card; "" if they do not say."""
    found = {split: Estimate.of(metrics, f"{split}/precision_at_1") for split in QUERIES}
    parts = [
        f"{share_text(estimate) if estimate.is_useful else TOO_FEW} {QUERIES[split]}"
        for split, estimate in found.items()
        if estimate is not None
    ]
    if not parts:
        return ""
    return (
        f"In the tower's validation, the nearest work was by the right artist for this share of the queries: "
        f"{'; '.join(parts)}. The share is smaller if a gallery has more artists."
    )
