"""Scores of pairs, a block at a time: find the images of a block, score them, add the scores to its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from artsim.scoring.embed_images import EmbeddedImages
from artsim.scoring.optional_columns import optional_columns
from artsim.scoring.same_work import is_same_work
from artsim.scoring.scores import Criterion, Scores
from artsim.scoring.status import pair_status
from artsim.scoring.work_columns import WorkTexts
from artsim.tables.arrow import of_numbers
from artsim.tables.formats import with_scores
from artsim.tables.image_index import ImageIndex
from artsim.tables.pairs_file import SAME_WORK_COLUMN, WORK_COLUMNS, Block, PairsFile


@dataclass(frozen=True)
class ScoredBlock:
    """A block of B pairs with the rows of its images, their status, and scores; scores count only where `good`.

    `optional` are the columns after the status.
    """

    block: Block
    first: NDArray[np.int64]  # (B,)
    second: NDArray[np.int64]  # (B,)
    status1: NDArray[np.uint8]  # (B,), indices into STATUSES
    status2: NDArray[np.uint8]  # (B,)
    scores: Scores
    optional: Mapping[str, pa.Array]

    @property
    def good(self) -> NDArray[np.bool_]:
        """Whether both images of a pair are embedded, (B,)."""
        good: NDArray[np.bool_] = (self.status1 == 0) & (self.status2 == 0)
        return good

    def table(self) -> pa.RecordBatch:
        """The columns of the output."""
        table, good = self.block.table, self.good
        scores = [of_numbers(column, good) for column in self.scores]
        columns = [*table.columns, *scores, pair_status(self.status1, self.status2), *self.optional.values()]
        return pa.record_batch(columns, schema=with_scores(table.schema, list(self.optional)))


@dataclass(frozen=True)
class BlockScorer:
    """Scores the blocks of a pairs file by the embeddings of its images, with optional columns."""

    pairs: PairsFile
    index: ImageIndex
    embedded: EmbeddedImages
    criterion: Criterion
    optional: Sequence[str] = ()
    works: WorkTexts | None = None  # of the images, for the columns about works

    def __call__(self, block: Block) -> ScoredBlock:
        """Score a block.

        Raises:
            InputError: an image is not in the index, so the file has changed.
        """
        first, second = self.index.find(block.image1), self.index.find(block.image2)
        if first is None or second is None:
            raise self.pairs.changed()
        status, unfamiliar = self.embedded.status, self.embedded.unfamiliar
        scores = self.criterion.scores(self.embedded.vectors, first, second, self.embedded.factor)
        of_pair = None if unfamiliar is None else (unfamiliar[first], unfamiliar[second])
        good = (status[first] == 0) & (status[second] == 0)
        same = self._same_work(first, second, scores, good) if SAME_WORK_COLUMN in self.optional else None
        own = [name for name in self.optional if name not in WORK_COLUMNS]
        optional = optional_columns(own, self.criterion, scores.distance, good, of_pair, same)
        if self.works is not None:
            optional |= self.works.columns(first, second)
        return ScoredBlock(block, first, second, status[first], status[second], scores, optional)

    def _same_work(
        self, first: NDArray[np.int64], second: NDArray[np.int64], scores: Scores, good: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        """Which pairs are photographs of one painting, and of which it is known, (B,) each.

        Thumbnails are compared only of pairs that are predicted to be by the same artist. Copies are among them.
        """
        same, known = np.zeros(len(first), np.int8), good.copy()
        sha256s, thumbnails = self.embedded.sha256s, self.embedded.thumbnails
        for row in np.flatnonzero(good & (scores.prediction == 1)).tolist():
            one, other = sha256s[first[row]], sha256s[second[row]]
            if one == other:
                same[row] = 1
            elif one in thumbnails and other in thumbnails:
                same[row] = is_same_work(thumbnails[one], thumbnails[other])
            else:
                known[row] = False
        return same, known
