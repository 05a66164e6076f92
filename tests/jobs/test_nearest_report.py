"""The page of a search, as a browser would read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from artsim.evaluation.report import choice
from artsim.jobs import nearest_report
from tests.command import artsim_in_process
from tests.jobs.page import Page
from tests.towers import adaptable_card, write_paintings, write_tower

NAMES = [f"{number}.png" for number in range(12)]
NEAREST = (
    "nearest", "0.png", "query.png", "--among", "works.csv", "-k", "4", "--with-itself", "--model", "tower.onnx",
    "--quiet", "-o", "found.csv",
)  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gallery by two artists, a query of it and another one."""
    write_tower(tmp_path / "tower.onnx", adaptable_card())
    write_paintings(tmp_path, *NAMES, "query.png")
    artists = ["<i>Ada</i>", "Bo"]
    rows = [f"{name},{artists[row % 2]}" for row, name in enumerate(NAMES)]
    (tmp_path / "works.csv").write_text("\n".join(["filename,artist", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(*more: str) -> Page:
    assert artsim_in_process(*NEAREST, "--report", "found.html", *more) == 0
    return Page(Path("found.html").read_text(encoding="utf-8"))


def test_each_query_is_beside_its_works_and_artists() -> None:
    page = made()
    assert page.open == []
    assert page.scripts == []
    shown = [str(each["aria-label"]) for _, each in page.elements if each.get("role") == "img"]
    assert len(shown) == 2 * (1 + 4)
    assert (shown[0], shown[1], shown[5]) == ("0.png", "0.png", "query.png")
    assert "<i>Ada</i>" in page.text
    assert "Is in the gallery: 0.png" in page.text
    raw = Path("found.html").read_text(encoding="utf-8")
    classes = set(re.findall(r'class="picture (p\d+)"', raw))
    assert classes == {f"p{number}" for number in range(len(classes))}
    assert all(f".{name}{{width:" in raw for name in classes)


def test_queries_beyond_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest_report, "MOST_PICTURES", 6)
    assert choice.MOST_PICTURES == 600
    assert "1 more query is left out" in made().text


def test_a_gallery_without_pictures_is_shown_by_names() -> None:
    assert artsim_in_process("embed", "works.csv", "-o", "store.parquet", "--model", "tower.onnx", "--quiet") == 0
    for name in NAMES[1:]:
        Path(name).unlink()
    page = made("--among", "store.parquet")
    assert [str(each["aria-label"]) for _, each in page.elements if each.get("role") == "img"] == ["0.png", "query.png"]


def test_the_page_replaces_no_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process(*NEAREST, "--report", "works.csv") == 2
    assert "--report works.csv: is the file that --among reads" in capsys.readouterr().err
