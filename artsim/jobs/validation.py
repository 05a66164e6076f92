"""What a tower is judged by: the works held out, their pairs, and the figures of embeddings (V, D) of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.collection.pairs import validation_pairs
from artsim.collection.selection import TRAIN, VAL_SEEN, VAL_UNSEEN, Selection
from artsim.evaluation.calibration import calibrate
from artsim.evaluation.figures import figures
from artsim.evaluation.intervals import auc_interval
from artsim.scoring.contract import Calibration, Card, DistanceName
from artsim.scoring.distance import pair_distances
from artsim.scoring.scores import Criterion


@dataclass(frozen=True)
class Verdict:
    """How a tower's distances are to be read, and the figures (`val_seen_auc`, …) they have then."""

    calibration: Calibration
    threshold: float
    figures: dict[str, float]


class Validation:
    """The validation works of a selection in one order, and its pairs as rows of it."""

    def __init__(self, selection: Selection, distance: DistanceName, threshold: float | None, seed: int) -> None:
        """`threshold`: the recipe's own, or None for the one fitted with the calibration."""
        self.works = pd.concat([selection.part(VAL_SEEN), selection.part(VAL_UNSEEN)], ignore_index=True)
        self.paths: list[Path] = selection.paths(self.works)
        self.pairs = validation_pairs(selection, seed)
        row = pd.Series(np.arange(len(self.works)), index=self.works["filename"])
        self.first: NDArray[np.int64] = row[self.pairs["image1"]].to_numpy()
        self.second: NDArray[np.int64] = row[self.pairs["image2"]].to_numpy()
        self.same: NDArray[np.uint8] = self.pairs["sameArtist"].to_numpy(dtype=np.uint8)
        self.distance: DistanceName = distance
        self.threshold = threshold

    def labels(self, selection: Selection) -> NDArray[np.int64]:
        """(V,) the number of each work's artist among those trained on; -1 for the artists held out."""
        number = {artist: index for index, artist in enumerate(artists_of(selection))}
        return np.array([number.get(artist, -1) for artist in self.works["artist"]], dtype=np.int64)

    def judge(self, embeddings: NDArray[np.float32], *, intervals: bool = False) -> Verdict:
        """Fit the calibration and take the figures.

        The calibration is fitted on unseen artists' pairs where there are any: that is what a tower is asked about.
        """
        distances = self._distances(embeddings)
        parts = self.pairs["split"].to_numpy()
        asked = parts == (VAL_UNSEEN if VAL_UNSEEN in parts else VAL_SEEN)
        calibration, fitted = calibrate(distances[asked], self.same[asked])
        threshold = fitted if self.threshold is None else self.threshold
        found: dict[str, float] = {}
        for part in (VAL_SEEN, VAL_UNSEEN):
            rows = parts == part
            taken = figures(distances[rows], self.same[rows], threshold)
            if taken and intervals:
                paintings = self.first[rows], self.second[rows]
                taken["auc_low"], taken["auc_high"] = auc_interval(distances[rows], self.same[rows], *paintings)
            found.update({f"{part}_{name}": value for name, value in taken.items()})
        return Verdict(calibration, threshold, found)

    def scores(self, embeddings: NDArray[np.float32], card: Card) -> pd.DataFrame:
        """The pairs with what the tower says of each."""
        distances = self._distances(embeddings)
        scale = Criterion.of(card)
        return self.pairs.assign(
            distance=distances,
            probability=scale.probability(distances),
            prediction=scale.prediction(distances),
        )

    def _distances(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        return pair_distances(embeddings, self.first, self.second, self.distance)


def artists_of(selection: Selection) -> list[str]:
    """The artists trained on, in the selection's order; their place is their label."""
    return list(dict.fromkeys(selection.part(TRAIN)["artist"]))
