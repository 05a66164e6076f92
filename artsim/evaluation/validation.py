"""The validation of a tower: its validation works, their pairs, and the metrics of their embeddings (V, D)."""

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
from artsim.evaluation.metrics import pair_metrics
from artsim.evaluation.reliability import reliability
from artsim.evaluation.retrieval import retrieval_metrics
from artsim.scoring.contract import Calibration, Card, DecisionRule, DistanceName
from artsim.scoring.distance import pair_distances
from artsim.scoring.scores import Criterion, probabilities


@dataclass(frozen=True)
class ValidationResult:
    """The decision rule fitted on the validation pairs, and the metrics by key, such as `val_seen/auc`."""

    rule: DecisionRule
    metrics: dict[str, float]


class Validation:
    """The validation works of a selection in a fixed order, and their pairs as row numbers."""

    def __init__(self, selection: Selection, distance: DistanceName, threshold: float | None, seed: int) -> None:
        """`threshold` is the recipe's own; None: the one fitted with the calibration."""
        self.works = pd.concat([selection.part(VAL_SEEN), selection.part(VAL_UNSEEN)], ignore_index=True)
        self.paths: list[Path] = selection.paths(self.works)
        self.pairs = validation_pairs(selection, seed)
        row = pd.Series(np.arange(len(self.works)), index=self.works["filename"])
        self.first: NDArray[np.int64] = row[self.pairs["image1"]].to_numpy()
        self.second: NDArray[np.int64] = row[self.pairs["image2"]].to_numpy()
        self.same: NDArray[np.uint8] = self.pairs["sameArtist"].to_numpy(dtype=np.uint8)
        self.artists = self.works["artist"].to_numpy(dtype=object)
        self.retrieval_sets = {split: _RetrievalSet.of(self.works, split, seed) for split in (VAL_SEEN, VAL_UNSEEN)}
        self.distance: DistanceName = distance
        self.threshold = threshold

    def evaluate(self, embeddings: NDArray[np.float32], *, intervals: bool = False) -> ValidationResult:
        """Fit the decision rule and compute the metrics.

        The calibration is fitted on pairs of unseen artists where there are any, as new works are mostly by such
        artists. The reliability of its probabilities is measured on the same pairs by cross-fitting, and on other
        pairs directly.
        """
        distances = self._distances(embeddings)
        splits = self.pairs["split"].to_numpy()
        fitted_on = VAL_UNSEEN if VAL_UNSEEN in splits else VAL_SEEN
        rule = calibrate(distances[splits == fitted_on], self.same[splits == fitted_on])
        if self.threshold is not None:
            rule = DecisionRule(rule.calibration, self.threshold)
        metrics: dict[str, float] = {}
        for split, retrieval_set in self.retrieval_sets.items():
            rows = np.flatnonzero(splits == split)
            if not len(rows):
                continue
            of_split = {
                **self._pair_metrics(rows, distances[rows], rule.threshold, intervals),
                **self._reliability(rows, distances[rows], None if split == fitted_on else rule.calibration),
                **retrieval_set.metrics(embeddings, self.distance, intervals),
            }
            metrics.update({f"{split}/{name}": value for name, value in of_split.items()})
        return ValidationResult(rule, metrics)

    def scores(self, embeddings: NDArray[np.float32], card: Card) -> pd.DataFrame:
        """The pairs with the tower's scores."""
        distances = self._distances(embeddings)
        criterion = Criterion.of(card)
        return self.pairs.assign(
            distance=distances,
            probability=criterion.probability(distances),
            prediction=criterion.prediction(distances),
        )

    def _distances(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        return pair_distances(embeddings, self.first, self.second, self.distance)

    def _pair_metrics(
        self, rows: NDArray[np.int64], distances: NDArray[np.float32], threshold: float, intervals: bool
    ) -> dict[str, float]:
        same = self.same[rows]
        metrics = pair_metrics(distances, same, threshold)
        if intervals:
            metrics |= _bounds("auc", auc_interval(distances, same, self.first[rows], self.second[rows]))
        return metrics

    def _reliability(
        self, rows: NDArray[np.int64], distances: NDArray[np.float32], calibration: Calibration | None
    ) -> dict[str, float]:
        """The reliability of a calibration fitted on other pairs; None: by cross-fitting on these pairs."""
        same = self.same[rows]
        if calibration is not None:
            return reliability(probabilities(distances, calibration, calibration.prior), same, calibration.prior)
        probability = crossfitted(distances, same, self.artists[self.first[rows]], self.artists[self.second[rows]])
        known = np.isfinite(probability)
        return reliability(probability[known], same[known], Calibration.prior)


@dataclass(frozen=True)
class _RetrievalSet:
    """The works of one split, each a query among the others, and the pairs within a style.

    `rows` (W,) are their row numbers among all validation works, as are both sides of the pairs; styles are (W, S).
    """

    rows: NDArray[np.int64]
    artists: NDArray[np.object_]
    styles: NDArray[np.bool_]
    style_pairs: Pairs

    @classmethod
    def of(cls, works: pd.DataFrame, split: str, seed: int) -> _RetrievalSet:
        rows = np.flatnonzero(works["split"] == split)
        artists, styles = works["artist"].to_numpy(dtype=object)[rows], styles_of(works.iloc[rows])
        first, second, same = rival_pairs(artists, styles, seed)
        return cls(rows, artists, styles, (rows[first], rows[second], same))

    def metrics(self, embeddings: NDArray[np.float32], distance: DistanceName, intervals: bool) -> dict[str, float]:
        """Retrieval among all works, and `same_style_…` metrics against other artists' works of the same style."""
        metrics = self._retrieval(embeddings, None, intervals)
        first, second, same = self.style_pairs
        distances = pair_distances(embeddings, first, second, distance)
        same_style = {name: value for name, value in pair_metrics(distances, same, 0.0).items() if name == "auc"}
        if same_style and intervals:
            same_style |= _bounds("auc", auc_interval(distances, same, first, second))
        same_style |= self._retrieval(embeddings, self.styles, intervals)
        return metrics | {f"same_style_{name}": value for name, value in same_style.items()}

    def _retrieval(
        self, embeddings: NDArray[np.float32], styles: NDArray[np.bool_] | None, intervals: bool
    ) -> dict[str, float]:
        metrics: dict[str, float] = {}
        for name, values in retrieval_metrics(embeddings[self.rows], self.artists, styles)._asdict().items():
            if len(values):
                metrics[name] = float(values.mean())
                metrics |= _bounds(name, mean_interval(values)) if intervals else {}
        return metrics


def _bounds(name: str, interval: tuple[float, float]) -> dict[str, float]:
    """The bounds of an interval as two metrics; empty if they are NaN, as a card holds finite numbers only."""
    return dict(zip((f"{name}_low", f"{name}_high"), interval, strict=True)) if np.isfinite(interval).all() else {}


def calibrate_by_folds(
    folds: Iterable[tuple[NDArray[np.float32], NDArray[np.int64]]], distance: DistanceName, seed: int
) -> DecisionRule | None:
    """The decision rule of the pairs within folds; None if they do not give pairs of both kinds.

    Args:
        folds: embeddings (N, D) of works and their artists (N,), by towers trained without these artists.
        distance: of the embeddings.
        seed: of the balanced pairs drawn in each fold.
    """
    distances, labels = [], []
    for embeddings, artists in folds:
        first, second, same = balanced_pairs(artists, seed)
        distances.append(pair_distances(embeddings, first, second, distance))
        labels.append(same)
    if not sum(map(len, labels)):
        return None
    return calibrate(np.concatenate(distances), np.concatenate(labels))


def artist_numbers(selection: Selection, works: pd.DataFrame) -> NDArray[np.int64]:
    """The number (W,) of each work's artist; the artists trained on come first, in the selection's order."""
    artists = pd.concat([selection.part(split) for split in (TRAIN, VAL_SEEN, VAL_UNSEEN)])["artist"].unique()
    number = {artist: index for index, artist in enumerate(artists)}
    return np.array([number[artist] for artist in works["artist"]], dtype=np.int64)
