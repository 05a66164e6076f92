"""Scores that are sorted, cut to the best rows, and joined with the works."""

from __future__ import annotations

import csv
import gzip
from itertools import combinations
from pathlib import Path

import pytest
from pyarrow import parquet

from artsim.jobs.score import ScoreOptions, score_pairs
from artsim.jobs.steps import best_rows
from tests.command import artsim_in_process
from tests.towers import write_paintings, write_tower

NAMES = [f"{number}.png" for number in range(7)]
COMMAND = ("score", "pairs.csv", "--model", "tower.onnx", "--device", "cpu", "--quiet", "--max-bad-images", "1")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All pairs of seven works and a missing one."""
    monkeypatch.chdir(tmp_path)
    write_tower(tmp_path / "tower.onnx")
    write_paintings(tmp_path, *NAMES)
    rows = [f"{one},{other}" for one, other in combinations([*NAMES[:3], "lost.png", *NAMES[3:]], 2)]
    (tmp_path / "pairs.csv").write_text("\n".join(["image1,image2", *rows]) + "\n")
    (tmp_path / "works.csv").write_text('filename,artist,style\n0.png,Ann,"Cubism, Fauvism"\n1.png,Bo,\n')
    return tmp_path


def rows(output: str, *more: str) -> list[dict[str, str]]:
    assert artsim_in_process(*COMMAND, "-o", output, *more) == 0
    if output.endswith(".parquet"):
        return [{name: "" if cell is None else str(cell) for name, cell in row.items()}
                for row in parquet.read_table(output).to_pylist()]  # fmt: skip
    data = Path(output).read_bytes()
    return list(csv.DictReader((gzip.decompress(data) if output.endswith(".gz") else data).decode().splitlines()))


@pytest.mark.parametrize("sort", ["probability", "distance"])
@pytest.mark.parametrize("output", ["s.csv", "s.csv.gz", "s.parquet"])
def test_sorted_rows_are_the_same_rows_the_best_first_and_those_without_a_score_last(sort: str, output: str) -> None:
    plain, found = rows("plain.csv"), rows(output, "--sort", sort)
    scored = sorted((row for row in plain if row["distance"]), key=lambda row: float(row["distance"]))
    wanted = [*scored, *(row for row in plain if not row["distance"])]
    assert [(row["image1"], row["image2"], row["status"]) for row in found] == [
        (row["image1"], row["image2"], row["status"]) for row in wanted
    ]
    assert [row["status"] for row in found[-7:]].count("ok") == 0


@pytest.mark.parametrize("block_bytes", [30, 100, 2**20])
def test_the_best_rows_do_not_depend_on_the_blocks(block_bytes: int) -> None:
    wanted = rows("all.csv", "--sort", "distance")[:4]
    options = ScoreOptions(model="tower.onnx", pairs="pairs.csv", output="s.csv", device="cpu", top=4)
    summary = score_pairs(options, block_bytes=block_bytes)
    assert list(csv.DictReader(Path("s.csv").read_text().splitlines())) == wanted
    assert (summary.pairs, summary.rows_written) == (28, 4)
    assert ("rows", "the best 4 of 28") in summary.lines()


def test_standard_output_has_the_best_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process(*COMMAND, "--top", "2") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        ",".join(row.values()) for row in rows("s.csv", "--sort", "distance")[:2]
    ]


def test_the_works_are_joined_in() -> None:
    found = {(row["image1"], row["image2"]): row for row in rows("s.csv", "--works", "works.csv")}
    one = found["0.png", "1.png"]
    assert [one[name] for name in ("artist1", "artist2", "style1", "style2")] == ["Ann", "Bo", "Cubism, Fauvism", ""]
    other = found["2.png", "lost.png"]
    assert [other[name] for name in ("artist1", "artist2", "style1", "style2")] == [""] * 4
    assert "artist1" in rows("s.csv", "--works", "works.csv", "--sort", "distance", "--report", "r.html")[0]


def test_a_file_with_no_rows_stays_empty() -> None:
    Path("pairs.csv").write_text("image1,image2\n")
    assert rows("s.csv", "--top", "3") == []


def test_too_many_rows_to_sort_are_refused_unless_they_are_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(best_rows, "MOST_SORTED", 20)
    assert artsim_in_process(*COMMAND, "-o", "s.csv", "--sort", "distance") == 3
    assert "has 28 rows, and at most 20 are sorted. Add --top N" in capsys.readouterr().err
    assert len(rows("s.csv", "--sort", "distance", "--top", "5")) == 5


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (["--top", "3", "--report", "r.html"], "--top writes some of them"),
        (["--top", "3", "--format", "kaggle"], "Leave out --top"),
        (["--sort", "distance", "--works", "works.csv", "--format", "kaggle"], "Leave out --works and --sort"),
        (["--top", "3", "--engine", "spark"], "--top needs --engine local"),
        (["--works", "works.csv", "--sort", "distance", "--engine", "spark"], "--works and --sort need --engine local"),
    ],
)
def test_what_does_not_go_together_exits_2(more: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process(*COMMAND, "-o", "s.csv", *more) == 2
    assert reason in capsys.readouterr().err
    assert not Path("s.csv").exists()
