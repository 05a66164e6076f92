"""Pictures as a request holds them: bytes, base64 and paths that stay in their folder."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

import artsim
from artsim.scoring.pair_requests import file_below, from_base64, score_request
from artsim.scoring.scorer import Scorer
from tests.towers import familiar_card, write_paintings, write_tower


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    write_paintings(folder, "a.png", "b.png")
    write_paintings(folder / "inner", "c.png")
    write_paintings(tmp_path, "outside.png")
    return folder


@pytest.fixture
def scorer(tmp_path: Path) -> Scorer:
    return artsim.load(write_tower(tmp_path / "tower.onnx", familiar_card()), "cpu")


def test_bytes_base64_and_paths_of_one_picture_have_one_score(scorer: Scorer, pictures: Path) -> None:
    data = (pictures / "a.png").read_bytes()
    lines, plain = base64.encodebytes(data).decode(), base64.b64encode(data).decode()
    cells = [data, bytearray(data), memoryview(data), lines, plain, f"data:image/png;base64,{plain}", "a.png"]
    scored = score_request(scorer, cells, ["b.png"] * len(cells), pictures)
    assert scored.status == ["ok"] * len(cells)
    expected = scorer.score(pictures / "a.png", pictures / "b.png")
    assert scored.scores.distance.tolist() == pytest.approx([expected.distance] * len(cells))
    assert scored.scores.probability[0] == pytest.approx(expected.probability)


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        (None, "missing"),
        (float("nan"), "missing"),
        (7, "missing"),
        ("", "missing"),
        ("nothing.png", "missing"),
        ("inner", "missing"),
        ("../outside.png", "missing"),
        ("inner/../../outside.png", "missing"),
        ("{outside}", "missing"),
        ("link.png", "missing"),
        ("folder/outside.png", "missing"),
        ("a\0.png", "missing"),
        (b"", "unreadable"),
        (b"no picture", "unreadable"),
        (base64.b64encode(bytes(60)).decode(), "unreadable"),
        ("A" * 41, "missing"),
    ],
)
def test_a_bad_picture_costs_its_row_only(
    scorer: Scorer, pictures: Path, tmp_path: Path, cell: object, status: str
) -> None:
    (pictures / "link.png").symlink_to(tmp_path / "outside.png")
    (pictures / "folder").symlink_to(tmp_path)
    cell = str(tmp_path / "outside.png") if cell == "{outside}" else cell
    scored = score_request(scorer, [cell, "a.png"], ["a.png", "b.png"], pictures)
    assert scored.status == [f"image1: {status}", "ok"]
    assert scored.good.tolist() == [False, True]


def test_a_picture_with_too_many_pixels_is_too_large(tmp_path: Path, pictures: Path) -> None:
    scorer = artsim.load(write_tower(tmp_path / "tower.onnx"), "cpu", max_pixels=10)
    assert score_request(scorer, ["a.png"], ["b.png"], pictures).status == ["image1: too large; image2: too large"]


def test_a_link_that_stays_in_the_folder_is_followed(pictures: Path) -> None:
    (pictures / "link.png").symlink_to("inner/c.png")
    assert file_below(pictures.resolve(), "link.png") == pictures.resolve() / "inner" / "c.png"


def test_no_path_is_found_without_a_folder(scorer: Scorer, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pictures)
    assert score_request(scorer, ["a.png"], ["b.png"]).status == ["image1: missing; image2: missing"]


def test_a_request_without_rows_has_no_scores(scorer: Scorer) -> None:
    scored = score_request(scorer, [], [])
    assert (len(scored.scores.distance), scored.status) == (0, [])


def test_threshold_and_prior_change_the_scores(scorer: Scorer, pictures: Path) -> None:
    usual, other = (
        score_request(scorer, ["a.png"], ["b.png"], pictures, *rule).scores for rule in ((None, None), (1e6, 0.9))
    )
    assert (usual.prediction[0], other.prediction[0]) == (0, 1)
    assert usual.probability[0] < other.probability[0]
    with pytest.raises(artsim.UsageError, match="the prior is 2"):
        score_request(scorer, [], [], prior=2)


@pytest.mark.parametrize("text", ["", "a.png", "A" * 40 + ".", "A" * 41, "=" * 44])
def test_a_text_that_is_no_base64_is_a_path(text: str) -> None:
    assert from_base64(text) is None
