"""`artsim nearest` as typed, with a tiny real tower."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import artsim
from artsim.files import file_sha256
from artsim.scoring.embedding_store import EmbeddingStore, read_store, write_store
from tests.command import artsim_in_process
from tests.towers import card, write_paintings, write_tower


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a tower, works by two artists, a query, and a copy of one of the works."""
    write_tower(tmp_path / "tower.onnx")
    write_paintings(tmp_path / "works" / "ann", "1.png", "2.png", "3.png")
    write_paintings(tmp_path / "works" / "bob", "4.png", "5.png")
    write_paintings(tmp_path, "query.png")
    shutil.copy(tmp_path / "works" / "bob" / "4.png", tmp_path / "copy.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def nearest(*arguments: str, among: str = "works") -> int:
    return artsim_in_process("nearest", "--model", "tower.onnx", "--device", "cpu", "--among", among, *arguments)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def store_works(folder: Path) -> None:
    """Write the embeddings of `works` to works.parquet."""
    names = ["ann/1.png", "ann/2.png", "ann/3.png", "bob/4.png", "bob/5.png"]
    paths = [folder / "works" / name for name in names]
    scorer = artsim.load(folder / "tower.onnx", "cpu")
    artists: list[str | None] = [name[:3] for name in names]
    contents = [file_sha256(path) for path in paths]
    store = EmbeddingStore(
        file_sha256(folder / "tower.onnx"), scorer.card, names, contents, artists, scorer.embed(paths)
    )
    write_store(folder / "works.parquet", store)


def test_works_are_csv_with_the_nearest_first_and_the_scorers_numbers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nearest("query.png") == 0
    out, err = capsys.readouterr()
    found = rows(out)
    assert [row["rank"] for row in found] == ["1", "2", "3", "4", "5"]
    assert {row["image"] for row in found} == {"ann/1.png", "ann/2.png", "ann/3.png", "bob/4.png", "bob/5.png"}
    assert all(row["artist"] == row["image"][:3] for row in found)
    scores = artsim.load("tower.onnx", "cpu").score(["query.png"] * 5, [f"works/{row['image']}" for row in found])
    np.testing.assert_allclose([float(row["distance"]) for row in found], scores.distance, rtol=1e-5)
    np.testing.assert_allclose([float(row["probability"]) for row in found], scores.probability, rtol=1e-4)
    assert (np.diff(scores.distance) >= 0).all()
    assert err.splitlines()[0] == "searched 5 works by 2 artists"


def test_a_folder_a_csv_and_an_embedding_store_give_the_same_rows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "works.csv").write_text(
        "artist,filename\nann,ann/1.png\nann,ann/2.png\nann,ann/3.png\nbob,bob/4.png\nbob,bob/5.png\n"
    )
    store_works(folder)
    outputs = []
    for among, options in (("works", []), ("works.csv", ["--data-dir", "works"]), ("works.parquet", [])):
        assert nearest("query.png", "-k", "3", *options, among=among) == 0
        outputs.append(capsys.readouterr().out)
    assert len(rows(outputs[0])) == 3
    assert outputs[0] == outputs[1]
    # A store has no pictures, so the last column, copy, is empty.
    assert [row | {"copy": ""} for row in rows(outputs[0])] == rows(outputs[2])


def test_unknown_artists_of_a_store_are_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store_works(folder)
    store = read_store(folder / "works.parquet")
    artists = ["Unknown" if artist == "bob" else artist for artist in store.artists]
    write_store(folder / "works.parquet", replace(store, artists=artists))
    assert nearest("query.png", among="works.parquet") == 0
    out, err = capsys.readouterr()
    assert {row["artist"] for row in rows(out)} == {"ann", ""}
    assert "works.parquet: 2 works by an unknown artist: 'Unknown' (2). These works have no artist." in err


@pytest.mark.parametrize("among", ["works", "works.parquet"])
def test_a_query_in_the_gallery_is_not_compared_with_itself(
    folder: Path, capsys: pytest.CaptureFixture[str], among: str
) -> None:
    store_works(folder)
    assert nearest("copy.png", among=among) == 0
    out, err = capsys.readouterr()
    assert "bob/4.png" not in [row["image"] for row in rows(out)]
    assert "copy.png: is in the gallery and left out: bob/4.png" in err
    assert nearest("copy.png", "--with-itself", among=among) == 0
    out, err = capsys.readouterr()
    assert (rows(out)[0]["image"], rows(out)[0]["distance"]) == ("bob/4.png", "0.0")
    assert "copy.png: is in the gallery: bob/4.png" in err


def test_artists_are_ranked_in_another_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert nearest("query.png", "copy.png", "-o", "works.jsonl", "--artists", "artists.csv", "--quiet") == 0
    works = [json.loads(line) for line in (folder / "works.jsonl").read_text().splitlines()]
    artists = rows((folder / "artists.csv").read_text())
    assert [(row["query"], row["rank"]) for row in artists] == [
        ("query.png", "1"), ("query.png", "2"), ("copy.png", "1"), ("copy.png", "2"),
    ]  # fmt: skip
    for query in ("query.png", "copy.png"):
        shares = [float(row["share"]) for row in artists if row["query"] == query]
        assert [float(row["probability"]) for row in artists if row["query"] == query] == shares  # the former name
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        for row in artists:
            if row["query"] == query:
                own = [work["distance"] for work in works if (work["query"], work["artist"]) == (query, row["artist"])]
                assert float(row["distance"]) == pytest.approx(np.mean(own), rel=1e-5)
    assert {row["artist"]: row["works"] for row in artists} == {"ann": "3", "bob": "2"}
    assert works[0]["unlike"] is None  # unknown for collections below 20 works
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_tables(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "works" / "ann").rename(folder / "works" / "[red]ann")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")  # text without bold and colours
    assert nearest("copy.png", "--quiet") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "copy.png"
    assert "is in the gallery and left out: bob/4.png" in lines[1]
    assert sum("[red]ann" in line for line in lines) == 4  # the artist and three works
    assert any(line.split() == ["artist", "share", "distance", "works"] for line in lines)
    assert any(line.split() == ["work", "probability", "distance", "artist"] for line in lines)
    cells = next(line for line in lines if "ann/1.png" in line).split()
    assert re.fullmatch(r"\d+ %|under 1 %|over 99 %", " ".join(cells[2:-2]))
    assert not any("validation" in line for line in lines)


def test_below_the_tables_stands_how_often_validation_queries_were_right(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"precision_at_1": 0.912, "precision_at_1_low": 0.841, "precision_at_1_high": 0.948}
    write_tower(folder / "tower.onnx", card(validation={f"val_unseen/{name}": value for name, value in found.items()}))
    assert nearest("copy.png", "-o", "works.csv", "--report", "found.html", "--quiet") == 0
    assert capsys.readouterr().out == ""
    assert "91 % (84 to 95 %) by artists never seen in training" in (folder / "found.html").read_text()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert nearest("copy.png", "query.png", "--quiet") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.count("91 % (84 to 95 %) by artists never seen in training") == 1


def test_works_without_known_artists_have_no_ranked_artists(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert nearest("query.png", "--artists", "artists.csv", among="works/ann") == 0
    out, err = capsys.readouterr()
    assert [row["artist"] for row in rows(out)] == ["", "", ""]
    assert rows((folder / "artists.csv").read_text()) == []
    assert err.splitlines()[0] == "searched 3 works"


def test_readable_queries_are_answered_before_the_others_are_reported(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "text.png").write_text("not a picture")
    assert nearest("query.png", "lost.png", "text.png", "-o", "works.csv") == 3
    assert {row["query"] for row in rows((folder / "works.csv").read_text())} == {"query.png"}
    said = capsys.readouterr().err.splitlines()
    assert "error: 2 of 3 queries can't be used." in said
    assert [line for line in said if "lost.png" in line] == ["query left out: 'lost.png': no such file"]
    assert sum("text.png" in line for line in said) == 1
    assert nearest("query.png", "lost.png", "text.png", "-o", "works.csv", "--quiet") == 3
    quiet = "2 of 3 queries can't be used: 'lost.png': no such file; text.png: not an image"
    assert quiet in capsys.readouterr().err


def test_bad_works_are_left_out_and_count_against_the_limit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "works" / "bob" / "6.png").write_text("not a picture")
    assert nearest("query.png", "-o", "works.csv") == 4
    assert len(rows((folder / "works.csv").read_text())) == 5
    said = capsys.readouterr().err
    assert "1 of 6 images are bad, more than --max-bad-images allows. The queries" in said
    assert said.count("works/bob/6.png") == 1
    assert nearest("query.png", "-o", "works.csv", "--quiet") == 4
    assert "1 of 6 images are bad, more than --max-bad-images allows: works/bob/6.png" in capsys.readouterr().err
    assert nearest("query.png", "--max-bad-images", "20%") == 0
    assert "searched 5 works by 2 artists; 1 of 6 can't be used:\n  works/bob/6.png: not" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["query.png", "--among", "lost"], 3, "lost: no such file or folder"),
        (["query.png", "--among", "lost.parquet"], 3, "lost.parquet: no such file"),
        (["query.png", "--among", "tower.parquet"], 3, "not an embedding store"),
        (["lost.png", "--among", "works"], 3, "no query can be used: 'lost.png': no such file"),
        (["empty", "--among", "works"], 3, "empty: the folder has no images"),
        (["query.png", "--among", "damaged"], 3, "none of its 1 images can be used"),
        (["--among", "works"], 2, "QUERY"),
        (["query.png", "--among", "works", "-k", "0"], 2, "-k"),
        (["query.png", "--among", "works", "-o", "works.parquet"], 2, "csv or jsonl, without compression"),
        (["query.png", "--among", "works", "--prior", "2"], 2, "prior"),
        (["query.png", "--among", "works", "--artists", "lost/a.csv"], 8, "there is no folder"),
    ],
)
def test_the_error_gives_the_reason(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, reason: str
) -> None:
    (folder / "empty").mkdir()
    (folder / "damaged").mkdir()
    (folder / "damaged" / "x.png").write_text("not a picture")
    shutil.copy(folder / "tower.onnx", folder / "tower.parquet")
    assert artsim_in_process("nearest", "--model", "tower.onnx", "--device", "cpu", *arguments) == code
    out, err = capsys.readouterr()
    assert reason in err
    assert out == ""


def test_an_embedding_store_of_another_model_exits_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store_works(folder)
    write_tower(folder / "tower.onnx", scale=1 / 128)
    assert nearest("query.png", among="works.parquet") == 3
    assert "another model" in capsys.readouterr().err


def test_a_query_that_is_named_twice_is_answered_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "link.png").symlink_to("query.png")
    assert nearest("query.png", "works/../query.png", "link.png", "-k", "1") == 0
    assert [row["query"] for row in rows(capsys.readouterr().out)] == ["query.png", "link.png"]
