"""The card is read back from its JSON as it was written; other text is refused."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.errors import ModelError
from artsim.scoring.contract import Calibration, Card
from tests.towers import COHORT_RULE, adaptable_card, card, familiar_card, newer_card


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


@pytest.mark.parametrize("text", ['{"contract": 1, "contract": 1}', '{"contract": 1, "calibration": {"a": 1, "a": 2}}'])
def test_a_name_that_is_there_twice_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"metadata is wrong: it has the name '(contract|a)' twice\. Export"):
        Card.from_json(text)


def test_bounds_are_written_without_exponents() -> None:
    text = json.dumps(asdict(card()) | {"calibration": {"slope": 1, "intercept": 0, "prior": 5}})
    with pytest.raises(ModelError, match=r"prior is 5; it must be a number from 0\.000000001 to 0\.999999999"):
        Card.from_json(text)


def test_a_newer_contract_names_the_artsim_to_install() -> None:
    with pytest.raises(ModelError, match=r"contract 3.*contracts 1 to 2.*artsim 9\.1\. Install"):
        Card.from_json(newer_card())


HUGE = 10**400
Field = tuple[dict[str, Any], str]


def each(field: str, *values: Any) -> list[Field]:
    """A card's field with one bad value after the other."""
    return [({field: value}, field) for value in values]


NAN, INFINITY = float("nan"), float("inf")
PHOTOGRAPHS = asdict(familiar_card())["photographs"]


def photographs(**changes: Any) -> dict[str, Any]:
    """A good rule for photographs, with changes of what describes the training photographs."""
    return {"photographs": PHOTOGRAPHS | {"training": PHOTOGRAPHS["training"] | changes}}


def correction(**changes: float) -> dict[str, Any]:
    """The same with changes of the correction."""
    return {"photographs": PHOTOGRAPHS | {"correction": PHOTOGRAPHS["correction"] | changes}}


def packed(*values: float) -> str:
    return base64.b64encode(np.array(values, dtype="<f4").tobytes()).decode()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *each("image_size", 0, -1, 10**9, HUGE, 16.0, "large", True, None, NAN, [16]),
        *each("threshold", INFINITY, NAN, -0.1, 1e300, HUGE, "0.3", True, None, {}),
        *each("distance", "cosine", None, 1, ["rms"]),
        *each("resize", "crop", None, True),
        *each("recipe", None, 1, "x" * 10_000, "half a pair \ud800", ["a"]),
        *each("run_id", 1, True, ["a"], "x" * 10_000),
        *each("refit", 1, 0, "true", None),
        *each("precision", 32, None, "x" * 10_000),
        *each("selection_sha256", None, 5),
        *each("artsim_version", None, 0.1),
        *each("contract", True, "1", 1.0, 0, -1, HUGE, None),
        *each("validation", 3, None, [], "auc"),
        *(({"validation": {"auc": bad}}, "validation.auc") for bad in (NAN, INFINITY, HUGE, "0.5", True, None)),
        ({"validation": {"half a pair \ud800": 0.5}}, "validation"),
        ({"validation": {str(number): 0.5 for number in range(20_000)}}, "validation"),
        ({"calibration": None}, "calibration"),
        ({"calibration": 3}, "calibration"),
        ({"calibration": {"slope": 1.0}}, "calibration.intercept"),
        ({"calibration": {"slope": INFINITY, "intercept": 0.0}}, "calibration.slope"),
        ({"calibration": {"slope": -1.0, "intercept": 0.0, "prior": 1.0}}, "calibration.prior"),
        ({"calibration": {"slope": -1.0, "intercept": 0.0, "prior": -0.5}}, "calibration.prior"),
        ({"calibration": {"slope": -1.0, "intercept": True}}, "calibration.intercept"),
        ({"cohort": {}}, "cohort.adapted_width"),
        ({"cohort": 3}, "cohort"),
        ({"cohort": asdict(replace(COHORT_RULE, adapted_width=0))}, "cohort.adapted_width"),
        ({"cohort": asdict(replace(COHORT_RULE, threshold=INFINITY))}, "cohort.threshold"),
        ({"cohort": asdict(replace(COHORT_RULE, calibration=Calibration(-1.0, 0.0, 1.0)))}, "cohort.calibration.prior"),
        ({"photographs": {}}, "photographs.training"),
        (correction(slope=-1.0), "photographs.correction.slope"),
        (correction(onset=NAN), "photographs.correction.onset"),
        (correction(foreign=0.5), "'correction' needs"),
        ({"photographs": PHOTOGRAPHS | {"training": None}}, "photographs.training"),
        (photographs(rest=-1.0), "photographs.training.rest"),
        (photographs(mean=3), "photographs.training.mean"),
        (photographs(mean="A" * (2**25 + 4)), "photographs.training.mean"),
        (photographs(mean="\u00a7"), "arrays of 'training'"),
        (photographs(mean="AAA="), "arrays of 'training'"),  # 2 bytes, no float32
        (photographs(mean=packed(1.0)), "arrays of 'training'"),
        (photographs(mean="", directions="", variances=packed(*[1.0] * 100_000)), "arrays of 'training'"),
        (photographs(variances=packed(*[NAN] * 8)), "arrays of 'training'"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_field_that_makes_no_sense_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ModelError, match=f"its 'artsim' metadata is wrong: (the )?{field} .*Export") as told:
        Card.from_json(json.dumps(asdict(card()) | change))
    assert len(str(told.value)) < 400


@pytest.mark.parametrize("field", [name for name in asdict(card()) if name not in (
    "run_id", "validation", "refit", "precision", "cohort", "photographs")])  # fmt: skip
def test_a_field_that_is_missing_is_named(field: str) -> None:
    fields = asdict(card())
    del fields[field]
    with pytest.raises(ModelError, match=f"metadata is wrong: {field} is missing"):
        Card.from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"image_size": ' + "9" * 10_000 + "}"])
def test_deep_nesting_and_endless_numbers_are_refused(text: str) -> None:
    with pytest.raises(ModelError, match="metadata is wrong: it is"):
        Card.from_json(text)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
), st.sampled_from(list(asdict(familiar_card()))))  # fmt: skip
def test_any_value_of_a_field_is_read_or_refused(value: Any, field: str) -> None:
    with suppress(ModelError):
        read = Card.from_json(json.dumps(asdict(familiar_card()) | {field: value}))
        assert Card.from_json(read.to_json()) == read
