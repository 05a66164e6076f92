"""The limit of bad images."""

from __future__ import annotations

from pathlib import Path

import pytest

from artsim.bad_images import BadImageLimit
from artsim.errors import BadImagesError
from tests.command import artsim_in_process

WRONG = ["", "-1", "1.5", "many", "101%", "-1%", "nan%", "%"]


@pytest.mark.parametrize(
    ("text", "bad", "of", "accepted"),
    [("0", 0, 5, True), ("0", 1, 5, False), ("2", 2, 5, True), ("2", 3, 5, False), ("20%", 1, 5, True),
     ("20%", 2, 5, False), ("0%", 1, 1000, False), ("100%", 5, 5, True), ("0.5%", 1, 200, True)],
)  # fmt: skip
def test_a_limit_is_a_count_or_a_share(text: str, bad: int, of: int, accepted: bool) -> None:
    assert BadImageLimit.parse(text).accepts(bad, of) is accepted


@pytest.mark.parametrize("text", WRONG)
def test_other_texts_are_no_limit(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the caller names the flag and says what it expects
        BadImageLimit.parse(text)


@pytest.mark.parametrize("text", WRONG)
def test_the_command_names_the_flag_of_a_wrong_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    pairs, model = str(tmp_path / "pairs.csv"), str(tmp_path / "tower.onnx")
    assert artsim_in_process("score", "--model", model, pairs, "--max-bad-images", text) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "--max-bad-images" in err
    assert repr(text) in err


def test_the_first_of_too_many_bad_images_are_named() -> None:
    reasons = [f"{number}.png: no such file" for number in range(5)]
    BadImageLimit.parse("5").check(reasons, 9, "The rest was written.")
    with pytest.raises(BadImagesError, match=r"5 of 9 images are bad.*2\.png.* and 2 more.*The rest was written\."):
        BadImageLimit.parse("4").check(reasons, 9, "The rest was written.")
