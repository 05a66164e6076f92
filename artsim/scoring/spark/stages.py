"""Images and pairs as DataFrames of Spark: what its workers do, with the same Scorer and Criterion as one machine.

    images      image int, path string, name string: its number, where a worker finds it, what messages call it
    embeddings  image int, vector binary (4·D bytes, float32), status string, reason string, provider string
    pairs       row long, first int, second int, and the columns of the pairs file, called c0, c1, …
    scores      the columns of the pairs file by their own names, distance float, probability float, prediction byte,
                status string, row long

A bad image has zeros for a vector; `reason` is null where the status is ok.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from artsim.scoring.device import CPU, Device
from artsim.scoring.scorer import BATCH_SIZES, Scorer, load
from artsim.scoring.scores import Criterion
from artsim.tables.pairs_file import SCORE_COLUMNS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROW_COLUMN = "row"
IMAGES_A_TASK = 256  # seconds of work, so that tasks are many and a lost one costs little
VECTORS_BYTES = 2**24  # of an Arrow batch of pairs

EMBEDDINGS = "image int, vector binary, status string, reason string, provider string"


@dataclass(frozen=True)
class WorkersTower:
    """How each worker process opens the tower, which came to its machine as the file of this name."""

    file: str
    device: Device
    batch_size: int | None
    max_pixels: int


def embedded_images(spark: SparkSession, images: Path, count: int, tower: WorkersTower) -> DataFrame:
    """Embed the `count` images of a parquet file, in tasks of a batch or more, for every core if they suffice."""
    cores = spark.sparkContext.defaultParallelism
    tasks = min(math.ceil(count / (tower.batch_size or BATCH_SIZES[CPU])), max(math.ceil(count / IMAGES_A_TASK), cores))

    def embed(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        return _embedded(frames, tower)

    return spark.read.parquet(to_read(images)).repartition(max(1, tasks)).mapInPandas(embed, EMBEDDINGS)


def scored_pairs(
    spark: SparkSession, pairs: Path, embeddings: Path, columns: Sequence[str], criterion: Criterion
) -> DataFrame:
    """Join pairs to the embeddings of both images and score them.

    Spark sends the embeddings to every executor where they are small enough, else it sorts pairs and embeddings by
    image; the scores are the same.
    """
    from pyspark.sql.types import ByteType, FloatType, LongType, StringType, StructField, StructType

    embedded = spark.read.parquet(to_read(embeddings))
    joined = spark.read.parquet(to_read(pairs))
    for image, number in (("first", 1), ("second", 2)):
        one = embedded.selectExpr(f"image AS {image}", f"vector AS vector{number}", f"status AS status{number}")
        joined = joined.join(one, image)
    kinds = {field.name: field.dataType for field in joined.schema}
    score_kinds = [FloatType(), FloatType(), ByteType(), StringType(), LongType()]
    schema = StructType(
        [StructField(name, kinds[f"c{place}"]) for place, name in enumerate(columns)]
        + [StructField(name, kind) for name, kind in zip([*SCORE_COLUMNS, ROW_COLUMN], score_kinds, strict=True)]
    )
    names = tuple(columns)

    def score(batches: Iterator[Any]) -> Iterator[Any]:
        return (_scored(batch, names, criterion) for batch in batches if batch.num_rows)

    return joined.mapInArrow(score, schema)


def rows_of_a_batch(width: int) -> int:
    """How many pairs of embeddings (D,) go to a worker process at once."""
    return max(1, VECTORS_BYTES // (2 * 4 * width))


def to_write(path: Path) -> str:
    """A path as Spark writes to it: in the file system that every machine sees."""
    return f"file://{path.absolute()}"


def to_read(path: Path) -> str:
    """A path as Spark reads it, where it would be a pattern."""
    return re.sub(r"([\\*?\[\]{}])", r"\\\1", to_write(path))


@lru_cache(maxsize=1)
def _scorer(tower: WorkersTower) -> Scorer:
    """Once in a worker process; one thread, as there is a process for each core."""
    from pyspark import SparkFiles

    path = SparkFiles.get(tower.file)
    return load(path, tower.device, batch_size=tower.batch_size, max_pixels=tower.max_pixels, threads=1)


def _embedded(frames: Iterator[pd.DataFrame], tower: WorkersTower) -> Iterator[pd.DataFrame]:
    scorer = _scorer(tower)
    images = pd.concat([pd.DataFrame({"image": [], "path": [], "name": []}), *frames], ignore_index=True)
    paths, names = images["path"].tolist(), images["name"].tolist()
    numbers = images["image"].to_numpy(np.int32)
    nothing = bytes(4 * scorer.tower.width)
    for batch in scorer.batches(paths):
        good = [(vector.tobytes(), "ok", None) for vector in batch.vectors]
        bad = [
            (nothing, error.status, str(error).replace(paths[position], names[position], 1))
            for position, error in batch.failures.items()
        ]
        positions = [*batch.positions.tolist(), *batch.failures]
        frame = pd.DataFrame([*good, *bad], columns=["vector", "status", "reason"])
        yield frame.assign(image=numbers[positions], provider=scorer.provider)[
            ["image", "vector", "status", "reason", "provider"]
        ]


def _scored(batch: Any, columns: tuple[str, ...], criterion: Criterion) -> Any:
    """Score a batch of joined pairs."""
    count = batch.num_rows
    vectors = np.concatenate([_vectors(batch.column("vector1")), _vectors(batch.column("vector2"))])  # (2B, D)
    scores = criterion.scores(vectors, np.arange(count), np.arange(count, 2 * count))
    status = _status(batch.column("status1"), batch.column("status2"))
    bad = np.asarray(pc.not_equal(status, "ok"))
    return pa.RecordBatch.from_arrays(
        [
            *(batch.column(f"c{place}") for place in range(len(columns))),
            *(pa.array(column, mask=bad) for column in scores),
            status,
            batch.column("row"),
        ],
        names=[*columns, *SCORE_COLUMNS, ROW_COLUMN],
    )


def _vectors(column: Any) -> NDArray[np.float32]:
    """A binary column, all values as long, as float32 (B, D)."""
    _, offsets, values = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(values, np.uint8)[ends[0] : ends[-1]].view(np.float32).reshape(len(column), -1)


def _status(status1: Any, status2: Any) -> Any:
    """`ok`, or what is wrong with either image."""
    good1, good2 = pc.equal(status1, "ok"), pc.equal(status2, "ok")
    first, second = (
        pc.binary_join_element_wise(f"image{number}", words, ": ") for number, words in ((1, status1), (2, status2))
    )
    both = pc.binary_join_element_wise(first, second, "; ")
    return pc.if_else(good1, pc.if_else(good2, "ok", second), pc.if_else(good2, first, both))
