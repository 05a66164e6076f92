"""What the summary of a scoring run says about unfamiliar photographs."""

from __future__ import annotations

from scipy.special import bdtrc

from artsim.scoring.cohort_use import CohortUse
from artsim.scoring.contract import Card
from artsim.scoring.familiarity import FAMILIAR_SHARE

NOTED_SHARE = 0.1  # a smaller share is not worth a line, however sure it is; a setting
CHANCE = 0.01  # of so many unfamiliar photographs, if they are like the training photographs; a setting


def are_many(unfamiliar: int, images: int) -> bool:
    """Whether so many unfamiliar photographs are clearly more than expected."""
    by_chance = bdtrc(unfamiliar - 1, images, 1 - FAMILIAR_SHARE)  # P(that many or more)
    return unfamiliar >= NOTED_SHARE * images and bool(by_chance < CHANCE)


def unfamiliar_note(card: Card, use: CohortUse, unfamiliar: int | None, images: int) -> str | None:
    """A line about the unfamiliar photographs and what follows; None if they are few, or the tower cannot tell them."""
    if unfamiliar is None or not are_many(unfamiliar, images):
        return None
    found = f"{unfamiliar:,} of {images:,} images are different from the training photographs"
    return f"{found}; {_what_follows(card, use)}"


def _what_follows(card: Card, use: CohortUse) -> str:
    if use.cohort is not None:
        return "distances are adapted to the cohort, so no action is needed"
    is_corrected = card.photographs is not None and card.photographs.correction.slope > 0
    distances = "their distances were corrected" if is_corrected else "probabilities may be wrong"
    cure = "add --cohort with 10 or more works like them" if card.cohort is not None else "this tower takes no cohort"
    return f"{distances}; {cure}"
