"""The page in a browser: choosing, dropping and pasting pictures, a search, errors, and a program that has ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chromium import Tab, tab
from tests.server.pages import NAMES, running_page
from tests.towers import adaptable_card, write_paintings, write_tower

DONE = "!document.querySelector('#result').hidden"
FAULT = "!document.querySelector('#fault').hidden"
# A picture as the clipboard or a drag gives it, put into an event.
GIVEN = """(async () => {
  const blob = await (await fetch('/pictures/0')).blob();
  const data = new DataTransfer();
  data.items.add(new File([blob], 'given.webp', { type: blob.type }));
  %s
})()"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    write_tower(folder / "tower.onnx", adaptable_card())
    write_paintings(folder / "Works", *NAMES)
    write_paintings(folder, "a.png", "b.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def opened(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tab]:
    """A tab, whose page asked for nothing else and said nothing on its console."""
    monkeypatch.chdir(folder)
    with tab(tmp_path / "profile") as found:
        yield found


def text(page: Tab, selector: str) -> str:
    return str(page.run(f"document.querySelector({selector!r}).innerText"))


@pytest.mark.slow
def test_a_first_visitor_sees_an_answer_after_one_click(folder: Path, opened: Tab) -> None:
    with running_page("--model", "tower.onnx", cwd=folder) as (_, address):
        opened.open(address)
        opened.run("document.querySelector('.try').click()")
        opened.until(DONE)
        # To the tower's 16 pixels, the two paintings may be one.
        assert text(opened, "#result-title").startswith(("The paintings speak ", "Both images show the same painting."))
        assert "distance" in text(opened, "#result")
        assert opened.run("document.activeElement.id") == "result"
        shown = "[...document.querySelectorAll('.slot-view img')].every((each) => each.naturalWidth > 0)"
        opened.until(shown)
        assert opened.run("localStorage.length + sessionStorage.length + document.cookie.length") == 0
        assert opened.console == []
        assert [url for url in opened.requests if not url.startswith((address, f"blob:{address}"))] == []


@pytest.mark.slow
def test_pictures_are_chosen_dropped_and_pasted_and_a_gallery_is_searched(folder: Path, opened: Tab) -> None:
    with running_page("--model", "tower.onnx", "--among", "Works", "-k", "5", cwd=folder) as (process, address):
        opened.open(address)
        opened.choose("#image1", "a.png")
        opened.choose("#image2", "b.png")
        opened.until(DONE)
        drop = "document.querySelectorAll('.slot')[1].dispatchEvent("
        drop += "new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data }));"
        opened.run(GIVEN % drop)
        opened.until(f"{DONE} && document.querySelectorAll('.slot-name')[1].textContent === 'given.webp'")
        opened.run("document.querySelector('.slot-remove').click()")
        assert opened.run("document.querySelector('#result').hidden")
        opened.run(GIVEN % "dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }));")
        opened.until(DONE)
        assert "same painting" in text(opened, "#result-title")

        opened.run("document.querySelector('input[value=nearest]').click()")
        assert opened.run("document.querySelector('#result').hidden")
        opened.choose("#image", "a.png")
        opened.until(DONE)
        pictures = "[...document.querySelectorAll('.neighbours img')]"
        opened.until(f"{pictures}.length === 5 && {pictures}.every((each) => each.naturalWidth > 0)")
        assert opened.console == []

        opened.choose("#image", "notes.txt")
        opened.until(FAULT)
        assert text(opened, "#fault p").startswith("Notes.txt: not an image in a format that artsim reads")
        assert opened.run("document.querySelector('#fault button').hidden")
        assert all("status of 422" in said for said in opened.console)
        process.kill()
        process.wait()
        opened.choose("#image", "b.png")
        opened.until(f"{FAULT} && document.querySelector('#fault p').innerText.includes('Is it still running')")
        assert not opened.run("document.querySelector('#fault button').hidden")
        assert [url for url in opened.requests if not url.startswith((address, f"blob:{address}"))] == []
