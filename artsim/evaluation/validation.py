"""The validation of a tower: its validation works, their pairs, and the metrics of their embeddings (V, D)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from artsim.collection.pairs import (
    Pairs,
    balanced_pairs_within,
    rival_pairs,
    some_of_each,
    validation_pairs,
)
from artsim.collection.selection import TRAIN, VAL_SEEN, VAL_UNSEEN, Selection
from artsim.collection.styles import styles_of
from artsim.evaluation.calibration import calibrate, crossfitted
from artsim.evaluation.intervals import auc_interval, mean_interval
from artsim.evaluation.likelihood_ratio import cllr, log_likelihood_ratio
from artsim.evaluation.metrics import pair_metrics
from artsim.evaluation.reliability import reliability
from artsim.evaluation.retrieval import RETRIEVAL_METRICS, retrieval_metrics
from artsim.scoring.contract import Calibration, Card, DecisionRule, DistanceName
from artsim.scoring.distance import pair_distances
from artsim.scoring.familiarity import MOST_OTHERS, EmbeddedFold, TrainingEmbeddings
from artsim.scoring.scores import Criterion
from artsim.shifted_views import PHOTOGRAPHERS, photographers_of

WORKS_PER_PHOTOGRAPHER = 6  # at least, by unseen artists; fewer give no pairs by one photographer. A setting
VAL_SHIFTED = "val_shifted"  # no split of a selection: shifted views of works by unseen artists


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
        # Intervals resample unseen artists, as a new collection has other artists. Seen artists are given.
        numbers = np.unique(self.artists.astype(str), return_inverse=True)[1]
        self.resampled: dict[str, NDArray[np.int64] | None] = {VAL_SEEN: None, VAL_UNSEEN: numbers}
        self.retrieval_sets = {
            split: _RetrievalSet.of(self.works, split, artists, seed) for split, artists in self.resampled.items()
        }
        self.distance: DistanceName = distance
        self.threshold = threshold
        # Works of artists that the tower does not know, where they give pairs: they decide the rules.
        self.unknown_split = VAL_UNSEEN if VAL_UNSEEN in self.pairs["split"].to_numpy() else VAL_SEEN
        self.unknown: NDArray[np.int64] = np.flatnonzero(self.works["split"] == self.unknown_split)
        number = min(PHOTOGRAPHERS, max(1, len(self.unknown) // WORKS_PER_PHOTOGRAPHER))
        self.photographers = photographers_of(np.zeros(len(self.works), dtype=np.int64), number)

    def fold(
        self, embeddings: NDArray[np.float32], views: NDArray[np.float32], training: TrainingEmbeddings
    ) -> EmbeddedFold:
        """The works by unseen artists as a fold, from embeddings and shifted views (V, D) of all works."""
        rows = self.unknown
        artists = np.unique(self.artists.astype(str), return_inverse=True)[1]
        known = np.setdiff1d(np.arange(len(artists)), rows)
        others = known[some_of_each(artists[known], MOST_OTHERS, seed=0)]
        works, photographers = embeddings[rows], self.photographers[rows]
        return EmbeddedFold.of(
            artists[rows], works, photographers, views[rows], training, embeddings[others], artists[others]
        )

    def evaluate_shifted(
        self, views: NDArray[np.float32], factors: NDArray[np.float32] | None, rule: DecisionRule, seed: int
    ) -> dict[str, float]:
        """The metrics `val_shifted/…` of the shifted twin: pairs by unseen artists, each as one photographer shows it.

        They are empty if no photographer shows two works by one artist.

        Args:
            views: (V, D) of one shifted view of each work.
            factors: (V,) of the views' distances; None: 1.
            rule: of these distances.
            seed: of the balanced pairs.
        """
        first, second, same = self._pairs_by_photographer(seed)
        if not len(same):
            return {}
        distances = pair_distances(views, first, second, self.distance, factors)
        log_ratio = log_likelihood_ratio(distances, rule.calibration)
        metrics = {
            **pair_metrics(distances, same, rule.threshold),
            **_bounds("auc", auc_interval(distances, same, first, second, self.resampled[self.unknown_split])),
            **reliability(expit(log_ratio).astype(np.float32), same, Calibration.prior),
            **cllr([(log_ratio, same)]),
            "predicted_same": float(np.mean(distances < rule.threshold)),
        }
        return {f"{VAL_SHIFTED}/{name}": value for name, value in metrics.items()}

    def _pairs_by_photographer(self, seed: int) -> Pairs:
        photographers, artists = self.photographers[self.unknown], self.artists[self.unknown]
        first, second, same = balanced_pairs_within(photographers, artists, seed)
        return self.unknown[first], self.unknown[second], same

    def evaluate(
        self, embeddings: NDArray[np.float32], factors: NDArray[np.float32] | None = None, *, intervals: bool = False
    ) -> ValidationResult:
        """Fit the decision rule and compute the metrics, of distances with factors (V,); None: 1.

        The calibration is fitted on pairs of unseen artists where there are any, as new works are mostly by such
        artists. The reliability of its probabilities is measured on the same pairs by cross-fitting, and on other
        pairs directly.
        """
        distances = self._distances(embeddings, factors)
        splits = self.pairs["split"].to_numpy()
        fitted_on = self.unknown_split
        rule = calibrate(distances[splits == fitted_on], self.same[splits == fitted_on])
        if self.threshold is not None:
            rule = DecisionRule(rule.calibration, self.threshold)
        metrics: dict[str, float] = {}
        for split, retrieval_set in self.retrieval_sets.items():
            rows = np.flatnonzero(splits == split)
            if not len(rows):
                continue
            of_split = {
                **pair_metrics(distances[rows], self.same[rows], rule.threshold),
                **(self._interval(rows, distances[rows], self.resampled[split]) if intervals else {}),
                **self._reliability(rows, distances[rows], None if split == fitted_on else rule.calibration),
                **retrieval_set.metrics(embeddings, factors, self.distance, intervals),
            }
            metrics.update({f"{split}/{name}": value for name, value in of_split.items()})
        return ValidationResult(rule, metrics)

    def scores(
        self, embeddings: NDArray[np.float32], card: Card, factors: NDArray[np.float32] | None = None
    ) -> pd.DataFrame:
        """The pairs with the tower's scores, from distances with factors (V,)."""
        distances = self._distances(embeddings, factors)
        criterion = Criterion.of(card)
        return self.pairs.assign(
            distance=distances,
            probability=criterion.probability(distances),
            prediction=criterion.prediction(distances),
        )

    def shifted_scores(
        self, views: NDArray[np.float32], card: Card, factors: NDArray[np.float32] | None, seed: int
    ) -> pd.DataFrame:
        """The pairs of the shifted twin with the tower's scores; arguments as in `evaluate_shifted`."""
        first, second, same = self._pairs_by_photographer(seed)
        names, criterion = self.works["filename"].to_numpy(), Criterion.of(card)
        distances = pair_distances(views, first, second, self.distance, factors)
        table = {"image1": names[first], "image2": names[second], "sameArtist": same, "split": VAL_SHIFTED}
        scores = {"probability": criterion.probability(distances), "prediction": criterion.prediction(distances)}
        return pd.DataFrame({**table, "distance": distances, **scores})

    def _distances(self, embeddings: NDArray[np.float32], factors: NDArray[np.float32] | None) -> NDArray[np.float32]:
        return pair_distances(embeddings, self.first, self.second, self.distance, factors)

    def _interval(
        self, rows: NDArray[np.int64], distances: NDArray[np.float32], artists: NDArray[np.int64] | None
    ) -> dict[str, float]:
        return _bounds("auc", auc_interval(distances, self.same[rows], self.first[rows], self.second[rows], artists))

    def _reliability(
        self, rows: NDArray[np.int64], distances: NDArray[np.float32], calibration: Calibration | None
    ) -> dict[str, float]:
        """The reliability and Cllr of a calibration fitted on other pairs; None: by cross-fitting on these pairs."""
        if calibration is None:
            artist1, artist2 = self.artists[self.first[rows]], self.artists[self.second[rows]]
            log_ratio = crossfitted(distances, self.same[rows], artist1, artist2)
        else:
            log_ratio = log_likelihood_ratio(distances, calibration)
        known = np.isfinite(log_ratio)
        log_ratio, same = log_ratio[known], self.same[rows][known]
        # At the prior one half, the log-odds are the logarithm of the likelihood ratio.
        return reliability(expit(log_ratio).astype(np.float32), same, Calibration.prior) | cllr([(log_ratio, same)])


@dataclass(frozen=True)
class _RetrievalSet:
    """The works of one split, each a query among the others, and the pairs within a style.

    `rows` (W,) are their row numbers among all validation works, as are both sides of the pairs; styles are (W, S).
    Intervals resample `resampled`, the numbers of the artists of all validation works, or only works if it is None.
    """

    rows: NDArray[np.int64]
    artists: NDArray[np.object_]
    styles: NDArray[np.bool_]
    style_pairs: Pairs
    resampled: NDArray[np.int64] | None

    @classmethod
    def of(cls, works: pd.DataFrame, split: str, resampled: NDArray[np.int64] | None, seed: int) -> _RetrievalSet:
        rows = np.flatnonzero(works["split"] == split)
        artists, styles = works["artist"].to_numpy(dtype=object)[rows], styles_of(works.iloc[rows])
        first, second, same = rival_pairs(artists, styles, seed)
        return cls(rows, artists, styles, (rows[first], rows[second], same), resampled)

    def metrics(
        self,
        embeddings: NDArray[np.float32],
        factors: NDArray[np.float32] | None,
        distance: DistanceName,
        intervals: bool,
    ) -> dict[str, float]:
        """Retrieval among all works, and `same_style_…` metrics against other artists' works of the same style.

        Retrieval compares embeddings as they are; the distances of pairs have factors.
        """
        metrics = self._retrieval(embeddings, None, intervals)
        first, second, same = self.style_pairs
        distances = pair_distances(embeddings, first, second, distance, factors)
        same_style = {name: value for name, value in pair_metrics(distances, same, 0.0).items() if name == "auc"}
        if same_style and intervals:
            same_style |= _bounds("auc", auc_interval(distances, same, first, second, self.resampled))
        same_style |= self._retrieval(embeddings, self.styles, intervals)
        return metrics | {f"same_style_{name}": value for name, value in same_style.items()}

    def _retrieval(
        self, embeddings: NDArray[np.float32], styles: NDArray[np.bool_] | None, intervals: bool
    ) -> dict[str, float]:
        metrics: dict[str, float] = {}
        found = retrieval_metrics(embeddings[self.rows], self.artists, styles)
        artists = None if self.resampled is None else self.resampled[self.rows[found.query]]
        for name in RETRIEVAL_METRICS if len(found.query) else ():
            values = getattr(found, name)
            metrics[name] = float(values.mean())
            metrics |= _bounds(name, mean_interval(values, artists)) if intervals else {}
        return metrics


def _bounds(name: str, interval: tuple[float, float]) -> dict[str, float]:
    """The bounds of an interval as two metrics; empty if they are NaN, as a card holds finite numbers only."""
    return dict(zip((f"{name}_low", f"{name}_high"), interval, strict=True)) if np.isfinite(interval).all() else {}


def artist_numbers(selection: Selection, works: pd.DataFrame) -> NDArray[np.int64]:
    """The number (W,) of each work's artist; the artists trained on come first, in the selection's order."""
    artists = pd.concat([selection.part(split) for split in (TRAIN, VAL_SEEN, VAL_UNSEEN)])["artist"].unique()
    number = {artist: index for index, artist in enumerate(artists)}
    return np.array([number[artist] for artist in works["artist"]], dtype=np.int64)
