"""The page as a browser reads it: what it offers, and how names are shown."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from artsim.evaluation.report.page import style_of, templates
from tests.jobs.page import Page
from tests.server.pages import NAMES, client, opened_ui
from tests.towers import adaptable_card, write_paintings, write_tower

HOSTILE = "</details><script>alert(1)</script>\u202e.png"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_tower(tmp_path / "tower.onnx", adaptable_card())
    write_paintings(tmp_path / "works", *NAMES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def text_of(path: str, **options: object) -> str:
    answer = client(opened_ui(**options)).get(path)
    assert answer.status_code == 200
    return answer.text


def test_without_a_gallery_there_are_paintings_to_try() -> None:
    page = Page(text_of("/"))
    assert page.open == []
    assert page.scripts == []
    tries = [each for tag, each in page.elements if tag == "button" and "data-first" in each]
    assert len(tries) == 3
    assert "artsim ui --among FOLDER" in page.text
    assert "A picture may have 1 MB" in page.text


def test_everything_that_the_page_asks_for_is_there() -> None:
    asked = client(opened_ui())
    page = Page(asked.get("/").text)
    needed = {
        str(each.get("src") or each.get("href")) for tag, each in page.elements if tag in ("script", "link", "img")
    }
    assert {"/page/style.css", "/page/script.js", "/page/icon.svg"} < needed
    assert {path: asked.get(path).status_code for path in needed} == dict.fromkeys(needed, 200)


def test_every_file_field_has_a_label_and_every_reference_a_target() -> None:
    page = Page(text_of("/", among="works"))
    ids = [str(each["id"]) for _, each in page.elements if "id" in each]
    assert len(ids) == len(set(ids))
    fields = [str(each["id"]) for tag, each in page.elements if tag == "input" and each.get("type") == "file"]
    assert fields == ["image1", "image2", "image"]
    labels = [each.get("for") for tag, each in page.elements if tag == "label"]
    assert set(fields) <= set(labels)
    targets = {
        str(each[name]) for _, each in page.elements for name in ("aria-describedby", "aria-labelledby") if name in each
    }
    # The script makes the title of a result.
    assert targets - {"result-title"} <= set(ids)


def test_the_style_is_that_of_the_reports_and_more() -> None:
    style = text_of("/page/style.css")
    assert style.startswith(style_of(templates(), "style.css"))
    used = set(re.findall(r"var\((--[\w-]+)\)", style))
    assert used <= set(re.findall(r"(--[\w-]+):", style))  # the colours are there
    assert "&#" not in style
    assert "url(" not in style
    assert "@import" not in style


def test_the_script_uses_no_storage_and_no_markup() -> None:
    script = text_of("/page/script.js")
    assert not re.search(
        r"localStorage|sessionStorage|indexedDB|cookie|innerHTML|outerHTML|insertAdjacent|eval\(", script
    )
    assert re.findall(r"https?://[^\"'` ]+", script) == ["http://www.w3.org/2000/svg"]


def test_a_gallery_with_bad_images_says_so_and_names_are_escaped(tmp_path: Path) -> None:
    lost = [f"lost{number}.png" for number in range(3)]
    with (tmp_path / "works.csv").open("w", encoding="utf-8") as file:
        csv.writer(file).writerows([("filename", "artist"), *((name, "Ada") for name in [*NAMES, HOSTILE, *lost])])
    page = Page(text_of("/", among="works.csv", data_dir="works"))
    assert page.open == []
    assert page.scripts == []
    assert "The gallery: works.csv" in page.text
    assert "Searched 12 works by 1 artist; 4 of 16 can't be used" in page.text
    assert "4 images can't be used" in page.text
    assert "</details><script>alert(1)</script>\\u202e.png': no such file" in page.text
    assert "lost2.png" in page.text
    assert "works/lost" not in page.text
    assert "Try it with these" not in page.text
