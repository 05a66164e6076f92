"""`artsim report` and `artsim-score --report`: the page as a browser would read it."""

from __future__ import annotations

import csv
import json
import re
from itertools import combinations
from pathlib import Path

import pytest

from artsim.evaluation.report import choice, pictures
from tests.command import artsim_in_process
from tests.jobs.page import HOSTILE, Page
from tests.towers import adaptable_card, card, write_paintings, write_tower

ARTISTS = [HOSTILE, "Berthe Morisot", "Łukasz Żółw"]
NAMES = [f"{artist}-{work}.png" for artist in range(3) for work in range(6)]


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tower, 18 works by three artists, all their pairs, and the scores of these."""
    folder = tmp_path_factory.mktemp("report")
    write_tower(folder / "tower.onnx", adaptable_card())
    write_paintings(folder / "im", *NAMES)
    with (folder / "works.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["filename", "artist", "title", "style"])
        rows.writerows([name, ARTISTS[int(name[0])], f"<b>Title</b> {name}", "Old, Dutch"] for name in NAMES)
    lines = [f"{one},{other},{int(one[0] == other[0])}\n" for one, other in combinations(NAMES, 2)]
    (folder / "pairs.csv").write_text("image1,image2,sameArtist\n" + "".join(lines))
    (folder / "unlabelled.csv").write_text(
        "image1,image2\n" + "".join(f"{line.rpartition(',')[0]}\n" for line in lines)
    )
    command = ["score", str(folder / "pairs.csv"), "--data-dir", str(folder / "im"), "--quiet"]
    model = ["--model", str(folder / "tower.onnx")]
    summary = ["--summary", str(folder / "summary.json")]
    assert artsim_in_process(*command, *model, *summary, "-o", str(folder / "scores.csv")) == 0
    return folder


@pytest.fixture
def folder(_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: links to what was made."""
    for path in _made.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


REPORT = ("report", "scores.csv", "--data-dir", "im", "--model", "tower.onnx", "--quiet", "-o", "report.html")


def report(*more: str, command: tuple[str, ...] = REPORT) -> Page:
    assert artsim_in_process(*command, *more) == 0
    return Page(Path("report.html").read_text(encoding="utf-8"))


def test_the_auc_with_its_interval_is_the_first_number(folder: Path) -> None:
    page = report("--works", "works.csv", "--summary", "summary.json")
    metrics = json.loads(Path("summary.json").read_text())
    assert page.open == []
    number = re.search(r"\d\.\d+", page.text)
    assert number is not None
    assert float(number[0]) == pytest.approx(metrics["metrics"]["auc"], abs=0.05)
    before = page.text[: number.start()]
    assert not re.search(r"\d", before)
    assert re.search(r"AUC, 95 % interval \d\.\d+ to \d\.\d+", page.text)
    assert "artists, then paintings" in page.text


def test_names_are_texts_wherever_they_are(folder: Path) -> None:
    page = report("--works", "works.csv")
    raw = Path("report.html").read_text(encoding="utf-8")
    assert "<img" not in raw
    assert "\u202e" not in raw
    assert "\x07" not in raw
    assert raw.count("<script") == 2
    assert len(page.scripts) == 2
    shown = HOSTILE.replace("\u202e", "\\u202e").replace("\x07", "\\u0007")
    assert shown in page.data["artists"]
    assert shown in page.text
    assert any(shown in (attributes.get("title") or "") for _, attributes in page.elements)


def test_the_page_asks_for_nothing_outside_it(folder: Path) -> None:
    page = report("--works", "works.csv")
    raw = Path("report.html").read_text(encoding="utf-8")
    policy = next(each["content"] for tag, each in page.elements if each.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-")
    assert not re.findall(r"(?:https?:)?//[a-z]", re.sub(r"base64,[^\"]*", "", raw.replace("// ", "")))
    assert not re.search(
        r"localStorage|sessionStorage|indexedDB|document\.cookie|fetch\(|XMLHttpRequest|innerHTML", raw
    )
    for tag, attributes in page.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed"), tag
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")


def test_figures_and_controls_are_named(folder: Path) -> None:
    page = report("--works", "works.csv")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert [tag for tag, attributes in page.elements if tag == "html" and attributes.get("lang") == "en"]
    for tag, attributes in page.elements:
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or set((attributes["aria-labelledby"] or "").split()) <= set(
                ids
            )
        if attributes.get("aria-labelledby"):
            assert set((attributes["aria-labelledby"] or "").split()) <= set(ids)
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert {str(link).removeprefix("#") for link in links} <= set(ids)


def test_the_same_scores_give_the_same_bytes(folder: Path) -> None:
    report("--works", "works.csv")
    first = Path("report.html").read_bytes()
    report("--works", "works.csv")
    assert Path("report.html").read_bytes() == first
    assert b"2026" not in first.partition(b"<main")[2].partition(b'id="data"')[0]  # no date


def test_the_report_of_the_run_itself_is_that_of_its_scores(folder: Path) -> None:
    Path("scores.csv").unlink()  # a link
    score = ("score", "pairs.csv", "--data-dir", "im", "--model", "tower.onnx", "-o", "scores.csv", "--quiet")
    own = report("--report", "report.html", "--works", "works.csv", command=score)
    again = report("--works", "works.csv", "--summary", "summary.json")
    assert own.data == again.data
    assert own.text.partition("Command")[0] == again.text.partition("Command")[0]


def test_pairs_and_pictures_beyond_the_bounds_are_left_out_and_counted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice.choose, "__defaults__", (40, 10))
    page = report("--works", "works.csv")
    assert len(page.data["pairs"]) <= 40
    assert len(page.data["pictures"]) == 10
    assert re.search(r"\d+ of 153 scored pairs can be browsed", page.text)
    assert "8 of 18 paintings are not on it" in page.text
    assert "153 pairs of 18 paintings by 3 artists" in page.text


def test_a_bad_picture_costs_its_place_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("im").unlink()
    write_paintings(folder / "im", *NAMES)
    Path("im", NAMES[0]).unlink()
    Path("im", NAMES[1]).write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    page = report("--works", "works.csv")
    boxes = {each["name"]: each["box"] for each in page.data["pictures"]}
    assert [name for name, box in boxes.items() if box is None] == NAMES[:2]
    places = {each["name"]: each["place"] for each in page.data["pictures"]}
    assert [name for name, place in places.items() if place is None] == NAMES[:2]
    assert len(page.data["pairs"]) == 153


def test_without_pictures_there_are_all_metrics(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("nowhere").mkdir()
    assert artsim_in_process("report", "scores.csv", "--data-dir", "nowhere", "-o", "report.html") == 0
    assert "18 of 18 pictures can't be read" in capsys.readouterr().err
    page = Page(Path("report.html").read_text(encoding="utf-8"))
    assert "AUC, 95 % interval" in page.text
    assert "There is no map" in page.text


def test_without_labels_it_says_what_can_be_said(folder: Path) -> None:
    score = ("score", "unlabelled.csv", "--data-dir", "im", "--model", "tower.onnx", "-o", "unlabelled_scores.csv")
    page = report("--report", "report.html", "--quiet", command=score)
    assert "No labels" in page.text
    assert "nobody can say how often the scores are right" in page.text
    assert "AUC, 95" not in page.text
    assert {pair[4] for pair in page.data["pairs"]} == {2}
    assert all(each["place"] for each in page.data["pictures"])
    labelled = report("--works", "works.csv", command=("report", "unlabelled_scores.csv", *REPORT[2:]))
    assert "by the artists of works.csv" in labelled.text
    assert {pair[4] for pair in labelled.data["pairs"]} == {0, 1}


def test_few_pairs_are_too_few_to_judge(folder: Path) -> None:
    lines = Path("scores.csv").read_text().splitlines(keepends=True)
    Path("few.csv").write_text("".join([*lines[:6], *lines[-3:]]))
    page = report(command=("report", "few.csv", *REPORT[2:]))
    assert "Too few to judge" in page.text
    assert not re.search(r"interval \d", page.text)


def test_scores_of_another_tower_are_refused_or_have_no_map(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tower(folder / "other.onnx", card())
    assert artsim_in_process(*REPORT[:4], "--model", "other.onnx", "-o", "report.html") == 3
    assert "its scores are not by the tower other.onnx" in capsys.readouterr().err
    assert artsim_in_process(*REPORT[:4], "-o", "report.html") == 0  # the tower that comes with artsim
    assert "The scores are not by the tower that comes with artsim" in capsys.readouterr().err
    page = Page(Path("report.html").read_text(encoding="utf-8"))
    assert "not known: name it by --model" in page.text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([*REPORT[:-1], "scores.csv"], 2, "--output scores.csv: is the file that SCORES reads"),
        ([*REPORT[:-1], "tower.onnx"], 2, "--output tower.onnx: is the file that --model reads"),
        ([*REPORT[:-1], "im/0-0.png"], 2, "--output im/0-0.png: is a picture"),
        ([*REPORT, "--works", "works.csv", "-o", "works.csv"], 2, "--output works.csv: is the file that --works"),
        ([*REPORT, "--summary", "works.csv"], 3, "works.csv: not the summary of a scoring run"),
        ([*REPORT, "--summary", "none.json"], 3, "none.json: the summary can't be read"),
        ([*REPORT[:-1], "none/report.html"], 8, "there is no folder none"),
        (["report", "pairs.csv", *REPORT[2:]], 3, "pairs.csv: not a file of scores"),
        (["score", "pairs.csv", "--report", "r.html"], 2, "Name that file by --output"),
        (["score", "pairs.csv", "-o", "s.csv", "--report", "r.html", "--top", "9"], 2, "--top writes some of them"),
        (["score", "pairs.csv", "-o", "s.csv", "--report", "pairs.csv"], 2, "--report pairs.csv: is the file that"),
        (["score", "pairs.csv", "-o", "s.csv", "--report", "r.html", "--engine", "spark"], 2, "needs --engine local"),
        (["score", "pairs.csv", "-o", "s.csv", "--report", "r.html", "--format", "kaggle"], 2, "Leave out one of them"),
    ],
)
def test_what_cannot_be_done_is_said_before_work_starts(
    folder: Path, arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert artsim_in_process(*arguments) == code
    assert message in capsys.readouterr().err
    assert not Path("report.html").exists()
    assert not Path("r.html").exists()


def test_a_summary_of_another_run_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = json.loads(Path("summary.json").read_text()) | {"pairs": 12}
    Path("other.json").write_text(json.dumps(other))
    assert artsim_in_process(*REPORT, "--summary", "other.json") == 3
    assert "it is of a run on 12 pairs, but scores.csv has 153" in capsys.readouterr().err


def test_the_page_stays_below_15_mb() -> None:
    # The sheet as base64, 600 pictures with the longest names that are usual, and all pairs.
    sheet = 4 * pictures.MOST_BYTES // 3
    assert sheet + choice.MOST_PICTURES * 1_000 + choice.MOST_PAIRS * 60 + 500_000 < 15_000_000
