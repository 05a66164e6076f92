"""The four figures of a report: ROC, precision and recall, distances of both kinds of pair, reliability."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from artsim.evaluation.report.figures import TOP, Figure, Key, Note, Scale, Shape, Shares, round_ticks
from artsim.evaluation.report.numbers import percent, short
from artsim.scoring.scores import Criterion
from artsim.tables.scores_file import ScoredPairs

POINTS = 200  # of a curve; more can't be seen
BARS = 48  # of a histogram
BINS = 10  # of the reliability diagram; fewer pairs than that in a bin are too few

PairSets = Sequence[tuple[str, NDArray[np.int64]]]  # a name, and rows of labelled pairs of both kinds


def figures_of(pairs: ScoredPairs, sets: PairSets, criterion: Criterion) -> list[Figure]:
    """All figures that labelled or unlabelled pairs allow; the last two are of the first set."""
    if not sets:
        return [_distances(pairs, np.flatnonzero(pairs.scored), criterion.threshold, labelled=False)]
    rows = sets[0][1]
    of_first = f", {sets[0][0]}" if len(sets) > 1 else ""
    return [
        _roc(pairs, sets),
        _precision_recall(pairs, sets),
        _distances(pairs, rows, criterion.threshold, labelled=True, suffix=of_first),
        _reliability(pairs, rows, criterion.prior, of_first),
    ]


def _roc(pairs: ScoredPairs, sets: PairSets) -> Figure:
    axes, grid = Shares(), np.linspace(0, 1, POINTS) ** 2  # more points on the left, where curves are steep
    shapes, keys = [Shape(axes.diagonal, "guide")], []
    for number, (name, rows) in enumerate(sets):
        false, true, _ = roc_curve(pairs.same[rows], -pairs.distance[rows])
        shapes.append(Shape(axes.scale.line([0, *grid], [0, *np.interp(grid, false, true)]), f"curve set{number}"))
        keys.append(Key(f"curve set{number}", name))
    return Figure(
        "roc",
        "Found against falsely accepted",
        "ROC curve: the share of same-artist pairs found, over the share of different-artist pairs accepted.",
        "The ROC curve, over all thresholds. The dashed line is chance. A curve nearer to the upper left is better.",
        "different-artist pairs accepted",
        "same-artist pairs found",
        *axes.ticks,
        shapes,
        keys=keys if len(sets) > 1 else (),
    )


def _precision_recall(pairs: ScoredPairs, sets: PairSets) -> Figure:
    axes, grid = Shares(), np.linspace(0, 1, POINTS)
    shapes, keys = [], []
    for number, (name, rows) in enumerate(sets):
        precision, recall, _ = precision_recall_curve(pairs.same[rows], -pairs.distance[rows])
        share = float(pairs.same[rows].mean())
        shapes.append(Shape(axes.scale.line((0, 1), (share, share)), "guide"))
        curve = np.interp(grid, recall[::-1], precision[::-1])
        shapes.append(Shape(axes.scale.line(grid, curve), f"curve set{number}"))
        keys.append(Key(f"curve set{number}", name))
    return Figure(
        "precision",
        "How many of the found are right",
        "Precision over recall: the share of right ones among the accepted pairs, over the same-artist pairs found.",
        "Precision and recall. The dashed line is the share of same-artist pairs among these pairs. In a collection "
        "with another share, the curve is another one.",
        "same-artist pairs found",
        "of the accepted pairs, by one artist",
        *axes.ticks,
        shapes,
        keys=keys if len(sets) > 1 else (),
    )


def _distances(
    pairs: ScoredPairs, rows: NDArray[np.int64], threshold: float, *, labelled: bool, suffix: str = ""
) -> Figure:
    distance = pairs.distance[rows].astype(np.float64)
    low, high = (float(distance.min()), float(distance.max())) if len(rows) else (0.0, 1.0)
    low, high = min(low, threshold), max(high, threshold)
    edges = np.linspace(low, high if high > low else low + 1, BARS + 1)
    kinds = ((1, "same"), (0, "different")) if labelled else ((None, "unknown"),)
    bars = [_bars(distance if kind is None else distance[pairs.same[rows] == kind], edges) for kind, _ in kinds]
    scale = Scale((edges[0], edges[-1]), (0.0, max(1e-9, 1.15 * max(float(each.max()) for each in bars))))
    shapes = [Shape(scale.area(edges, each), f"bars {style}") for each, (_, style) in zip(bars, kinds, strict=True)]
    shapes.append(Shape(scale.upright(threshold), "threshold"))
    y_values = round_ticks(0.0, scale.y[1], 4)
    x_values = round_ticks(edges[0], edges[-1])
    is_right = scale.at_x(threshold) > 270
    note = Note(
        scale.at_x(threshold) + (-5 if is_right else 5),
        TOP + 9,
        f"threshold {short(threshold)}",
        "end" if is_right else "start",
    )
    return Figure(
        "distances",
        "Distances of both kinds of pair" if labelled else "Distances of all pairs",
        "Histogram of the distances"
        + (" of same-artist and of different-artist pairs" if labelled else "")
        + f", with the threshold at {short(threshold)}.",
        "Pairs left of the threshold are predicted to be by the same artist."
        + (
            f" Each kind of pair has the same area{suffix}. Where the areas overlap, pairs are mistaken."
            if labelled
            else ""
        ),
        "distance",
        "share of the pairs of a kind" if labelled else "share of the pairs",
        scale.x_ticks(x_values, [f"{value:g}" for value in x_values]),
        scale.y_ticks(y_values, [f"{100 * value:g} %" for value in y_values]),
        shapes,
        [note],
        [Key("bars same", "same artist"), Key("bars different", "different artists")] if labelled else (),
    )


def _bars(distance: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = np.histogram(distance, edges)[0]
    return np.asarray(counts / max(1, len(distance)), dtype=np.float64)


def _reliability(pairs: ScoredPairs, rows: NDArray[np.int64], prior: float, suffix: str) -> Figure:
    axes = Shares()
    points = list(reliability_points(pairs.probability[rows], pairs.same[rows], prior))
    line = axes.scale.line([mean for mean, _, _ in points], [share for _, share, _ in points])
    shapes = [Shape(axes.diagonal, "guide"), Shape(line, "curve set0 thin")]
    for mean, share, count in points:
        title = f"{count:,} pairs: probability {percent(mean)}, by one artist {percent(share)}"
        shapes.append(Shape(axes.scale.point(mean, share), "point", title))
    return Figure(
        "reliability",
        "Are the probabilities right?",
        "Reliability diagram: how often pairs are by the same artist, over the probability that was given.",
        f"On the dashed line, probabilities are right. Below it they are too high{suffix}. Both kinds of pair are "
        f"weighted to a prior of {percent(prior)}.",
        "probability given",
        "pairs by the same artist",
        *axes.ticks,
        shapes,
    )


def reliability_points(
    probability: NDArray[np.float32], same: NDArray[np.uint8], prior: float
) -> Iterator[tuple[float, float, int]]:
    """For each of at most BINS bins of equal weight: mean probability, share of same-artist pairs, number of pairs.

    The pairs (N,) are weighted so that the share of same-artist pairs is the prior.
    """
    kinds = np.bincount(same, minlength=2)
    weight = np.where(same == 1, prior / kinds[1], (1 - prior) / kinds[0])
    order = np.argsort(probability, kind="stable")
    place = np.cumsum(weight[order]) - weight[order] / 2
    bins = np.minimum((place * BINS).astype(np.int64), BINS - 1)
    for number in range(BINS):
        rows = order[bins == number]
        if len(rows) >= BINS:
            total = weight[rows].sum()
            yield (
                float(weight[rows] @ probability[rows] / total),
                float(weight[rows] @ same[rows] / total),
                len(rows),
            )
