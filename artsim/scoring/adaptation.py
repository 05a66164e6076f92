"""How embeddings adapt before their distances are computed: to a cohort, or to how familiar the photographs are."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from artsim.errors import ModelError
from artsim.scoring.cohort import Cohort
from artsim.scoring.contract import OTHER_TOWER, Card
from artsim.scoring.familiarity import PhotographRule


class Adapter(Protocol):
    """What adapts embeddings; it can be pickled."""

    def adapt(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Adapt embeddings (N, D): returns embeddings (N, D) and the factors (N,) of their distances."""
        ...


def adapter_of(card: Card, cohort: Cohort | None) -> Adapter | None:
    """The cohort, if there is one, else the card's rule for unfamiliar photographs; None: the card has no such rule."""
    return card.photographs if cohort is None else cohort


def photograph_rule(card: Card, model: str) -> PhotographRule:
    """The card's rule for unfamiliar photographs; `model` is the tower's name for the error.

    Raises:
        ModelError: the card has none.
    """
    if card.photographs is None:
        raise ModelError(
            f"{model}: this tower can't tell unfamiliar photographs, because its card does not describe the training "
            f"photographs. {OTHER_TOWER}."
        )
    return card.photographs
