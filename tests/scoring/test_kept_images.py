"""`errors="keep"`, tables and progress of the scorer in Python; its numbers are those of the commands."""

from __future__ import annotations

import csv
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import artsim
from artsim.errors import MissingImageError, UsageError
from tests.command import artsim_in_process
from tests.towers import SIZE, adaptable_card, write_paintings, write_tower

NAMES = tuple(f"{number}.png" for number in range(12))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_paintings(tmp_path, *NAMES)
    write_tower(tmp_path / "tower.onnx", adaptable_card())
    (tmp_path / "bad.png").write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def scorer(folder: Path) -> artsim.Scorer:
    return artsim.load("tower.onnx", "cpu")


def test_a_bad_image_keeps_its_row_without_a_score(scorer: artsim.Scorer) -> None:
    scores = scorer.score(["0.png", "bad.png", "0.png"], ["1.png", "lost.png", "lost.png"], errors="keep")
    assert scores.status == ["ok", "image1: unreadable; image2: missing", "image2: missing"]
    assert np.isnan(scores.distance).tolist() == np.isnan(scores.probability).tolist() == [False, True, True]
    assert scores.prediction.tolist()[1:] == [None, None]
    alone = scorer.score("0.png", "1.png")
    assert scores[0][0] == alone.distance
    assert scores.prediction.tolist()[0] == alone.prediction


def test_a_single_bad_pair_has_no_prediction(scorer: artsim.Scorer) -> None:
    score = scorer.score("0.png", "lost.png", errors="keep")
    assert score.status == "image2: missing"
    assert np.isnan([score.distance, score.probability]).all()
    assert score.prediction is None
    assert repr(score) == "Score(distance=nan, probability=nan, prediction=None, status='image2: missing')"
    assert pickle.loads(pickle.dumps(score)).status == score.status  # noqa: S301 - our own pickle


def test_good_scores_are_as_they_were(scorer: artsim.Scorer) -> None:
    scores = scorer.score(["0.png"], ["1.png"], errors="keep")
    distance, probability, prediction = scores
    assert type(prediction) is np.ndarray
    assert prediction.dtype == np.int8
    assert scores.status == ["ok"]
    again = pickle.loads(pickle.dumps(scores))  # noqa: S301 - our own pickle
    assert isinstance(again, artsim.Scores)
    pd.testing.assert_frame_equal(again.to_frame(), scores.to_frame())
    assert (again.distance, again.probability) == (distance, probability)
    score = scorer.score("0.png", "1.png")
    assert repr(score).endswith(f"prediction={score.prediction})")
    assert score == tuple(score)


def test_a_bad_image_embeds_as_a_row_of_nan(scorer: artsim.Scorer) -> None:
    vectors = scorer.embed(["0.png", "lost.png", "1.png"], errors="keep")
    assert np.isnan(vectors).all(axis=1).tolist() == [False, True, False]
    np.testing.assert_array_equal(vectors[[0, 2]], scorer.embed(["0.png", "1.png"]))


def test_errors_are_raised_by_default_and_other_words_refused(scorer: artsim.Scorer) -> None:
    with pytest.raises(MissingImageError, match="lost"):
        scorer.score("0.png", ["1.png", "lost.png"])
    with pytest.raises(UsageError, match="'ignore'"):
        scorer.score("0.png", "1.png", errors="ignore")  # type: ignore[call-overload]


def test_one_image_is_scored_with_many_of_any_kind(scorer: artsim.Scorer, folder: Path) -> None:
    data = (folder / "1.png").read_bytes()
    with (folder / "1.png").open("rb") as file:
        scores = scorer.score("0.png", ["1.png", data, file, folder / "1.png"])
    assert scores.distance.tolist() == [scorer.score("0.png", "1.png").distance] * 4
    assert scorer.score(data, "0.png").distance == scores.distance[0]


@pytest.mark.parametrize("cohort", ["none", "self"])
def test_the_table_has_the_columns_and_the_numbers_of_the_command(
    scorer: artsim.Scorer, folder: Path, cohort: str
) -> None:
    first, second = [*NAMES[:6], "bad.png"], [*NAMES[6:], "0.png"]
    rows = [["image1", "image2"], *zip(first, second, strict=True)]
    (folder / "pairs.csv").write_text("".join(f"{one},{other}\n" for one, other in rows))
    command = ["score", "pairs.csv", "--model", "tower.onnx", "--device", "cpu", "--cohort", cohort, "-o", "scores.csv"]
    assert artsim_in_process(*command, "--max-bad-images", "1", "--quiet") == 0
    works = scorer.cohort(NAMES) if cohort == "self" else None
    frame = scorer.score(first, second, errors="keep", cohort=works).to_frame()
    frame.to_csv("frame.csv", index=False)
    written, of_python = (
        list(csv.DictReader((folder / name).read_text().splitlines())) for name in ("scores.csv", "frame.csv")
    )
    assert list(written[0]) == list(of_python[0])
    for row, other in zip(written, of_python, strict=True):
        for name in ("distance", "probability"):
            np.testing.assert_array_equal(np.float32(row.pop(name) or "nan"), np.float32(other.pop(name) or "nan"))
        assert row == other


def test_an_image_without_a_file_has_no_name_in_the_table(scorer: artsim.Scorer) -> None:
    frame = scorer.score("0.png", [np.zeros((SIZE, SIZE, 3), np.uint8)]).to_frame()
    assert json.loads(frame[["image1", "image2"]].to_json(orient="records")) == [{"image1": "0.png", "image2": None}]


def test_progress_counts_each_different_image(scorer: artsim.Scorer) -> None:
    seen: list[tuple[str, int, int]] = []
    scorer.score("0.png", [*NAMES[1:6], "lost.png"], errors="keep", progress=lambda *at: seen.append(at))
    assert seen[0] == ("images", 0, 7)
    assert seen[-1] == ("images", 7, 7)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
