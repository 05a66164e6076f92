"""The report of a training run: the validation pairs of the exported tower, for seen, unseen and shifted works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.collection.selection import VAL_SEEN, VAL_UNSEEN
from artsim.evaluation.report.choice import choose
from artsim.evaluation.report.contents import Report
from artsim.evaluation.report.headline import Headline, headline_of_metrics
from artsim.evaluation.report.limits import limits_of
from artsim.evaluation.report.map import map_note, map_of
from artsim.evaluation.report.paintings import Paintings
from artsim.evaluation.report.pictures import NO_PICTURES, make_sheet
from artsim.evaluation.validation import VAL_SHIFTED, Validation
from artsim.messages import Progress, no_progress
from artsim.scoring.contract import Card
from artsim.scoring.scores import Criterion
from artsim.tables.scores_file import ScoredPairs

# The sets of validation pairs, those that say most first.
SETS = {
    VAL_UNSEEN: "Artists never seen in training",
    VAL_SEEN: "New works by the artists trained on",
    VAL_SHIFTED: "Validation works as other photographs would show them",
}


@dataclass(frozen=True)
class TrainedTower:
    """An exported tower: its card, its embeddings (V, D) of the validation works, and their factors (V,)."""

    card: Card
    sha256: str
    embeddings: NDArray[np.float32]
    factors: NDArray[np.float32] | None


def training_report(
    validation: Validation, tower: TrainedTower, command: str = "", progress: Progress = no_progress
) -> Report:
    """What the page about a training run shows; its metrics are those of the card.

    Args:
        validation: the works, and their pairs.
        tower: the exported tower.
        command: that started the run; "" is left out.
        progress: receives the stage `pictures`.
    """
    card, criterion = tower.card, Criterion.of(tower.card)
    scores = validation.scores(tower.embeddings, card, tower.factors)
    pairs = _pairs_of(validation, scores)
    paintings = Paintings.of(pairs.names, validation.works)
    choice = choose(pairs, paintings, criterion.threshold)
    rows = choice.pictures
    places = map_of(tower.embeddings[rows], np.ones(len(rows), np.bool_))
    rule = card.photographs
    unfamiliar = None if rule is None or card.refit else rule.are_unfamiliar(tower.embeddings[rows])
    sheet = make_sheet([pairs.paths[row] for row in rows.tolist()], lambda *at: progress("pictures", *at))
    splits = scores["split"].to_numpy()
    return Report(
        title=f"Training run of {card.recipe}",
        headlines=_headlines(validation, card.validation),
        sets=_sets(splits, pairs.same),
        pairs=pairs,
        paintings=paintings,
        criterion=criterion,
        choice=choice,
        sheet=sheet,
        map=places,
        map_note=map_note(places, len(pairs.names)),
        unfamiliar=unfamiliar,
        origin=_origin(tower, command),
        limits=limits_of(pairs, paintings, criterion, unfamiliar, is_prior_known=True),
    )


def without_pictures(report: Report) -> Report:
    """The same report without a picture of any painting. It keeps the names."""
    sheet = replace(NO_PICTURES, boxes=[None] * len(report.sheet.boxes))
    return replace(report, sheet=sheet, map=None, map_note="This copy of the report has no pictures, so it has no map.")


def _pairs_of(validation: Validation, scores: pd.DataFrame) -> ScoredPairs:
    return ScoredPairs(
        names=list(validation.works["filename"]),
        paths=[str(path) for path in validation.paths],
        first=validation.first,
        second=validation.second,
        distance=scores["distance"].to_numpy(dtype=np.float32),
        probability=scores["probability"].to_numpy(dtype=np.float32),
        prediction=scores["prediction"].to_numpy(dtype=np.uint8),
        same=validation.same,
        same_work=np.zeros(len(scores), np.bool_),
    )


def _headlines(validation: Validation, metrics: Mapping[str, float]) -> list[Headline]:
    splits = validation.pairs["split"].to_numpy()
    found = []
    for split, label in SETS.items():
        if f"{split}/auc" in metrics:
            own = validation.same[splits == (validation.unknown_split if split == VAL_SHIFTED else split)]
            found.append(headline_of_metrics(label, metrics, split, int(own.sum()), len(own)))
    return found


def _sets(splits: NDArray[np.object_], same: NDArray[np.uint8]) -> Sequence[tuple[str, NDArray[np.int64]]]:
    """The rows of each split whose pairs are of both kinds."""
    rows = {label: np.flatnonzero(splits == split) for split, label in SETS.items()}
    return [(label, own) for label, own in rows.items() if len(np.unique(same[own])) == 2]


def _origin(tower: TrainedTower, command: str) -> list[tuple[str, str]]:
    card = tower.card
    kind = "The metrics are those before the refit on all works." if card.refit else "The metrics are of this tower."
    found = [
        ("Tower", f"recipe {card.recipe}, {card.precision}, {card.image_size} px. {kind}"),
        ("SHA-256 of the tower", tower.sha256),
        ("MLflow run", card.run_id or "none"),
        ("SHA-256 of the selection", card.selection_sha256),
        ("Cohort", "none: a score depends on its two pictures only"),
        ("Threshold", f"{card.threshold:.3g}"),
        ("Calibration", "fitted on pairs of artists that the tower did not see. The diagram shows those pairs"),
        ("Report by", f"artsim {card.artsim_version}"),
    ]
    return [*found, *([("Command", command)] if command else [])]
