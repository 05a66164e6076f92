"""`artsim pairs` as typed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.command import artsim_in_process, artsim_process


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with two works by one artist and one by another in `works`, and a csv of the three."""
    for name in ("works/ann/1.png", "works/ann/2.png", "works/bob/3.png", "found.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "works.csv").write_text("filename,style\n1.png,x\n2.png,\n3.png,x\n4.png,y\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_all_pairs_of_a_folder_with_labels(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("pairs", "works") == 0
    out, err = capsys.readouterr()
    assert rows(out) == [
        ["image1", "image2", "sameArtist"],
        ["ann/1.png", "ann/2.png", "1"],
        ["ann/1.png", "bob/3.png", "0"],
        ["ann/2.png", "bob/3.png", "0"],
    ]
    assert err == "3 pairs of 3 works\n"


def test_works_without_a_value_in_the_column_are_left_out_with_a_note(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert artsim_in_process("pairs", "works.csv", "--within", "style") == 0
    out, err = capsys.readouterr()
    assert rows(out) == [["image1", "image2"], ["1.png", "3.png"]]
    assert err.splitlines() == [
        "1 work of 4 without style: in no pair",
        "1 pair of 3 works within 2 values of style, without sameArtist",
    ]


def test_within_artist_of_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("pairs", "works", "--within", "artist", "--quiet") == 0
    out, err = capsys.readouterr()
    assert rows(out)[1:] == [["ann/1.png", "ann/2.png", "1"]]
    assert err == ""


def test_queries_are_paired_with_a_collection(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("pairs", "works", "--queries", "found.png", "--queries", "works/bob") == 0
    out, err = capsys.readouterr()
    assert rows(out) == [
        ["image1", "image2", "sameArtist"],
        [f"{folder}/found.png", "ann/1.png", ""],
        [f"{folder}/found.png", "ann/2.png", ""],
        [f"{folder}/found.png", "bob/3.png", ""],
        ["bob/3.png", "ann/1.png", "0"],
        ["bob/3.png", "ann/2.png", "0"],
    ]
    assert err == "5 pairs of 2 queries with 3 works. sameArtist is empty for 1 work without an artist\n"


def test_the_command_that_scores_the_pairs_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "my works").symlink_to("works")
    (folder / "elsewhere.csv").write_text("filename\nx.png\ny.png\n")
    for source, command in [
        ("my works", "artsim-score pairs.csv --data-dir 'my works' -o scores.csv"),
        ("works.csv", "artsim-score pairs.csv -o scores.csv"),
        ("elsewhere.csv", "artsim-score pairs.csv --data-dir FOLDER_OF_THE_IMAGES -o scores.csv"),
    ]:
        assert artsim_in_process("pairs", source, "-o", "pairs.csv") == 0
        assert capsys.readouterr().err.splitlines()[-1] == f"score them with: {command}"


def test_queries_without_artists_have_no_column_of_labels(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("pairs", "works", "--queries", "found.png") == 0
    out, err = capsys.readouterr()
    assert rows(out)[0] == ["image1", "image2"]
    assert err == "3 pairs of 1 query with 3 works, without sameArtist\n"


def test_pairs_of_queries_by_known_artists_are_labelled(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("pairs", "works", "--queries", "works/ann/2.png") == 0
    assert rows(capsys.readouterr().out)[1:] == [["ann/2.png", "ann/1.png", "1"], ["ann/2.png", "bob/3.png", "0"]]


def test_a_sample_has_both_kinds_and_is_repeatable(demo_csv: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        output = str(tmp_path / f"{name}.csv")
        assert artsim_in_process("pairs", str(demo_csv), "--sample", "100", "--seed", seed, "-o", output) == 0
    one, again, other = ((tmp_path / f"{name}.csv").read_text() for name in "abc")
    assert one == again != other
    assert [row[2] for row in rows(one)[1:]].count("1") == 50


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["lost"], 3, "no such file or folder"),
        (["works/bob"], 3, "no pair can be made of 1 work"),
        (["works.csv", "--within", "group"], 3, "there is no column group"),
        (["works/bob", "--queries", "works/bob/3.png"], 3, "no pair can be made of 1 query with 1 work"),
        (["works", "--sample", "4"], 3, "needs 2 pairs by the same artist, but the collection has 1"),
        (["works.csv", "--sample", "2"], 3, "no artist is known"),
        (["works", "--sample", "2", "--within", "artist"], 2, "Choose one"),
        (["works", "--sample", "1"], 2, "--sample"),
        (["works", "-o", "pairs.txt"], 2, "unknown suffix"),
        (["works", "-o", "lost/pairs.csv"], 8, "there is no folder lost"),
        (["works", "--queries", "works", "--queries", "works"], 3, "queries are named twice"),
    ],
)
def test_the_error_gives_the_reason(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, reason: str
) -> None:
    assert artsim_in_process("pairs", *arguments) == code
    out, err = capsys.readouterr()
    assert reason in err
    assert out == ""


def test_the_names_are_paths_that_the_scorer_finds(demo_csv: Path) -> None:
    made = artsim_process("pairs", "train", "--quiet", cwd=demo_csv.parent)
    assert made.returncode == 0
    assert all((demo_csv.parent / "train" / name).is_file() for row in rows(made.stdout)[1:] for name in row[:2])
