"""`artsim.nearest` gives the answers of the command."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path
from typing import assert_type

import numpy as np
import pytest

import artsim
from artsim.errors import BadImagesError, InputError, UsageError
from tests.command import artsim_in_process
from tests.towers import adaptable_card, write_paintings, write_tower


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_tower(tmp_path / "tower.onnx", adaptable_card())
    write_paintings(tmp_path / "works" / "ann", *(f"{number}.png" for number in range(6)))
    write_paintings(tmp_path / "works" / "bob", *(f"{number}.png" for number in range(6, 11)))
    write_paintings(tmp_path, "query.png", "other.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tables_are_those_of_the_command(folder: Path) -> None:
    command = ["nearest", "query.png", "other.png", "--among", "works", "--model", "tower.onnx", "-k", "4"]
    assert artsim_in_process(*command, "-o", "works.csv", "--artists", "artists.csv", "--quiet") == 0
    found = artsim.nearest(["query.png", "other.png"], "works", model="tower.onnx", k=4)
    assert_type(found, list[artsim.Nearest])
    for name, frames in (
        ("works.csv", [each.to_frame() for each in found]),
        ("artists.csv", [each.artists_frame() for each in found]),
    ):
        with (folder / name).open() as file:
            rows = list(csv.DictReader(file))
        ours = [row for frame in frames for row in frame.to_dict("records")]
        numbers = ("distance", "probability") if name == "works.csv" else ("distance", "share")
        former = {"probability"} if name == "artists.csv" else set()  # of share
        assert [column for column in rows[0] if column not in former] == list(ours[0])
        for row, own in zip(rows, ours, strict=True):
            assert [np.float32(row[key]) for key in numbers] == [own[key] for key in numbers]
            assert (row["query"], row["rank"], row["artist"]) == (own["query"], str(own["rank"]), own["artist"])


def test_an_opened_scorer_gives_the_answer_of_its_file(folder: Path) -> None:
    scorer = artsim.load("tower.onnx", "cpu")
    found = artsim.nearest(folder / "query.png", folder / "works", model=scorer, cohort="none")
    assert_type(found, artsim.Nearest)
    expected = [scorer.score("query.png", folder / "works" / work.image).distance for work in found.works]
    assert [work.distance for work in found.works] == expected
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own pickle


def test_queries_come_back_in_their_order_also_if_they_are_one_file(folder: Path) -> None:
    names = ["other.png", "query.png", "./query.png", "other.png"]
    found = artsim.nearest(names, "works", model="tower.onnx")
    assert [Path(each.query).name for each in found] == ["other.png", "query.png", "query.png", "other.png"]
    assert found[1].works == found[2].works
    assert artsim.nearest([], "works", model="tower.onnx") == []


def test_a_bad_query_is_raised_or_kept_with_its_problem(folder: Path) -> None:
    (folder / "bad.png").write_bytes(b"no picture")
    names = ["bad.png", "query.png", "lost.png"]
    with pytest.raises(InputError, match=r"bad\.png.*errors='keep'"):
        artsim.nearest(names, "works", model="tower.onnx")
    bad, good, lost = artsim.nearest(names, "works", model="tower.onnx", errors="keep")
    assert (len(good.works), good.problem) == (10, "")
    assert [bad.works, lost.works] == [[], []]
    assert "bad.png" in bad.problem
    assert "lost.png" in lost.problem
    assert bad.to_frame().columns.tolist() == good.to_frame().columns.tolist()


def test_if_all_queries_are_bad_they_are_raised_or_kept_too(folder: Path) -> None:
    with pytest.raises(InputError, match=r"lost\.png"):
        artsim.nearest("lost.png", "works", model="tower.onnx")
    assert "no such file" in artsim.nearest("lost.png", "works", model="tower.onnx", errors="keep").problem


def test_a_bad_work_is_raised_or_left_out(folder: Path) -> None:
    (folder / "works" / "ann" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(BadImagesError, match=r"1 of 12 images.*bad\.png"):
        artsim.nearest("query.png", "works", model="tower.onnx")
    assert len(artsim.nearest("query.png", "works", model="tower.onnx", k=99, errors="keep").works) == 11


def test_columns_are_named_as_in_the_command(folder: Path) -> None:
    (folder / "works.csv").write_text('"File, scan",Painter\nann/0.png,Ann\nbob/6.png,Bob\n')
    columns = {"filename": "File, scan", "artist": "Painter"}
    found = artsim.nearest("query.png", "works.csv", model="tower.onnx", data_dir="works", columns=columns)
    assert {artist.artist for artist in found.artists} == {"Ann", "Bob"}
    with pytest.raises(UsageError, match="columns: 'file=File'"):
        artsim.nearest("query.png", "works.csv", model="tower.onnx", columns={"file": "File"})


def test_what_makes_no_sense_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="k is 0"):
        artsim.nearest("query.png", "works", model="tower.onnx", k=0)
    with pytest.raises(UsageError, match=r"images_in\('works'\)"):
        artsim.nearest("works", "works", model="tower.onnx")
