"""`artsim cluster` as typed: its rows, its summary and its page, with a tiny real tower."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from artsim.jobs import cluster as job
from artsim.jobs import cluster_report
from tests.command import artsim_in_process
from tests.jobs.page import Page
from tests.towers import card, write_tower

NAMES = [f"{artist}/{work}.png" for artist in ("<i>Ada", "Bo", "Cy") for work in range(6)]
COMMAND = ("cluster", "works", "--model", "tower.onnx", "--device", "cpu", "--threshold", "0.5")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Works of three colours, one for each artist, a work of a fourth colour, and a copy."""
    monkeypatch.chdir(tmp_path)
    write_tower(tmp_path / "tower.onnx", card(threshold=0.1))  # a copy is nearer than a quarter of it
    rng = np.random.default_rng(0)
    for place, name in enumerate([*NAMES, "Bo/grey.png"]):
        colour = [(250, 20, 20), (20, 250, 20), (20, 20, 250), (120, 120, 120)][place // 6]
        path = tmp_path / "works" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = rng.integers(-9, 6, (8, 8, 3))
        Image.fromarray((np.array(colour) + noise).astype(np.uint8)).save(path)
    (tmp_path / "works" / "Cy" / "copy.png").write_bytes((tmp_path / "works" / "Cy" / "0.png").read_bytes())
    return tmp_path


def rows(*more: str) -> list[dict[str, str]]:
    assert artsim_in_process(*COMMAND, "-o", "c.csv", "--quiet", *more) == 0
    return list(csv.DictReader(Path("c.csv").read_text(encoding="utf-8").splitlines()))


def test_each_work_has_a_row_cluster_by_cluster_and_works_alone_come_last() -> None:
    found = rows()
    assert list(found[0]) == ["filename", "artist", "cluster", "works", "probability", "copy_of"]
    assert sorted(row["filename"] for row in found) == sorted([*NAMES, "Bo/grey.png", "Cy/copy.png"])
    assert [(row["artist"], row["cluster"], row["works"]) for row in found[:7]] == [("Cy", "1", "7")] * 7
    assert {row["artist"] for row in found if row["cluster"] == "2"} in ({"Bo"}, {"<i>Ada"})
    assert [found[-1][name] for name in ("filename", "cluster", "works", "probability")] == ["Bo/grey.png", "", "1", ""]
    surest = [float(row["probability"]) for row in found[:7]]
    assert surest == sorted(surest, reverse=True)
    assert [row["copy_of"] for row in found if row["filename"] == "Cy/copy.png"] == ["Cy/0.png"]


def test_jsonl_parquet_and_a_store_say_the_same() -> None:
    found = rows()
    assert artsim_in_process(*COMMAND, "-o", "c.jsonl", "--quiet") == 0
    lines = [json.loads(line) for line in Path("c.jsonl").read_text(encoding="utf-8").splitlines()]
    assert artsim_in_process("embed", "works", "-o", "store.parquet", "--model", "tower.onnx", "--quiet") == 0
    store = ["cluster", "store.parquet", *COMMAND[2:], "-o", "c.parquet", "--quiet"]
    assert artsim_in_process(*store) == 0
    stored = parquet.read_table("c.parquet").to_pylist()
    probabilities = [[row.pop("probability") for row in each] for each in (lines, stored)]
    assert lines == stored
    assert probabilities[0] == [each and float(str(np.float32(each))) for each in probabilities[1]]
    assert [str(line["cluster"] or "") for line in lines] == [row["cluster"] for row in found]
    assert probabilities[0][-1] is None


def test_the_summary_says_how_well_clusters_agree_with_the_artists(capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process(*COMMAND, "-o", "c.csv") == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().err.splitlines())
    told = {name.strip(): text.strip() for name, text in lines.items()}
    assert told["works"] == "20 works"
    assert told["clusters"] == "3, with 19 works"
    assert told["alone"] == "1 work"
    assert told["copies"] == "1 work with a copy in the same cluster"
    assert told["artists"].startswith("adjusted Rand index 0.9")


def test_a_terminal_shows_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    assert artsim_in_process(*COMMAND, "--quiet") == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["cluster", "works", "probability", "artists"] in shown
    assert any(line[:2] == ["1", "7"] and line[-2:] == ["Cy", "7"] for line in shown)


def test_the_page_shows_all_works_with_escaped_names(monkeypatch: pytest.MonkeyPatch) -> None:
    rows("--report", "c.html")
    page = Page(Path("c.html").read_text(encoding="utf-8"))
    assert page.open == []
    assert page.scripts == []
    shown = [str(each["aria-label"]) for _, each in page.elements if each.get("role") == "img"]
    assert sorted(shown) == sorted([*NAMES, "Bo/grey.png", "Cy/copy.png"])
    assert "<i>Ada" in page.text
    assert "A photograph of the same painting as Cy/0.png." in page.text
    assert "Works alone: 1" in page.text
    monkeypatch.setattr(cluster_report, "MOST_PICTURES", 9)
    rows("--report", "c.html")
    page = Page(Path("c.html").read_text(encoding="utf-8"))
    assert sum(each.get("role") == "img" for _, each in page.elements) == 9
    assert "works without a picture here" in page.text
    assert all(name in page.text for name in NAMES)


@pytest.mark.parametrize(
    ("more", "code", "reason"),
    [
        (["--probability", "0.9"], 2, "--threshold and --probability are two ways to cut"),
        (["--threshold", "0"], 2, "give a distance above 0"),
        (["-o", "c.txt"], 2, "unknown suffix"),
        (["--report", "works/Bo/1.png"], 2, "works/Bo/1.png"),
        (["--columns", "artist=A"], 2, "--columns"),
        (["--report", "lost/c.html"], 8, "there is no folder"),
    ],
)
def test_the_error_gives_the_reason(
    more: list[str], code: int, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert artsim_in_process(*COMMAND, *more) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert reason in err


def test_a_probability_is_a_cut_and_one_out_of_range_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    command = [*COMMAND[:-2], "-o", "c.csv"]
    assert artsim_in_process(*command, "--probability", "1") == 2
    assert "between 0 and 1" in capsys.readouterr().err
    assert artsim_in_process(*command, "--probability", "0.5") == 0
    assert "a probability of 50 %" in capsys.readouterr().err


def test_too_many_works_are_refused_before_they_are_embedded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "MOST_WORKS", 19)
    for path in Path("works").rglob("*.png"):
        path.write_bytes(b"no picture")
    assert artsim_in_process(*COMMAND) == 3
    assert "works: has 20 works, and at most 19 can be compared" in capsys.readouterr().err


def test_bad_works_count_against_the_limit_after_all_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    Path("works/Bo/1.png").write_bytes(b"no picture")
    assert artsim_in_process(*COMMAND, "-o", "c.csv") == 4
    assert len(Path("c.csv").read_text(encoding="utf-8").splitlines()) == 20
    assert "19 works; 1 can't be used: works/Bo/1.png" in capsys.readouterr().err
    assert artsim_in_process(*COMMAND, "-o", "c.csv", "--max-bad-images", "1") == 0
