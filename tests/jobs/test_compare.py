"""`artsim compare` on files of scores: what it prints, the page, and what it refuses."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest

from tests.command import artsim_in_process
from tests.jobs.page import HOSTILE, Page
from tests.towers import card, write_colours, write_tower

ARTISTS = [HOSTILE, *(f"Artist {number}" for number in range(1, 6))]
NAMES = [f"{artist}-{work}.png" for artist in range(6) for work in range(4)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pairs of 24 works by six artists, scored by a tower that sees and by one that sees little."""
    folder = tmp_path_factory.mktemp("compare")
    for number, name in enumerate(NAMES):
        write_colours(folder / "im" / name, seed=number, colour=int(name[0]))
    rows = [("image1", "image2", "sameArtist"), *((a, b, int(a[0] == b[0])) for a, b in combinations(NAMES, 2))]
    turned = [rows[0], *((b, a, same) for a, b, same in reversed(rows[1:-2]))]
    tables: dict[str, Sequence[Sequence[object]]] = {"pairs.csv": rows, "turned.csv": turned}
    tables["works.csv"] = [("filename", "artist"), *works()]
    for name, table in tables.items():
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(table)
    write_tower(folder / "good.onnx", card())
    write_tower(folder / "blind.onnx", card(), blind=True)
    for tower, pairs, output in (("good", "turned", "good"), ("blind", "pairs", "blind")):
        command = ["score", str(folder / f"{pairs}.csv"), "--data-dir", str(folder / "im"), "--quiet"]
        model = ["--model", str(folder / f"{tower}.onnx"), "--cohort", "none"]
        assert artsim_in_process(*command, *model, "-o", str(folder / f"{output}.csv")) == 0
    return folder


def works() -> list[tuple[str, str]]:
    return [(name, ARTISTS[int(name[0])]) for name in NAMES]


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: links to what was made."""
    for path in made.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMPARE = ("compare", "blind.csv", "good.csv", "--data-dir", "im")


def page(*arguments: str) -> Page:
    assert artsim_in_process(*arguments, "--quiet", "--report", "compare.html") == 0
    return Page(Path("compare.html").read_text(encoding="utf-8"))


def test_it_says_which_is_better_in_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process(*COMPARE) == 0
    said = capsys.readouterr().out
    assert re.search(r"B is better than A: AUC \+0\.\d{3} \(0\.\d{3} to 0\.\d{3}\)\.", said)
    assert "Left out: A has 2 pairs that not all lists have." in said
    assert "of 24 paintings by 6 artists" in said
    assert re.search(r"Right by A only: \d+; by B only: \d+; by both: \d+; by neither: \d+\.", said)
    assert artsim_in_process("compare", "good.csv", "blind.csv", "blind.csv") == 0
    assert "A is better than B" in (said := capsys.readouterr().out)
    assert "A is better than C" in said


def test_the_same_scores_do_not_differ(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("compare", "good.csv", "good.csv") == 0
    said = capsys.readouterr().out
    assert "No difference between A and B is shown" in said
    assert "Rank correlation of the distances: 1.00" in said


def test_json_has_the_numbers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process(*COMPARE, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    (own,) = found["sets"]
    (against,) = own["against_first"]
    assert found["pairs"]["compared"] == own["pairs"] == 274
    assert against["outcome"] == "other"
    auc = against["differences"]["auc"]
    assert auc["value"] == pytest.approx(own["metrics"][1]["auc"] - own["metrics"][0]["auc"])
    assert 0 < auc["low"] < auc["value"]
    counts = [against[f"right_by_{who}"] for who in ("first_only", "this_only", "both", "neither")]
    assert sum(counts) == 274


def test_the_page_shows_the_flipped_pairs_of_both_kinds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process(*COMPARE, "--works", "works.csv", "--json") == 0
    (own,) = json.loads(capsys.readouterr().out)["sets"]
    (against,) = own["against_first"]
    found = page(*COMPARE, "--works", "works.csv")
    assert found.open == []
    assert against["sentence"] in found.text
    assert f"Right by B, wrong by A {against['right_by_this_only']} pairs" in found.text
    cards = [attributes for tag, attributes in found.elements if tag == "li" and attributes.get("class") == "card"]
    assert len(cards) == sum(min(24, against[f"right_by_{who}_only"]) for who in ("first", "this"))
    pictures = [
        attributes for tag, attributes in found.elements if (attributes.get("class") or "").startswith("picture ")
    ]
    assert len(pictures) == 2 * len(cards)
    assert all(attributes["aria-label"] in NAMES for attributes in pictures)


def test_the_page_asks_for_nothing_has_no_script_and_names_are_texts(folder: Path) -> None:
    found, raw = page(*COMPARE, "--works", "works.csv"), Path("compare.html").read_text(encoding="utf-8")
    policy = next(each["content"] for _, each in found.elements if each.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert "<script" not in raw
    assert "\u202e" not in raw
    assert HOSTILE.replace("\u202e", "\\u202e").replace("\x07", "\\u0007") in found.text
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in found.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed"), tag
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)
    links = {str(attributes["href"]).removeprefix("#") for tag, attributes in found.elements if tag == "a"}
    assert links <= set(ids)


def test_without_labels_it_shows_agreement(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("good", "blind"):
        rows = list(csv.reader(Path(f"{name}.csv").read_text(encoding="utf-8").splitlines()))
        with Path(f"{name}-plain.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([*row[:2], *row[3:]] for row in rows)
    plain = ("compare", "blind-plain.csv", "good-plain.csv", "--data-dir", "im")
    found = page(*plain)
    assert "Without labels, nobody can say which of A and B is better. The rank correlation is" in found.text
    assert "Predicted otherwise by A and B" in found.text
    assert "AUC" not in found.text
    assert artsim_in_process(*plain, "--works", "works.csv") == 0
    assert "B is better than A" in capsys.readouterr().out


def test_missing_pictures_leave_places(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("nowhere").mkdir()
    assert artsim_in_process(*COMPARE[:4], "nowhere", "--report", "compare.html") == 0
    assert "can't be read. Name their folder by --data-dir." in capsys.readouterr().err
    assert "no picture" in Page(Path("compare.html").read_text(encoding="utf-8")).text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["good.csv"], 2, "at least two files of scores or runs"),
        (["good.csv", "pairs.csv"], 3, "pairs.csv: not a file of scores"),
        (["good.csv", "none.csv"], 3, "none.csv"),
        (["good.csv", "blind.csv", "--report", "good.csv"], 2, "--report good.csv: is the file that"),
        (["good.csv", "blind.csv", "--report", "no/where.html"], 8, "there is no folder no"),
        (["good.csv", "blind.csv", "--pairs", "pairs.csv"], 2, "no run is named"),
        (["good.csv", "blind.csv", "--experiment", "x"], 2, "--experiment lists runs"),
        (["good.csv", "blind.csv", "--prior", "1.5"], 2, "the prior is 1.5"),
        (["--report", "compare.html"], 2, "there is nothing to compare"),
    ],
)
def test_what_cannot_be_compared_is_said(
    folder: Path, arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert artsim_in_process("compare", *arguments) == code
    assert message in capsys.readouterr().err


def test_scores_of_other_pairs_have_nothing_in_common(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Path("good.csv").read_text().splitlines()
    Path("one.csv").write_text("\n".join(lines[:20]) + "\n")
    Path("other.csv").write_text("\n".join([lines[0], *lines[20:]]) + "\n")
    assert artsim_in_process("compare", "one.csv", "other.csv") == 3
    assert "have no scored pair in common" in capsys.readouterr().err
