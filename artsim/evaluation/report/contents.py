"""What a report shows, as plain values; `page` turns them into HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artsim.evaluation.report.choice import Choice
from artsim.evaluation.report.curves import PairSets
from artsim.evaluation.report.headline import Headline
from artsim.evaluation.report.map import EmbeddingMap
from artsim.evaluation.report.paintings import Paintings
from artsim.evaluation.report.pictures import Sheet
from artsim.scoring.scores import Criterion
from artsim.tables.scores_file import ScoredPairs

Named = Sequence[tuple[str, str]]  # names and texts


@dataclass(frozen=True)
class Report:
    """All that a page shows.

    Attributes:
        title: of the page.
        headlines: of each set of labelled pairs; empty without labels.
        sets: the sets of the figures, by name and rows of labelled pairs of both kinds.
        pairs: all of them.
        paintings: of the pairs.
        criterion: that gave the scores.
        choice: the pairs and paintings that are drawn.
        sheet: the pictures of the P chosen paintings.
        map: of the chosen paintings; None: `map_note` says why.
        map_note: a sentence about the map.
        unfamiliar: (P,) whether a photograph is unlike the training photographs; None: not known.
        origin: how the scores and the report were made.
        limits: what the report does not say.
    """

    title: str
    headlines: Sequence[Headline]
    sets: PairSets
    pairs: ScoredPairs
    paintings: Paintings
    criterion: Criterion
    choice: Choice
    sheet: Sheet
    map: EmbeddingMap | None
    map_note: str
    unfamiliar: NDArray[np.bool_] | None
    origin: Named
    limits: Named

    @property
    def has_labels(self) -> bool:
        """Whether any pair has a label and a score."""
        return bool(self.headlines)
