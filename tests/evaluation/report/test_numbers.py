from __future__ import annotations

import pytest

from artsim.evaluation.report.numbers import Estimate, percent, says_something, share_text, short, too_few_text


@pytest.mark.parametrize(
    ("estimate", "text", "interval"),
    [
        (Estimate(0.8583, 0.7901, 0.9046), "0.86", "0.79 to 0.90"),
        (Estimate(0.8583, 0.62, 0.99), "0.9", "0.6 to 1.0"),
        (Estimate(0.8583, 0.8551, 0.8612), "0.858", "0.855 to 0.861"),
        (Estimate(1.0, 1.0, 1.0), "1.000", "1.000 to 1.000"),
        (Estimate(0.8583), "0.86", ""),
    ],
)
def test_an_estimate_has_no_more_digits_than_its_interval_allows(estimate: Estimate, text: str, interval: str) -> None:
    assert (estimate.text, estimate.interval) == (text, interval)


def test_an_interval_over_half_of_the_scale_says_nothing() -> None:
    assert Estimate(0.7, 0.5, 0.9).is_useful
    assert not Estimate(0.7, 0.4, 0.95).is_useful
    assert not Estimate(0.7).is_useful


def test_shares_near_the_ends_are_not_rounded_to_them() -> None:
    assert [percent(share) for share in (0, 0.001, 0.014, 0.5, 0.996, 1)] == [
        "0 %", "under 1 %", "1 %", "50 %", "over 99 %", "100 %",
    ]  # fmt: skip
    assert [short(value) for value in (0.5, 1.36837, 123.4)] == ["0.500", "1.37", "123"]


@pytest.mark.parametrize(
    ("same", "different", "auc", "says"),
    [
        (10, 10, Estimate(0.8, 0.7, 0.9), True),
        (9, 1000, Estimate(0.8, 0.7, 0.9), False),
        (1000, 9, Estimate(0.8, 0.7, 0.9), False),
        (1000, 1000, Estimate(0.8), False),
        (1000, 1000, None, False),
    ],
)
def test_ten_pairs_of_each_kind_and_an_interval_say_something(
    same: int, different: int, auc: Estimate | None, says: bool
) -> None:
    assert says_something(same, different, auc) is says


def test_what_is_too_few_is_told_with_its_numbers() -> None:
    told = too_few_text(1, 1200, Estimate(0.7, 0.31, 0.92))
    assert told == "too few to judge: 1 pair by one artist, 1,200 by two; 95 % interval of the AUC 0.3 to 0.9"
    assert too_few_text(2, 0, None) == "too few to judge: 2 pairs by one artist, 0 by two"


def test_a_share_has_its_interval_and_no_more_digits() -> None:
    assert share_text(Estimate(0.763, 0.721, 0.802)) == "76 % (72 to 80 %)"
    assert share_text(Estimate(0.763, 0.52, 0.95)) == "80 % (52 to 95 %)"
    assert share_text(Estimate(0.763)) == "76 %"
