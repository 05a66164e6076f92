"""Cohorts: AUC and balanced accuracy by the size, the origin and the make-up of the cohort.

    ARTSIM_DATA=... python -m benchmarks.cohorts --model tower.onnx

The pairs are those of paintings/ (artists seen and unseen in training) and of other_collections/: all, those of the
half of the artists that is for choosing, those of the other half, within one source, and across sources. A cohort is

    none            no cohort
    N               N works of the pairs, the mean of five draws
    self            all works of the pairs
    half by one     as many works by others as there are by the artist with most works
    wrong           the works of the other set of photographs

A row has the AUC, the balanced accuracy, and how much larger the AUC is than without a cohort, on the same pairs.
Brackets give the central 95 % over resamples of artists and their paintings. For N works, they are those of the first
draw.

Then, without a cohort and with `self`: the calibration error and what chance alone gives, Cllr and its least value.

Expected: on other_collections/, `self` has at least 0.05 more AUC than none and at least 0.05 more balanced accuracy;
`wrong` gains no more than a third of that. Measured: docs/accuracy.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import artsim
from artsim.evaluation.intervals import Difference, auc_difference, auc_interval
from artsim.evaluation.likelihood_ratio import cllr, log_likelihood_ratio
from artsim.evaluation.metrics import pair_metrics
from artsim.evaluation.reliability import reliability
from artsim.files import file_sha256
from artsim.jobs.steps.cohort import tower_of
from artsim.scoring.adaptation import adapter_of
from artsim.scoring.cohort import Cohort, build_cohort
from artsim.scoring.distance import pair_distances
from artsim.scoring.scores import Criterion
from benchmarks.data import data, verdict

SIZES, DRAWS = (10, 30, 100, 300), 5
RESAMPLES = 200
LEAST_GAIN, LARGEST_WRONG_SHARE = 0.05, 1 / 3


@dataclass(frozen=True)
class Line:
    """The metrics of some pairs with a cohort, means over cohorts, and intervals of the first cohort over artists."""

    auc: float
    balanced_accuracy: float
    gain: float  # of the AUC over that without a cohort
    auc_interval: tuple[float, float]
    gain_interval: Difference

    def __str__(self) -> str:
        return (
            f"AUC {self.auc:.3f} ({self.auc_interval[0]:.3f} to {self.auc_interval[1]:.3f})   "
            f"balanced accuracy {self.balanced_accuracy:.3f}   "
            f"AUC less that of none {self.gain:+.3f} ({self.gain_interval.low:+.3f} to {self.gain_interval.high:+.3f})"
        )


@dataclass(frozen=True)
class Works:
    """N works with their embeddings."""

    vectors: NDArray[np.float32]  # (N, D)
    sha256s: list[str]
    artists: NDArray[np.object_]
    sources: NDArray[np.object_]

    def cohort(self, scorer: artsim.Scorer, rows: NDArray[np.int64]) -> Cohort:
        """A cohort of the works in these rows."""
        sha256s = [self.sha256s[row] for row in rows]
        return build_cohort(tower_of(scorer), sha256s, lambda some: self.vectors[rows[some]])


@dataclass(frozen=True)
class LabelledSet:
    """Labelled pairs as rows of works."""

    works: Works
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    same: NDArray[np.uint8]

    @property
    def rows(self) -> NDArray[np.int64]:
        """The works in any pair."""
        return np.unique(np.concatenate([self.first, self.second]))

    def some(self, chosen: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]) -> LabelledSet:
        """The pairs that a function of both rows chooses."""
        keep = chosen(self.first, self.second)
        return LabelledSet(self.works, self.first[keep], self.second[keep], self.same[keep])

    def scored(self, scorer: artsim.Scorer, cohort: Cohort | None) -> tuple[NDArray[np.float32], float]:
        """Distances of the pairs, and the threshold that holds for them."""
        adapter, card = adapter_of(scorer.card, cohort), scorer.card
        vectors, factor = (self.works.vectors, None) if adapter is None else adapter.adapt(self.works.vectors)
        rule = card if cohort is None or card.cohort is None else card.cohort
        return pair_distances(vectors, self.first, self.second, card.distance, factor), rule.threshold

    def line(self, scorer: artsim.Scorer, *cohorts: Cohort | None) -> Line:
        """AUC and balanced accuracy, means over cohorts, beside the distances without a cohort."""
        scored = [self.scored(scorer, cohort) for cohort in cohorts]
        found = [pair_metrics(distance, self.same, limit) for distance, limit in scored]
        auc, balanced = (float(np.mean([each[name] for each in found])) for name in ("auc", "balanced_accuracy"))
        plain, _ = self.scored(scorer, None)
        artists = np.unique(self.works.artists.astype(str), return_inverse=True)[1]
        arrays = (self.same, self.first, self.second, artists)
        return Line(
            auc,
            balanced,
            auc - pair_metrics(plain, self.same, 0.0)["auc"],
            auc_interval(scored[0][0], *arrays),
            auc_difference(plain, scored[0][0], *arrays, resamples=RESAMPLES),
        )


def main() -> int:
    """Print a table for each set of pairs, and compare with the expectation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", required=True)
    scorer = artsim.load(parser.parse_args().model)
    sets = labelled_sets(scorer)
    lines: dict[str, dict[str, Line]] = {}
    for name, pairs in sets.items():
        other = sets["others" if name in ("unseen", "seen") else "unseen"]
        print(f"\n{name}: {len(pairs.same):,} pairs of {len(pairs.rows):,} works")
        lines[name] = table(scorer, pairs, other)
        for kind, line in lines[name].items():
            print(f"  {kind:<12} {line}", flush=True)
        for kind, cohort in (("none", None), ("self", pairs.works.cohort(scorer, pairs.rows))):
            print(f"  {kind:<12} {probabilities(scorer, pairs, cohort)}", flush=True)
    none, own, wrong = (lines["others"][kind] for kind in ("none", "self", "wrong"))
    met = own.gain >= LEAST_GAIN and own.balanced_accuracy - none.balanced_accuracy >= LEAST_GAIN
    met = met and wrong.gain <= LARGEST_WRONG_SHARE * own.gain
    return verdict(met, f"self to gain {LEAST_GAIN} on others, and a wrong cohort at most a third of that in AUC")


def table(scorer: artsim.Scorer, pairs: LabelledSet, other: LabelledSet) -> dict[str, Line]:
    """The metrics by cohort."""
    works, rows = pairs.works, pairs.rows
    rng = np.random.default_rng(0)
    found = {"none": pairs.line(scorer, None)}
    for size in SIZES:
        if size < len(rows):
            drawn = [works.cohort(scorer, rng.choice(rows, size, replace=False)) for _ in range(DRAWS)]
            found[str(size)] = pairs.line(scorer, *drawn)
    found["self"] = pairs.line(scorer, works.cohort(scorer, rows))
    found["half by one"] = pairs.line(scorer, works.cohort(scorer, half_by_one(works, rows, rng)))
    found["wrong"] = pairs.line(scorer, other.works.cohort(scorer, other.rows))
    return found


def probabilities(scorer: artsim.Scorer, pairs: LabelledSet, cohort: Cohort | None) -> str:
    """How far the probabilities can be trusted."""
    distance, _ = pairs.scored(scorer, cohort)
    criterion = Criterion.of(scorer.card, adapted=cohort is not None)
    found = pair_metrics(distance, pairs.same, criterion.threshold)
    found |= cllr([(log_likelihood_ratio(distance, criterion.calibration), pairs.same)])
    found |= reliability(criterion.probability(distance), pairs.same, criterion.prior, chance=True)
    error, chance = found["calibration_error"], found["calibration_error_by_chance"]
    return f"calibration error {error:.3f} ({chance:.3f})   Cllr {found['cllr']:.3f} ({found['cllr_min']:.3f})"


def half_by_one(works: Works, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """All works of the artist with most, and as many others."""
    names, counts = np.unique(works.artists[rows].astype(str), return_counts=True)
    own = works.artists[rows] == names[counts.argmax()]
    others = rng.permutation(rows[~own])[: own.sum()]
    return np.concatenate([rows[own], others])


def labelled_sets(scorer: artsim.Scorer) -> dict[str, LabelledSet]:
    """The sets of pairs by name."""
    test = embedded(scorer, "paintings", "test_info.csv", "test")
    others = embedded(scorer, "other_collections", "works.csv", "images")
    whole = read_pairs(*others, data("other_collections", "pairs.csv"))
    names = np.unique(whole.works.artists.astype(str))
    for_choosing = np.isin(whole.works.artists, names[::2])
    sources = whole.works.sources
    return {
        "unseen": read_pairs(*test, data("paintings", "pairs_unseen_artists.csv")),
        "seen": read_pairs(*test, data("paintings", "pairs_seen_artists.csv")),
        "others": whole,
        "others, for choosing": whole.some(lambda one, other: for_choosing[one] & for_choosing[other]),
        "others, for reporting": whole.some(lambda one, other: ~for_choosing[one] & ~for_choosing[other]),
        "others, within one source": whole.some(lambda one, other: sources[one] == sources[other]),
        "others, across sources": whole.some(lambda one, other: sources[one] != sources[other]),
    }


def embedded(scorer: artsim.Scorer, folder: str, table: str, images: str) -> tuple[Works, pd.Series]:
    """The works of a collection, and the row of each file."""
    works = pd.read_csv(data(folder, table))
    paths: list[Path] = [data(folder, images) / name for name in works["filename"]]
    sources = works["source_repo"] if "source_repo" in works else pd.Series([""] * len(works))
    row = pd.Series(np.arange(len(works)), index=works["filename"])
    digests = [file_sha256(path) for path in paths]
    return Works(scorer.embed(paths), digests, works["artist"].to_numpy(object), sources.to_numpy(object)), row


def read_pairs(works: Works, row: pd.Series, path: Path) -> LabelledSet:
    """The pairs of a file."""
    table = pd.read_csv(path)
    first, second = (row[table[name]].to_numpy() for name in ("image1", "image2"))
    return LabelledSet(works, first, second, table["sameArtist"].to_numpy(np.uint8))


if __name__ == "__main__":
    sys.exit(main())
