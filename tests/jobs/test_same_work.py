"""Photographs of one painting, as `nearest` marks them and `score --same-work` says them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PIL import Image

from artsim.errors import InputError
from artsim.jobs.score import ScoreOptions, score_pairs
from tests.command import artsim_in_process
from tests.images.makers import painting, saved
from tests.towers import card, write_tower

SIZE = 64


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a tower by which all are near, a painting, two other photographs of it, another painting."""
    write_tower(tmp_path / "tower.onnx", card(image_size=SIZE, threshold=1e9), size=SIZE)
    works = tmp_path / "works"
    works.mkdir()
    picture = Image.fromarray(painting(160, 120))
    saved(picture, works / "colour.png")
    saved(picture.convert("L").resize((80, 60)), works / "grey.jpg")
    saved(picture.crop((8, 6, 150, 112)), works / "cropped.png")
    saved(Image.fromarray(painting(160, 120, seed=1)), works / "other.png")
    (tmp_path / "pairs.csv").write_text(
        "image1,image2\ncolour.png,grey.jpg\ncropped.png,grey.jpg\ncolour.png,other.png\ncolour.png,colour.png\n"
        "colour.png,lost.png\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scored(**options: object) -> list[dict[str, str]]:
    fields = {
        "output": "scores.csv",
        "data_dir": "works",
        "device": "cpu",
        "same_work": True,
        "cohort": "none",
    } | options
    score_pairs(ScoreOptions("tower.onnx", "pairs.csv", **fields))  # type: ignore[arg-type]  # any field
    with Path("scores.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_score_says_which_pairs_are_photographs_of_one_painting(folder: Path) -> None:
    rows = scored()
    assert list(rows[0])[-2:] == ["status", "same_work"]
    assert [row["same_work"] for row in rows] == ["1", "1", "0", "1", ""]
    assert [row["status"] for row in rows] == ["ok"] * 4 + ["image2: missing"]
    assert "same_work" not in scored(same_work=False)[0]


def test_stored_embeddings_need_the_files_to_tell(folder: Path) -> None:
    scored(embeddings="store.parquet", same_work=False)
    assert [row["same_work"] for row in scored(embeddings="store.parquet")] == ["1", "1", "0", "1", ""]
    (folder / "works" / "grey.jpg").unlink()
    assert [row["same_work"] for row in scored(embeddings="store.parquet")] == ["", "", "0", "1", ""]


def test_pairs_above_the_threshold_are_no_copies_and_a_taken_name_is_refused(folder: Path) -> None:
    assert [row["same_work"] for row in scored(threshold=1e-9)] == ["0", "0", "0", "1", ""]
    (folder / "pairs.csv").write_text("image1,image2,same_work\ncolour.png,grey.jpg,x\n")
    with pytest.raises(InputError, match="has a column 'same_work'"):
        scored()


def test_spark_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "score",
        "pairs.csv",
        "--model",
        "tower.onnx",
        "--engine",
        "spark",
        "--same-work",
        "-o",
        "scores.parquet",
    ]
    assert artsim_in_process(*command) == 2
    assert "--same-work needs --engine local" in capsys.readouterr().err


def test_a_search_marks_copies(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["nearest", "works/colour.png", "--model", "tower.onnx", "--device", "cpu"]
    assert artsim_in_process(*command, "--among", "works") == 0
    out, err = capsys.readouterr()
    rows = {row["image"]: row["copy"] for row in csv.DictReader(out.splitlines())}
    assert rows == {"grey.jpg": "1", "cropped.png": "1", "other.png": "0"}
    assert "photographs of the same painting, which say nothing about its artist: " in err
    assert artsim_in_process("embed", "works", "-o", "store.parquet", *command[2:]) == 0
    capsys.readouterr()
    assert artsim_in_process(*command, "--among", "store.parquet") == 0
    assert {row["copy"] for row in csv.DictReader(capsys.readouterr().out.splitlines())} == {""}
