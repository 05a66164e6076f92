"""When a summary speaks of unfamiliar photographs, and what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from artsim.evaluation.unfamiliar import are_many, unfamiliar_note
from artsim.scoring.cohort_use import NONE, CohortUse
from artsim.scoring.contract import Card
from tests.towers import WIDTH, adaptable_card, card_with_photographs

NO_COHORT = CohortUse(NONE, None, "none")


def a_card(slope: float) -> Card:
    embeddings = np.random.default_rng(0).normal(size=(40, WIDTH)).astype(np.float32)
    return Card.from_json(card_with_photographs(embeddings, adaptable_card(), slope))


@pytest.mark.parametrize(("unfamiliar", "images"), [(2, 2), (2, 3), (231, 244), (40, 244), (2000, 20_000)])
def test_clearly_more_than_expected_is_many(unfamiliar: int, images: int) -> None:
    assert are_many(unfamiliar, images)


@pytest.mark.parametrize(
    ("unfamiliar", "images"), [(0, 0), (0, 1), (1, 1), (1, 2), (1, 20), (2, 20), (12, 244), (1500, 20_000)]
)
def test_what_chance_gives_is_not_many(unfamiliar: int, images: int) -> None:
    assert not are_many(unfamiliar, images)


@given(st.integers(1, 3000))
def test_photographs_like_the_training_photographs_rarely_get_a_line(images: int) -> None:
    counts = np.arange(images + 1)
    noted = [are_many(count, images) for count in counts.tolist()]
    assert binom.pmf(counts, images, 0.05)[noted].sum() <= 0.01
    assert noted == sorted(noted)  # more unfamiliar photographs never silence it


def test_few_unfamiliar_photographs_are_not_mentioned() -> None:
    assert unfamiliar_note(a_card(0.5), NO_COHORT, 12, 244) is None
    assert unfamiliar_note(a_card(0.5), NO_COHORT, None, 244) is None


def test_without_a_cohort_the_line_names_the_cure() -> None:
    found = "231 of 244 images are different from the training photographs; "
    cure = "add --cohort with 10 or more works like them"
    assert unfamiliar_note(a_card(0.5), NO_COHORT, 231, 244) == f"{found}their distances were corrected; {cure}"
    assert unfamiliar_note(a_card(0.0), NO_COHORT, 231, 244) == f"{found}probabilities may be wrong; {cure}"
    rigid = replace(a_card(0.5), cohort=None)
    note = unfamiliar_note(rigid, NO_COHORT, 231, 244)
    assert note == f"{found}their distances were corrected; this tower takes no cohort"
