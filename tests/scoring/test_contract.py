"""The card is read back from its JSON as it was written; other text is refused."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from artsim.errors import ModelError
from artsim.scoring.contract import Calibration, Card
from tests.towers import COHORT_RULE, adaptable_card, card, newer_card


def test_a_card_comes_back_from_its_json() -> None:
    assert Card.from_json(card().to_json()) == card()


def test_a_card_with_a_rule_for_cohorts_comes_back_from_its_json() -> None:
    read = Card.from_json(adaptable_card().to_json())
    assert read == adaptable_card()
    assert read.cohort == COHORT_RULE


def test_only_a_card_with_a_rule_for_cohorts_needs_an_artsim_that_knows_them() -> None:
    assert json.loads(card().to_json())["contract"] == 1
    assert json.loads(adaptable_card().to_json())["contract"] == 2


def test_fields_of_a_later_artsim_are_passed_over() -> None:
    text = json.dumps(asdict(card()) | {"mood": "blue"})
    assert Card.from_json(text) == card()


def test_a_card_from_before_there_were_precisions_is_of_32_bits() -> None:
    fields = asdict(card(precision="int8"))
    assert Card.from_json(json.dumps(fields)).precision == "int8"
    del fields["precision"]
    assert Card.from_json(json.dumps(fields)).precision == "fp32"


def test_old_metric_names_get_slashes_when_they_are_read() -> None:
    old = {"val_seen_auc": 0.7, "val_unseen_same_style_auc": 0.6, "val_seen/eer": 0.3, "steps": 7}
    expected = {"val_seen/auc": 0.7, "val_unseen/same_style_auc": 0.6, "val_seen/eer": 0.3, "steps": 7}
    assert Card.from_json(json.dumps(asdict(card()) | {"validation": old})).validation == expected


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"contract": "x"}', '{"contract": 1}'])
def test_what_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match="metadata"):
        Card.from_json(text)


def test_a_newer_contract_names_the_artsim_to_install() -> None:
    with pytest.raises(ModelError, match=r"contract 3.*install artsim 9\.1"):
        Card.from_json(newer_card())


@pytest.mark.parametrize(
    "change",
    [
        {"distance": "cosine"},
        {"resize": "crop"},
        {"image_size": 0},
        {"image_size": "large"},
        {"threshold": float("inf")},
        {"calibration": {"slope": 1.0}},
        {"calibration": {"slope": -1.0, "intercept": 0.0, "prior": 1.0}},
        {"calibration": None},
        {"cohort": {}},
        {"cohort": 3},
        {"cohort": asdict(replace(COHORT_RULE, adapted_width=0))},
        {"cohort": asdict(replace(COHORT_RULE, threshold=float("inf")))},
        {"cohort": asdict(replace(COHORT_RULE, calibration=Calibration(-1.0, 0.0, 1.0)))},
    ],
    ids=str,
)
def test_a_field_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="metadata"):
        Card.from_json(json.dumps(asdict(card()) | change))
