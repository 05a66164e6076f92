"""Wording that messages share."""

from __future__ import annotations

from artsim.messages import line_each


def test_bad_images_take_a_line_each_up_to_ten() -> None:
    assert line_each([]) == []
    assert line_each(["a", "b"]) == ["a", "b"]
    assert line_each([str(number) for number in range(12)])[9:] == ["9", "… and 2 more"]
