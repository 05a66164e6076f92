"""What a tower is judged by: the works held out, their pairs, and the figures of embeddings (V, D) of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from artsim.collection.pairs import Pairs, balanced_pairs, rival_pairs, validation_pairs
from artsim.collection.selection import TRAIN, VAL_SEEN, VAL_UNSEEN, Selection
from artsim.collection.styles import styles_of
from artsim.evaluation.calibration import calibrate, crossfitted
from artsim.evaluation.intervals import auc_interval, mean_interval
from artsim.evaluation.metrics import figures
from artsim.evaluation.reliability import reliability
from artsim.evaluation.retrieval import retrieval
from artsim.scoring.contract import Calibration, Card, DistanceName
from artsim.scoring.distance import pair_distances
from artsim.scoring.scores import Criterion, probabilities


@dataclass(frozen=True)
class ValidationResult:
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
        self.artists = self.works["artist"].to_numpy(dtype=object)
        self.searches = {split: _Search.of(self.works, split, seed) for split in (VAL_SEEN, VAL_UNSEEN)}
        self.distance: DistanceName = distance
        self.threshold = threshold

    def labels(self, selection: Selection) -> NDArray[np.int64]:
        """(V,) the number of each work's artist: those trained on come first, those held out after them."""
        number = {artist: index for index, artist in enumerate(artists_of(selection))}
        return np.array([number.setdefault(artist, len(number)) for artist in self.works["artist"]], dtype=np.int64)

    def judge(self, embeddings: NDArray[np.float32], *, intervals: bool = False) -> ValidationResult:
        """Fit the calibration and take the figures.

        The calibration is fitted on unseen artists' pairs where there are any: that is what a tower is asked about.
        How far its probabilities can be trusted is measured on these pairs by cross-fitting, on others as they are.
        """
        distances = self._distances(embeddings)
        splits = self.pairs["split"].to_numpy()
        asked = VAL_UNSEEN if VAL_UNSEEN in splits else VAL_SEEN
        calibration, fitted = calibrate(distances[splits == asked], self.same[splits == asked])
        threshold = fitted if self.threshold is None else self.threshold
        found: dict[str, float] = {}
        for split, search in self.searches.items():
            rows = np.flatnonzero(splits == split)
            if not len(rows):
                continue
            taken = {
                **self._pair_metrics(rows, distances[rows], threshold, intervals),
                **self._reliability(rows, distances[rows], None if split == asked else calibration),
                **search.figures(embeddings, self.distance, intervals),
            }
            found.update({f"{split}_{name}": value for name, value in taken.items()})
        return ValidationResult(calibration, threshold, found)

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

    def _pair_metrics(
        self, rows: NDArray[np.int64], distances: NDArray[np.float32], threshold: float, intervals: bool
    ) -> dict[str, float]:
        same = self.same[rows]
        taken = figures(distances, same, threshold)
        if intervals:
            taken |= _bounds("auc", auc_interval(distances, same, self.first[rows], self.second[rows]))
        return taken

    def _reliability(
        self, rows: NDArray[np.int64], distances: NDArray[np.float32], calibration: Calibration | None
    ) -> dict[str, float]:
        """Of the probabilities by a calibration from other pairs; None: by cross-fitting."""
        same = self.same[rows]
        if calibration is not None:
            return reliability(probabilities(distances, calibration, calibration.prior), same, calibration.prior)
        probability = crossfitted(distances, same, self.artists[self.first[rows]], self.artists[self.second[rows]])
        known = np.isfinite(probability)
        return reliability(probability[known], same[known], Calibration.prior)


@dataclass(frozen=True)
class _Search:
    """The works of one part, each searched for among the others; and the pairs of artists who share a style.

    `rows` (W,) are theirs among all validation works, as are both sides of the pairs; styles are (W, S).
    """

    rows: NDArray[np.int64]
    artists: NDArray[np.object_]
    styles: NDArray[np.bool_]
    rivals: Pairs

    @classmethod
    def of(cls, works: pd.DataFrame, split: str, seed: int) -> _Search:
        rows = np.flatnonzero(works["split"] == split)
        artists, styles = works["artist"].to_numpy(dtype=object)[rows], styles_of(works.iloc[rows])
        first, second, same = rival_pairs(artists, styles, seed)
        return cls(rows, artists, styles, (rows[first], rows[second], same))

    def figures(self, embeddings: NDArray[np.float32], distance: DistanceName, intervals: bool) -> dict[str, float]:
        """Against all works, and as `same_style_…` against the other artists' of the same style, if there are any."""
        taken = self._found(embeddings, None, intervals)
        first, second, same = self.rivals
        apart = pair_distances(embeddings, first, second, distance)
        hard = {name: value for name, value in figures(apart, same, 0.0).items() if name == "auc"}
        if hard and intervals:
            hard |= _bounds("auc", auc_interval(apart, same, first, second))
        hard |= self._found(embeddings, self.styles, intervals)
        return taken | {f"same_style_{name}": value for name, value in hard.items()}

    def _found(
        self, embeddings: NDArray[np.float32], styles: NDArray[np.bool_] | None, intervals: bool
    ) -> dict[str, float]:
        taken: dict[str, float] = {}
        for name, values in retrieval(embeddings[self.rows], self.artists, styles)._asdict().items():
            if len(values):
                taken[name] = float(values.mean())
                taken |= _bounds(name, mean_interval(values)) if intervals else {}
        return taken


def _bounds(name: str, interval: tuple[float, float]) -> dict[str, float]:
    """An interval as two figures; none where it is not known, as a card takes numbers only."""
    return dict(zip((f"{name}_low", f"{name}_high"), interval, strict=True)) if np.isfinite(interval).all() else {}


def calibrate_by_folds(
    folds: Iterable[tuple[NDArray[np.float32], NDArray[np.int64]]], distance: DistanceName, seed: int
) -> tuple[Calibration, float] | None:
    """The calibration and threshold of pairs within folds; None where they give no pairs of both kinds.

    Args:
        folds: embeddings (N, D) of works, and who made them (N,), by towers that had not met these artists.
        distance: of the embeddings.
        seed: of the balanced pairs that are drawn of each fold.
    """
    distances, labels = [], []
    for embeddings, artists in folds:
        first, second, same = balanced_pairs(artists, seed)
        distances.append(pair_distances(embeddings, first, second, distance))
        labels.append(same)
    if not sum(map(len, labels)):
        return None
    return calibrate(np.concatenate(distances), np.concatenate(labels))


def artists_of(selection: Selection) -> list[str]:
    """The artists trained on, in the selection's order; their place is their label."""
    return list(dict.fromkeys(selection.part(TRAIN)["artist"]))
