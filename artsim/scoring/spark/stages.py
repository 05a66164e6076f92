"""The stages that Spark's workers run on DataFrames, with the same Scorer and Criterion as on one machine.

    images      image int, path string, name string: number, absolute path, and name in messages
    embeddings  image int, vector binary (4·D bytes, float32), status string, reason string, provider string,
                sha256 string
    adapted     image int, vector binary, status string, factor float, unfamiliar boolean: the adapted embeddings
    pairs       row long, first int, second int, and the columns of the pairs file, called c0, c1, …
    scores      the columns of the pairs file by their own names, distance float, probability float, prediction byte,
                status string, the optional columns, row long

The vector of a bad image is zero, and its sha256 is empty. `reason` is null if the status is ok. `unfamiliar` is false
for a bad image, and null if the tower cannot tell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from artsim.files import file_sha256
from artsim.scoring.adaptation import Adapter
from artsim.scoring.device import CPU, Device
from artsim.scoring.familiarity import PhotographRule
from artsim.scoring.optional_columns import OfPair, optional_columns
from artsim.scoring.scorer import BATCH_SIZES, Scorer, load
from artsim.scoring.scores import OK, Criterion
from artsim.scoring.status import pair_status, status_numbers
from artsim.tables.pairs_file import EVIDENCE_COLUMN, SCORE_COLUMNS, UNFAMILIAR_COLUMN

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROW_COLUMN = "row"
IMAGES_A_TASK = 256  # seconds of work, so that a lost task costs little
VECTORS_BYTES = 2**24  # of an Arrow batch of pairs

EMBEDDINGS = "image int, vector binary, status string, reason string, provider string, sha256 string"
ADAPTED = "image int, vector binary, status string, factor float, unfamiliar boolean"


@dataclass(frozen=True)
class WorkersTower:
    """The tower's options on a worker; `file` is its name among the files that Spark sends to workers."""

    file: str
    device: Device
    batch_size: int | None
    max_pixels: int


def embedded_images(spark: SparkSession, images: Path, count: int, tower: WorkersTower) -> DataFrame:
    """Embed the `count` images of a parquet file. A task has a batch at least; if possible, every core has a task."""
    cores = spark.sparkContext.defaultParallelism
    tasks = min(math.ceil(count / (tower.batch_size or BATCH_SIZES[CPU])), max(math.ceil(count / IMAGES_A_TASK), cores))

    def embed(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        return embed_frames(frames, _worker_scorer(tower))

    return spark.read.parquet(to_read(images)).repartition(max(1, tasks)).mapInPandas(embed, EMBEDDINGS)


def adapted_images(
    spark: SparkSession, embeddings: Path, adapter: Adapter, photographs: PhotographRule | None
) -> DataFrame:
    """Adapt embeddings. Spark sends the cohort, and the tower's rule, to every worker once."""
    shared = spark.sparkContext.broadcast((adapter, photographs))

    def adapt(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return (adapt_batch(batch, *shared.value) for batch in batches if batch.num_rows)

    embedded = spark.read.parquet(to_read(embeddings)).select("image", "vector", "status")
    return embedded.mapInArrow(adapt, ADAPTED)


def scored_pairs(
    spark: SparkSession,
    pairs: Path,
    embeddings: Path,
    columns: Sequence[str],
    criterion: Criterion,
    optional: Sequence[str] = (),
) -> DataFrame:
    """Join pairs to the embeddings, or adapted embeddings, of both images and score them.

    Spark sends small embeddings to every executor. Otherwise it sorts pairs and embeddings by image. The scores are the
    same.
    """
    from pyspark.sql.types import ByteType, FloatType, LongType, StringType, StructField, StructType

    embedded = spark.read.parquet(to_read(embeddings))
    factor = "factor" if "factor" in embedded.columns else "float(1)"
    joined = spark.read.parquet(to_read(pairs))
    for image, number in (("first", 1), ("second", 2)):
        one = embedded.selectExpr(
            f"image AS {image}",
            f"vector AS vector{number}",
            f"status AS status{number}",
            f"{factor} AS factor{number}",
            *([f"unfamiliar AS unfamiliar{number}"] if UNFAMILIAR_COLUMN in optional else []),
        )
        joined = joined.join(one, image)
    kinds = {field.name: field.dataType for field in joined.schema}
    score_kinds = dict(zip(SCORE_COLUMNS, [FloatType(), FloatType(), ByteType(), StringType()], strict=True))
    optional_kinds = {EVIDENCE_COLUMN: FloatType(), UNFAMILIAR_COLUMN: StringType()}
    added = score_kinds | {name: optional_kinds[name] for name in optional} | {ROW_COLUMN: LongType()}
    schema = StructType(
        [StructField(name, kinds[f"c{place}"]) for place, name in enumerate(columns)]
        + [StructField(name, kind) for name, kind in added.items()]
    )
    names = tuple(columns)

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return (score_batch(batch, names, criterion, optional) for batch in batches if batch.num_rows)

    return joined.mapInArrow(score, schema)


def rows_of_a_batch(width: int) -> int:
    """The number of pairs of embeddings (D,) in a batch."""
    return max(1, VECTORS_BYTES // (2 * 4 * width))


def to_write(path: Path) -> str:
    """The URL that Spark writes to: a path of the file system that all machines share."""
    return f"file://{path.absolute()}"


def to_read(path: Path) -> str:
    """The URL that Spark reads; it reads a path as a pattern, so special characters are escaped."""
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", to_write(path))


@lru_cache(maxsize=1)
def _worker_scorer(tower: WorkersTower) -> Scorer:
    """The scorer of a worker process, opened once. It has one thread, as every core has a process."""
    from pyspark import SparkFiles

    path = SparkFiles.get(tower.file)
    return load(path, tower.device, batch_size=tower.batch_size, max_pixels=tower.max_pixels, threads=1)


def embed_frames(frames: Iterator[pd.DataFrame], scorer: Scorer) -> Iterator[pd.DataFrame]:
    """Embed the images of a task."""
    images = pd.concat([pd.DataFrame({"image": [], "path": [], "name": []}), *frames], ignore_index=True)
    paths, names = images["path"].tolist(), images["name"].tolist()
    numbers = images["image"].to_numpy(np.int32)
    nothing = bytes(4 * scorer.tower.width)
    for batch in scorer.batches(paths):
        good = [
            (vector.tobytes(), OK, None, file_sha256(Path(paths[position])))
            for position, vector in zip(batch.positions, batch.vectors, strict=True)
        ]
        bad = [
            (nothing, error.status, str(error).replace(paths[position], names[position], 1), "")
            for position, error in batch.failures.items()
        ]
        positions = [*batch.positions.tolist(), *batch.failures]
        frame = pd.DataFrame([*good, *bad], columns=["vector", "status", "reason", "sha256"])
        yield frame.assign(image=numbers[positions], provider=scorer.provider)[
            ["image", "vector", "status", "reason", "provider", "sha256"]
        ]


def adapt_batch(batch: pa.RecordBatch, adapter: Adapter, photographs: PhotographRule | None = None) -> pa.RecordBatch:
    """Adapt a batch of embeddings, and tell unfamiliar photographs."""
    raw = _vectors(batch.column("vector"))
    vectors, factor = adapter.adapt(raw)
    good = status_numbers(batch.column("status")) == 0
    unfamiliar = pa.array(photographs.are_unfamiliar(raw) & good) if photographs else pa.nulls(len(raw), pa.bool_())
    columns = {
        "image": batch.column("image"),
        "vector": pa.array([vector.tobytes() for vector in vectors], pa.binary()),
        "status": batch.column("status"),
        "factor": pa.array(factor),
        "unfamiliar": unfamiliar,
    }
    return pa.RecordBatch.from_pydict(columns)


def score_batch(
    batch: pa.RecordBatch, columns: tuple[str, ...], criterion: Criterion, optional: Sequence[str] = ()
) -> pa.RecordBatch:
    """Score a batch of joined pairs; `columns` names its columns c0, c1, … in the output."""
    count = batch.num_rows
    vectors = np.concatenate([_vectors(batch.column("vector1")), _vectors(batch.column("vector2"))])  # (2B, D)
    factor = np.concatenate([np.asarray(batch.column(name), np.float32) for name in ("factor1", "factor2")])  # (2B,)
    scores = criterion.scores(vectors, np.arange(count), np.arange(count, 2 * count), factor)
    status1, status2 = (status_numbers(batch.column(name)) for name in ("status1", "status2"))
    bad = (status1 != 0) | (status2 != 0)
    unfamiliar = _unfamiliar(batch) if UNFAMILIAR_COLUMN in optional else None
    more = optional_columns(optional, criterion, scores.distance, ~bad, unfamiliar)
    return pa.RecordBatch.from_arrays(
        [
            *(batch.column(f"c{place}") for place in range(len(columns))),
            *(pa.array(column, mask=bad) for column in scores),
            pair_status(status1, status2),
            *more.values(),
            batch.column("row"),
        ],
        names=[*columns, *SCORE_COLUMNS, *more, ROW_COLUMN],
    )


def _unfamiliar(batch: pa.RecordBatch) -> OfPair:
    first, second = (np.asarray(batch.column(f"unfamiliar{number}"), np.bool_) for number in (1, 2))
    return first, second


def _vectors(column: pa.BinaryArray) -> NDArray[np.float32]:
    """A binary column with values of one length, as float32 (B, D)."""
    _, offsets, values = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(values, np.uint8)[ends[0] : ends[-1]].view(np.float32).reshape(len(column), -1)
