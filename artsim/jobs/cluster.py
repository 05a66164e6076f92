"""Cluster a collection: embed its works or read their store, find the clusters, write a row for each work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from artsim import images
from artsim.collection.artists import Qualified
from artsim.collection.columns import Columns, check_use
from artsim.collection.works import Reading, numbered
from artsim.errors import UsageError
from artsim.evaluation.agreement import Agreement, agreement
from artsim.evaluation.report.numbers import percent, short
from artsim.jobs.steps.cohort import read_cohort, tower_of
from artsim.jobs.steps.gallery import Gallery, read_gallery
from artsim.machine import use_threads
from artsim.messages import Progress, Say, counted, first_few
from artsim.model_names import load
from artsim.overwrites import Named, check_overwrites
from artsim.scoring.adaptation import adapter_of
from artsim.scoring.clusters import ALONE, CUT_PROBABILITY, MOST_WORKS, Clusters, copies_of, find_clusters
from artsim.scoring.cohort import COPY_SHARE
from artsim.scoring.cohort_use import NONE, SELF, CohortUse, cohort_of_run
from artsim.scoring.device import Device
from artsim.scoring.scorer import Scorer
from artsim.scoring.scores import Criterion
from artsim.tables.arrow import of_numbers, of_texts
from artsim.tables.output import check_output, check_place
from artsim.tables.whole_table import write_whole_table


@dataclass(frozen=True)
class ClusterOptions:
    """The options of `artsim cluster`, as its help describes them."""

    source: str
    model: str
    output: str = "-"
    report: str | None = None
    data_dir: str | None = None
    device: Device = "auto"
    threshold: float | None = None
    probability: float | None = None
    prior: float | None = None
    batch_size: int | None = None
    max_pixels: int = images.MAX_PIXELS
    threads: int | None = None
    cohort: str | None = None
    columns: Columns | None = None
    qualified: Qualified = "drop"

    def check(self) -> None:
        """Check the options before anything is opened.

        Raises:
            UsageError: two cuts, an output that is an input, an unknown suffix, or columns that no table has.
            OutputError: see `check_place`.
        """
        if self.threshold is not None and self.probability is not None:
            raise UsageError("--threshold and --probability are two ways to cut. Give one of them.")
        cohort = None if self.cohort in (SELF, NONE) else self.cohort
        read: dict[str, Named] = {"COLLECTION": self.source, "--model": self.model, "--cohort": cohort}
        check_overwrites(read, {"--output": self.output, "--report": self.report})
        check_output(self.output)
        if self.report is not None:
            check_place(self.report)
        check_use(self.columns, [self.source, cohort])


@dataclass(frozen=True)
class Clustering:
    """The clusters of a collection.

    Attributes:
        gallery: the works, N of them.
        clusters: of these works.
        copies: (N,) the work that each is a copy of, None without one.
        criterion: of the distances.
        cut: the largest mean distance at which clusters were joined.
        use: the cohort.
        agreement: with the artists; None if they are not known.
    """

    gallery: Gallery
    clusters: Clusters
    copies: Sequence[int | None]
    criterion: Criterion
    cut: float
    use: CohortUse
    agreement: Agreement | None

    def lines(self) -> list[tuple[str, str]]:
        """The summary: names and values for the terminal, a line each."""
        clusters, copies = self.clusters, len(self.copies) - self.copies.count(None)
        probability = percent(self.criterion.probability(np.array([self.cut], np.float32)).item())
        works = counted(len(self.gallery.names), "work")
        bad = self.gallery.bad
        return [
            ("works", works if not bad else f"{works}; {len(bad):,} can't be used: {first_few(bad, '; ')}"),
            *([("names", self.gallery.names_note)] if self.gallery.names_note else []),
            ("cohort", self.use.note),
            ("cut", f"mean distance {short(self.cut)}, a probability of {probability}"),
            ("clusters", f"{len(clusters.works):,}, with {counted(int(clusters.works.sum()), 'work')}"),
            ("alone", counted(clusters.alone, "work")),
            *([("copies", f"{counted(copies, 'work')} with a copy in the same cluster")] if copies else []),
            *([("artists", self.agreement.text)] if self.agreement else []),
        ]

    def own_probability(self) -> NDArray[np.float32]:
        """The probability (N,) of the mean distance to the others of the cluster; no number for works alone."""
        own, probability = self.clusters.own_distance, np.full(len(self.clusters.number), np.nan, np.float32)
        has_cluster = self.clusters.number != ALONE
        probability[has_cluster] = self.criterion.probability(own[has_cluster])
        return probability

    def order(self) -> list[int]:
        """The rows of the works, cluster by cluster, the surest work first; works alone last."""
        number = np.where(self.clusters.number == ALONE, len(self.clusters.works), self.clusters.number)
        order: list[int] = np.lexsort((np.arange(len(number)), self.clusters.own_distance, number)).tolist()
        return order

    def table(self) -> pa.RecordBatch:
        """A row for each work: file name, artist if any is known, cluster, its works, probability, copy."""
        gallery, clusters, order = self.gallery, self.clusters, np.array(self.order(), dtype=np.int64)
        number = clusters.number[order]
        has_cluster = number != ALONE
        sizes = np.append(clusters.works, 1)[number]  # ALONE is the last place
        probability = self.own_probability()[order]
        copies = [self.copies[row] for row in order.tolist()]
        columns = {
            "filename": of_texts([gallery.names[row] for row in order.tolist()]),
            **({"artist": of_texts([gallery.artists[row] for row in order.tolist()])} if any(gallery.artists) else {}),
            "cluster": of_numbers(number + 1, has_cluster),
            "works": of_numbers(sizes.astype(np.int64)),
            "probability": of_numbers(probability, has_cluster),
            "copy_of": of_texts([None if row is None else gallery.names[row] for row in copies]),
        }
        return pa.record_batch(list(columns.values()), names=list(columns))

    def artists_of(self, members: Sequence[int]) -> list[tuple[str, int]]:
        """The artists of some works with their numbers of works, the most frequent first."""
        known = [artist for row in members if (artist := self.gallery.artists[row]) is not None]
        return sorted(Counter(known).items(), key=lambda each: (-each[1], each[0]))


def cluster_works(options: ClusterOptions, say: Say, progress: Progress) -> Clustering:
    """Find the clusters of a collection, and write them unless they go to a terminal.

    Raises:
        UsageError, OutputError: see `ClusterOptions.check`, `Criterion`.
        InputError: no work can be used, or there are more than MOST_WORKS.
        ModelError, DeviceError: see `load`.
    """
    options.check()
    use_threads(options.threads)
    scorer = load(options.model, options.device, batch_size=options.batch_size, max_pixels=options.max_pixels)
    _cut(Criterion.of(scorer.card, prior=options.prior), options)  # raises before images are read
    tower = tower_of(scorer)
    named = read_cohort(options.cohort, tower, lambda: scorer, say, progress, options.columns)
    gallery = _read_works(options, scorer, say, progress)
    vectors = gallery.vectors
    use = cohort_of_run(
        named, tower, gallery.sha256s, vectors.__getitem__, "the collection", chosen=options.cohort == SELF
    )
    criterion = Criterion.of(scorer.card, prior=options.prior, adapted=use.cohort is not None)
    cut = _cut(criterion, options)
    adapter = adapter_of(scorer.card, use.cohort)
    adapted, factor = (vectors, None) if adapter is None else adapter.adapt(vectors)
    clusters = find_clusters(adapted, factor, criterion.distance, cut)
    copies = copies_of(clusters, vectors, criterion.distance, COPY_SHARE * scorer.card.threshold)
    found = agreement(clusters.number, numbered(gallery.artists))
    return Clustering(gallery, clusters, copies, criterion, cut, use, found)


def write_clusters(clustering: Clustering, output: str) -> None:
    """Write a row for each work.

    Raises:
        OutputError: the output can't be written.
    """
    write_whole_table(output, clustering.table())


def _cut(criterion: Criterion, options: ClusterOptions) -> float:
    """The largest mean distance at which clusters are joined."""
    if options.threshold is not None:
        if not options.threshold > 0:
            raise UsageError(f"the threshold is {options.threshold}; give a distance above 0.")
        return options.threshold
    return criterion.distance_at(CUT_PROBABILITY if options.probability is None else options.probability)


def _read_works(options: ClusterOptions, scorer: Scorer, say: Say, progress: Progress) -> Gallery:
    data_dir = None if options.data_dir is None else Path(options.data_dir)
    reading = Reading(say, options.columns or Columns(), options.qualified)
    done = partial(progress, "images")
    return read_gallery(Path(options.source), data_dir, scorer, reading, done, most=MOST_WORKS)
