"""A file of scores, as artsim-score wrote it, read back as arrays: csv, jsonl or parquet.

The columns are those of the pairs file, then `distance`, `probability`, `prediction` and `status`. A pair with a bad
image has empty scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from artsim.errors import InputError
from artsim.tables.arrow import as_texts
from artsim.tables.image_index import ImageNumbering
from artsim.tables.labels import LABEL_COLUMN, UNLABELLED, LabelReader
from artsim.tables.pairs_file import IMAGE_COLUMNS, SAME_WORK_COLUMN, SCORE_COLUMNS, Block
from artsim.tables.readers import open_reader

NUMBERS = ("distance", "probability", "prediction")
_TRUE = ("1", "1.0", "true", "True")


@dataclass(frozen=True)
class ScoredPairs:
    """N scored pairs of M images; the arrays have the shape (N,).

    Attributes:
        names: (M,) of the images; `paths` has the file of each, "" where the name is empty.
        paths: (M,).
        first: number of each pair's first image, int64.
        second: number of the second image.
        distance: float32; NaN where an image is bad.
        probability: of the same artist, float32; NaN where an image is bad.
        prediction: 1 for the same artist, uint8; 0 where an image is bad.
        same: 1 for the same artist, 0 for different ones, else UNLABELLED; uint8.
        same_work: whether both are known to be photographs of one painting.
    """

    names: list[str]
    paths: list[str]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    distance: NDArray[np.float32]
    probability: NDArray[np.float32]
    prediction: NDArray[np.uint8]
    same: NDArray[np.uint8]
    same_work: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.distance)

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Whether a pair has a score, (N,)."""
        scored: NDArray[np.bool_] = np.isfinite(self.distance)
        return scored

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Whether a pair has a score and a label, (N,)."""
        labelled: NDArray[np.bool_] = self.scored & (self.same != UNLABELLED)
        return labelled

    def with_labels(self, same: NDArray[np.uint8]) -> ScoredPairs:
        """The same pairs with other labels (N,)."""
        return replace(self, same=same)

    def only(self, rows: NDArray[np.int64]) -> ScoredPairs:
        """Some of the pairs, by row; all images stay."""
        columns = ("first", "second", "distance", "probability", "prediction", "same", "same_work")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})


def read_scores(path: str, folder: Path) -> ScoredPairs:
    """Read all rows of a file of scores, about 40 bytes a pair.

    Args:
        path: the file.
        folder: in which the images' names are looked up.

    Raises:
        InputError: it is missing, can't be read, lacks a column, or has a cell that is no number or no label.
    """
    reader = open_reader(Path(path), path)
    header = reader.schema.names
    first, second = _image_columns(header, path)
    numbering, labels = ImageNumbering(folder), LabelReader(path)
    parts, rows = [], 0
    for batch in reader.batches():
        numbers = numbering.of(Block(batch, as_texts(batch.column(first)), as_texts(batch.column(second)), None))
        same = np.full(len(batch), UNLABELLED, np.uint8)
        if LABEL_COLUMN in header:
            same = labels.read(batch.column(LABEL_COLUMN), rows)
        scores = list(_scores(batch, path, rows))
        parts.append([*numbers, *scores, same, _flags(batch, header)])
        rows += len(batch)
    labels.check()
    if not rows:
        raise InputError(f"{path}: there are no rows below the header. Score at least one pair.")
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return ScoredPairs(numbering.names, numbering.paths, *columns)


def _image_columns(header: Sequence[str], path: str) -> tuple[str, str]:
    lacking = [name for name in SCORE_COLUMNS if name not in header]
    pair = next((names for names in IMAGE_COLUMNS if set(names) <= set(header)), None)
    if pair is None or lacking:
        raise InputError(
            f"{path}: not a file of scores: it needs the columns image1,image2,{','.join(SCORE_COLUMNS)}, and has "
            f"{', '.join(header)}. Write one with artsim-score, without --format kaggle."
        )
    return pair


def _scores(batch: pa.RecordBatch, path: str, rows_before: int) -> Iterator[NDArray[np.float32] | NDArray[np.uint8]]:
    for name in NUMBERS:
        column = batch.column(name)
        try:
            texts = as_texts(column)
            numbers = pc.if_else(pc.equal(texts, ""), None, texts).cast(pa.float64())
        except pa.ArrowException as error:
            last = rows_before + len(batch)
            raise InputError(
                f"{path}: the column {name} has a cell between the rows {rows_before + 1:,} and {last:,} that is no "
                "number. Score the pairs again."
            ) from error
        values = numbers.to_numpy(zero_copy_only=False).astype(np.float32)
        yield np.nan_to_num(values).astype(np.uint8) if name == "prediction" else values


def _flags(batch: pa.RecordBatch, header: Sequence[str]) -> NDArray[np.bool_]:
    if SAME_WORK_COLUMN not in header:
        return np.zeros(len(batch), np.bool_)
    return np.array([text in _TRUE for text in as_texts(batch.column(SAME_WORK_COLUMN)).to_pylist()], np.bool_)
