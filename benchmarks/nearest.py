"""The rule by which `artsim nearest` ranks artists, the calibration of its probability, and its false outliers.

    ARTSIM_DATA=... python -m benchmarks.nearest --weights FILE [--recipe transfer]

On paintings/train only. In each of five splits a head is fitted without some artists, and without a fifth of the works
of the others. Distances are calibrated on the pairs of these held-out works. They are then the queries, each left out
of its own gallery:

    held out      gallery: the held-out works
    all           queries: works by held-out artists; gallery: the whole collection, which the head was fitted on
    10, 3 each    gallery: 10 or 3 held-out works by each artist; queries: the other held-out works

A rule is measured by how often its first artist is right. A factor of the log-odds is measured by the expected
calibration error of the first artist's probability (10 bins of equal count). `unlike` counts queries marked as
outliers: those whose artist is in the gallery (mistakes), and the same queries without that artist's works.

Expected: the mean of the best three works is within 0.01 of the best rule on average, and the factor 2 within 0.02 of
the best one. At most 0.02 of the held-out works are outliers among themselves. Measured in 2026-11, means over splits:

    readout                 held out       all   10 each    3 each      mean
    the best work              0.748     0.810     0.582     0.432     0.643
    mean of the best 2         0.773     0.831     0.621     0.473     0.674
    mean of the best 3         0.770     0.836     0.643     0.485     0.683
    mean of the best 5         0.762     0.830     0.642     0.485     0.680
    mean of the best 8         0.748     0.823     0.635     0.485     0.673
    mean of all works          0.650     0.685     0.613     0.485     0.608
    log of mean odds           0.737     0.789     0.625     0.458     0.652
    log of mean odds²          0.753     0.821     0.603     0.441     0.655
    log of summed odds²        0.757     0.827     0.608     0.441     0.658
    factor 1.0                 0.300     0.353     0.285     0.215     0.288
    factor 1.5                 0.139     0.187     0.129     0.080     0.134
    factor 2.0                 0.056     0.093     0.045     0.074     0.067
    factor 3.0                 0.059     0.044     0.106     0.183     0.098
    unlike by mistake          0.012     0.005     0.006     0.003     0.006
    unlike, artist absent      0.067     0.021     0.031     0.015     0.033

    transfer                held out       all   10 each    3 each      mean
    the best work              0.804     0.793     0.632     0.530     0.690
    mean of the best 2         0.824     0.803     0.667     0.560     0.713
    mean of the best 3         0.825     0.800     0.669     0.558     0.713
    mean of the best 5         0.821     0.786     0.658     0.558     0.706
    mean of the best 8         0.814     0.772     0.627     0.558     0.693
    mean of all works          0.648     0.461     0.598     0.558     0.566
    log of mean odds           0.744     0.665     0.654     0.553     0.654
    log of mean odds²          0.790     0.753     0.652     0.540     0.684
    log of summed odds²        0.821     0.770     0.655     0.540     0.697
    factor 1.0                 0.298     0.306     0.230     0.167     0.250
    factor 1.5                 0.137     0.148     0.073     0.050     0.102
    factor 2.0                 0.060     0.072     0.044     0.111     0.072
    factor 3.0                 0.045     0.056     0.130     0.221     0.113
    unlike by mistake          0.008     0.028     0.013     0.002     0.013
    unlike, artist absent      0.092     0.115     0.063     0.043     0.078

The head of `transfer` was fitted on the gallery of `all`, so there more queries are outliers.
"""

from __future__ import annotations

from benchmarks import with_tensorflow  # noqa: F401 - it starts TensorFlow, so it comes first

# isort: split

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from artsim.evaluation.calibration import calibrate
from artsim.scoring.contract import Calibration
from artsim.scoring.scores import log_odds
from artsim.scoring.search import BEST_WORKS, CERTAINTY, SearchIndex
from artsim.training.loop.evaluator import embed
from artsim.training.recipes import RECIPES
from benchmarks import frozen
from benchmarks.data import verdict

Odds = NDArray[np.float64]  # (Q, W) of queries and works; -inf of a query and itself
Rule = Callable[[Odds], Odds]  # to (Q,), of one artist's works

FACTORS = (1.0, 1.5, 2.0, 3.0)
BINS = 10
MARGIN, CALIBRATION_MARGIN, MOST_MISTAKES = 0.01, 0.02, 0.02


@dataclass(frozen=True)
class Search:
    """Queries, their gallery and the artists of both; a query is left out of its own gallery."""

    name: str
    calibration: Calibration
    embeddings: NDArray[np.float32]
    artists: NDArray[np.int64]
    queries: NDArray[np.int64]
    works: NDArray[np.int64]

    def odds(self) -> Odds:
        """Log-odds of each query with each work."""
        one, other = self.embeddings[self.queries].astype(np.float64), self.embeddings[self.works].astype(np.float64)
        squares = np.square(one).sum(axis=1)[:, None] + np.square(other).sum(axis=1) - 2 * one @ other.T
        distance = np.sqrt(np.maximum(squares, 0)).astype(np.float32)
        odds = log_odds(distance, self.calibration, self.calibration.prior)
        odds[self.queries[:, None] == self.works] = -np.inf
        return odds

    def by_artist(self, rule: Rule) -> tuple[Odds, NDArray[np.int64]]:
        """(Q, A) the value of a rule for each artist, and (Q,) the right artist."""
        names, label = np.unique(self.artists[self.works], return_inverse=True)
        odds = self.odds()
        given = np.stack([rule(odds[:, label == number]) for number in range(len(names))], axis=1)
        return given, np.searchsorted(names, self.artists[self.queries])


def mean_of_best(count: int, odds: Odds) -> Odds:
    """The mean log-odds of the best works."""
    best = np.sort(odds, axis=1)[:, ::-1][:, :count]
    there = np.isfinite(best)
    sums = np.where(there, best, 0).sum(axis=1)
    return np.where(there.any(axis=1), sums / np.maximum(there.sum(axis=1), 1), -np.inf)


def density(factor: float, by_works: bool, odds: Odds) -> Odds:
    """The log of the mean, or the sum, over all works of the odds to a power."""
    total: Odds = np.logaddexp.reduce(factor * odds, axis=1)
    return total if by_works else total - np.log(np.maximum(np.isfinite(odds).sum(axis=1), 1))


RULES: dict[str, Rule] = {
    "the best work": partial(mean_of_best, 1),
    **{f"mean of the best {count}": partial(mean_of_best, count) for count in (2, 3, 5, 8)},
    "mean of all works": partial(mean_of_best, sys.maxsize),
    "log of mean odds": partial(density, 1.0, False),
    "log of mean odds²": partial(density, 2.0, False),
    "log of summed odds²": partial(density, 2.0, True),
}
CHOSEN = f"mean of the best {BEST_WORKS}"


def main() -> int:
    """Measure rules, factors and mistakes over the splits."""
    parser = frozen.arguments_parser(__doc__)
    parser.add_argument("--recipe", choices=["readout", "transfer"], default="readout")
    parser.add_argument("--splits", type=int, default=5)
    arguments = parser.parse_args()
    network, works = frozen.network_and_works(arguments)
    searches: list[list[Search]] = []
    for split in frozen.splits(works.labels, arguments.splits):
        head = frozen.fitted(RECIPES[arguments.recipe], network, works, split.known)
        searches.append(list(searches_of(embed(head, works.features), works.labels, split)))
    names = [search.name for search in searches[0]]
    print(f"{arguments.recipe:<22}" + "".join(f"{name:>10}" for name in [*names, "mean"]))
    rules = table(searches, list(RULES), lambda search, rule: right(search, RULES[rule]))
    factors = table(searches, [f"factor {factor}" for factor in FACTORS], calibration_error)
    mistakes = table(searches, ["unlike by mistake"], lambda search, _: unlike(search, absent=False))
    table(searches, ["unlike, artist absent"], lambda search, _: unlike(search, absent=True))
    met = (
        rules[CHOSEN].mean() >= max(row.mean() for row in rules.values()) - MARGIN
        and factors[f"factor {CERTAINTY}"].mean() <= min(row.mean() for row in factors.values()) + CALIBRATION_MARGIN
        and mistakes["unlike by mistake"][0] <= MOST_MISTAKES
    )
    return verdict(met, "three works, the factor 2 and few mistakes, as stated above")


def searches_of(embeddings: NDArray[np.float32], artists: NDArray[np.int64], split: frozen.Split) -> Iterator[Search]:
    """The four searches of a split."""
    held_out = np.concatenate([split.seen, split.unseen])
    first, second = np.triu_indices(len(held_out), k=1)
    pairs = held_out[first], held_out[second]
    distance = np.linalg.norm(embeddings[pairs[0]] - embeddings[pairs[1]], axis=1)
    calibration = calibrate(distance, (artists[pairs[0]] == artists[pairs[1]]).astype(np.uint8)).calibration
    rng = np.random.default_rng(0)
    asked = partial(Search, calibration=calibration, embeddings=embeddings, artists=artists)
    yield asked("held out", queries=held_out, works=held_out)
    yield asked("all", queries=split.unseen, works=np.arange(len(artists)))
    for count in (10, 3):
        own = [np.flatnonzero(artists[held_out] == artist) for artist in np.unique(artists)]
        works = held_out[np.concatenate([rng.permutation(rows)[:count] for rows in own])]
        yield asked(f"{count} each", queries=np.setdiff1d(held_out, works), works=works)


def table(
    searches: list[list[Search]], rows: list[str], measure: Callable[[Search, str], float]
) -> dict[str, NDArray[np.float64]]:
    """Print and return a row of means over the splits for each name."""
    found = {
        row: np.mean([[measure(search, row) for search in of_split] for of_split in searches], axis=0) for row in rows
    }
    for row, values in found.items():
        print(f"{row:<22}" + "".join(f"{value:10.3f}" for value in [*values, values.mean()]), flush=True)
    return found


def right(search: Search, rule: Rule) -> float:
    """How often the first artist is the right one."""
    given, truth = search.by_artist(rule)
    return float((given.argmax(axis=1) == truth).mean())


def calibration_error(search: Search, row: str) -> float:
    """The calibration error of the first artist's probability by the chosen rule."""
    given, truth = search.by_artist(RULES[CHOSEN])
    raised = float(row.partition(" ")[2]) * (given - given.max(axis=1, keepdims=True))
    probability = 1 / np.exp(raised).sum(axis=1)
    hit = given.argmax(axis=1) == truth
    bins = np.array_split(np.argsort(probability), BINS)
    return float(sum(abs(hit[rows].mean() - probability[rows].mean()) * len(rows) for rows in bins) / len(truth))


def unlike(search: Search, *, absent: bool) -> float:
    """The share of queries marked as outliers, with or without the works by the query's artist."""
    collection = SearchIndex(search.embeddings[search.works], search.artists[search.works], "euclidean")
    left_out = [
        np.flatnonzero(
            search.artists[search.works] == search.artists[query] if absent else search.works == query
        ).tolist()
        for query in search.queries
    ]
    found = collection.search(search.embeddings[search.queries], 1, left_out)
    return float(np.mean([bool(answer.unlike) for answer in found]))


if __name__ == "__main__":
    sys.exit(main())
