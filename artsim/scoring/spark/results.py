"""The results of Spark's workers, read back from the parquet files that they wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import dataset

from artsim.errors import ArtsimError, MissingImageError
from artsim.scoring.scores import OK
from artsim.scoring.spark.staging import StagedPairs
from artsim.tables.labels import UNLABELLED


@dataclass(frozen=True)
class EmbeddingResults:
    """The providers that embedded images, the reasons of bad images in order, and D (1 without images)."""

    providers: list[str]
    reasons: list[str]
    width: int


def read_embedding_results(embeddings: Path, faults: Mapping[int, str] | None = None) -> EmbeddingResults:
    """Read what the summary and the next stage need of a folder of embeddings; for `faults`, see StagedPairs."""
    rows = dataset.dataset(embeddings, format="parquet")
    bad = rows.to_table(["image", "status", "reason"], filter=dataset.field("status") != OK).sort_by("image")
    providers = sorted(set(rows.to_table(["provider"])["provider"].to_pylist()))
    first = rows.head(1, columns=["vector"])["vector"].to_pylist()
    reasons = [
        faults[image] if faults and status == MissingImageError.status and image in faults else reason
        for image, status, reason in zip(*(column.to_pylist() for column in bad.columns), strict=True)
    ]
    return EmbeddingResults(providers, reasons, len(first[0]) // 4 if first else 1)


def count_unfamiliar(adapted: Path) -> int:
    """The number of unfamiliar photographs in a folder of adapted embeddings."""
    return int(dataset.dataset(adapted, format="parquet").count_rows(filter=dataset.field("unfamiliar")))


@dataclass(frozen=True)
class EmbeddedFiles:
    """The digests (N,) of the images' files, "" for bad ones; `vectors` reads the embeddings of some of them."""

    folder: Path
    images: NDArray[np.int64]  # (N,) the number of each image
    sha256s: list[str]

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The embeddings (K, D) of K rows."""
        wanted = pa.array(self.images[rows], pa.int32())
        embeddings = dataset.dataset(self.folder, format="parquet")
        found = embeddings.to_table(["image", "vector"], filter=dataset.field("image").isin(wanted)).sort_by("image")
        vectors = np.frombuffer(b"".join(found["vector"].to_pylist()), np.float32)
        order = np.argsort(np.argsort(wanted))
        width = read_embedding_results(self.folder).width
        return vectors.reshape(len(rows), width)[order]


def read_embedded_files(embeddings: Path) -> EmbeddedFiles:
    """Read the digests of a folder of embeddings, in the order of the images' numbers."""
    table = dataset.dataset(embeddings, format="parquet").to_table(["image", "sha256"]).sort_by("image")
    return EmbeddedFiles(embeddings, np.asarray(table["image"], np.int64), table["sha256"].to_pylist())


def read_distances(scores: Path, rows: int) -> NDArray[np.float32]:
    """The distances (N,) of all rows, in the order of the pairs file; NaN for a pair with a bad image.

    Raises:
        ArtsimError: a row is missing or occurs twice.
    """
    distance = np.full(rows, np.nan, dtype=np.float32)
    seen = np.zeros(rows, dtype=np.bool_)
    count = 0
    for batch in dataset.dataset(scores, format="parquet").to_batches(columns=["row", "distance"]):
        row = np.asarray(batch["row"])
        count += len(row)
        distance[row] = batch["distance"].to_numpy(zero_copy_only=False)
        seen[row] = True
    if count != rows or not seen.all():
        raise ArtsimError(f"{count:,} rows came back for {rows:,} pairs. Nothing was written; start again.")
    return distance


def scored_labels(
    staged: StagedPairs, distance: NDArray[np.float32]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]]:
    """Distance, label, first and second image of the labelled pairs with a distance, (B,) each, in blocks."""
    columns = ["row", "first", "second", "same"]
    for batch in dataset.dataset(staged.pairs, format="parquet").to_batches(columns=columns):
        row, first, second, same = (np.asarray(batch[name]) for name in columns)
        good = ~np.isnan(distance[row]) & (same != UNLABELLED)
        yield (
            distance[row][good],
            same.astype(np.uint8)[good],
            first.astype(np.int64)[good],
            second.astype(np.int64)[good],
        )
