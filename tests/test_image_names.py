r"""Names that are no files as they are written: of Windows, of another machine, of Excel, of a Mac."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim import image_names
from artsim.errors import InputError
from artsim.image_names import ImageNames
from artsim.messages import quoted

FILES = [
    "train/3.jpg",
    "train/Öl 1.JPG",
    "other/4.jpg",
    "a/twin.jpg",
    "b/twin.jpg",
    "top.png",
    "rembrandt/1.jpg",
    "2.jpg",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in [*FILES, "@eaDir/hidden.jpg", ".trash/hidden.jpg", "__MACOSX/hidden.jpg"]:
        (tmp_path / "im" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "im" / name).touch()
    (tmp_path / "outside.jpg").touch()
    return tmp_path / "im"


FOUND = {
    "train\\3.jpg": "train/3.jpg",
    ".\\train\\3.jpg": "train/3.jpg",
    "train//3.jpg ": "train/3.jpg",
    " train/3.jpg": "train/3.jpg",
    "train / 3.jpg\u00a0": "train/3.jpg",
    '"train/3.jpg"': "train/3.jpg",
    "\ufefftrain/3.jpg": "train/3.jpg",
    "train/3.JPG": "train/3.jpg",
    "Train/3.Jpg": "train/3.jpg",
    "TOP.PNG": "top.png",
    "C:\\Users\\me\\pictures\\train\\3.jpg": "train/3.jpg",
    "C:train\\3.jpg": "train/3.jpg",
    '"C:\\Users\\me\\train\\3.jpg"': "train/3.jpg",
    "\\\\server\\share\\train\\3.jpg": "train/3.jpg",
    "/home/other/train/3.jpg": "train/3.jpg",
    "/home/other/TRAIN/3.JPG": "train/3.jpg",
    "~/data/train/3.jpg": "train/3.jpg",
    "..\\train\\3.jpg": "train/3.jpg",
    "../data/train/3.jpg": "train/3.jpg",
    "C:\\Users\\me\\top.png": "top.png",
    "D:/top.png": "top.png",
    "im/train/3.jpg": "train/3.jpg",
    "x/../train\\3.jpg": "train/3.jpg",
    "3.jpg": "train/3.jpg",
    "train/" + unicodedata.normalize("NFD", "Öl 1.JPG"): "train/Öl 1.JPG",
    "train\\" + unicodedata.normalize("NFD", "öl 1.jpg"): "train/Öl 1.JPG",
    "train/%C3%96l%201.JPG": "train/Öl 1.JPG",
    "train%5C3.jpg": "train/3.jpg",
    "file:///home/other/train/3.jpg": "train/3.jpg",
    "file:///C:/Users/me/train/%C3%96l%201.jpg": "train/Öl 1.JPG",
    "file://localhost/home/other/train/3.jpg": "train/3.jpg",
}


@pytest.mark.parametrize("name", FOUND)
def test_the_one_file_that_a_name_can_mean_is_found_and_said(folder: Path, name: str) -> None:
    lookup = ImageNames(folder)
    assert lookup.path(name) == folder / FOUND[name]
    assert lookup.note.startswith("1 name was found under another spelling (")
    assert lookup.note.endswith(f"), such as {quoted(name)} as {FOUND[name]!r}")
    assert lookup.faults([name]) == {}


WAYS = {
    "train\\3.jpg": "folder separators",
    "train/3.JPG": "letter case",
    "train/3.jpg ": "spaces or quotes",
    "/home/x/train/3.jpg": "the folders above",
    "train/" + unicodedata.normalize("NFD", "Öl 1.JPG"): "Unicode form",
    "train/%C3%96l 1.JPG": "percent-encoding",
}


@pytest.mark.parametrize("name", WAYS)
def test_the_note_says_in_what_the_names_differ(folder: Path, name: str) -> None:
    lookup = ImageNames(folder)
    lookup.paths([name, f"{name}"])
    assert f"({WAYS[name]})" in lookup.note


def test_one_line_counts_all_names(folder: Path) -> None:
    lookup = ImageNames(folder)
    lookup.paths(["top.png", "train\\3.jpg", "other\\4.JPG", "none.jpg", ""])
    assert lookup.note == (
        "2 names were found under another spelling (folder separators, letter case), such as 'train\\\\3.jpg' as "
        "'train/3.jpg'"
    )


@pytest.mark.parametrize(
    ("names", "both"),
    [
        (["C:\\me\\train\\3.jpg", "/home/x/train/3.jpg", "top.png"], True),
        (["train/3.JPG", "train/3.jpg"], True),
        (["train/3.jpg", "train/3.JPG"], True),
        (["train/3.jpg", "top.png", "none.jpg", "NONE.jpg"], False),
    ],
)
def test_two_names_of_one_file_are_noticed(folder: Path, names: list[str], both: bool) -> None:
    lookup = ImageNames(folder)
    lookup.paths(names)
    assert lookup.shared(names) == ([(names[0], names[1])] if both else [])


def test_names_on_a_file_system_without_letter_case_are_compared_as_files(folder: Path) -> None:
    (folder / "TOP.png").hardlink_to(folder / "top.png")
    lookup, names = ImageNames(folder), ["top.png", "TOP.png", "train/3.jpg"]
    lookup.paths(names)
    assert lookup.shared(names) == [("top.png", "TOP.png")]


def test_the_note_says_if_two_names_are_one_file(folder: Path) -> None:
    lookup = ImageNames(folder)
    lookup.paths(["/y/train/3.jpg", "/x/train/3.jpg"])
    assert lookup.note.endswith("; '/y/train/3.jpg' and '/x/train/3.jpg' are one file")


NOT_FOUND = {
    "twin.jpg": "several fit: 'a/twin.jpg' or 'b/twin.jpg'",
    "C:\\me\\twin.jpg": "did you mean 'a/twin.jpg' or 'b/twin.jpg'",
    "vermeer/1.jpg": "did you mean 'rembrandt/1.jpg'",  # another folder is another work
    "/home/x/vermeer/1.jpg": "did you mean 'rembrandt/1.jpg'",
    "rembrandt/2.jpg": "did you mean '2.jpg'",  # should be in the folder that is there
    "/home/x/rembrandt/2.jpg": "did you mean '2.jpg'",
    "trian/top.pgn": "did you mean 'top.png'",
    "https://example.org/train/3.jpg": "a URL (https)",
    "HTTP://example.org/3.jpg": "a URL (http)",
    "s3://bucket/train/3.jpg": "a URL (s3)",
    "gs://bucket/train/3.jpg": "a URL (gs)",
    "file:///nowhere/lost.jpg": "a URL (file)",
}


@pytest.mark.parametrize("name", NOT_FOUND)
def test_a_name_that_means_no_file_for_sure_is_explained(folder: Path, name: str) -> None:
    lookup = ImageNames(folder)
    assert lookup.path(name) == folder / name
    assert (lookup.note, lookup.found) == ("", 0)
    assert lookup.faults([name])[name].startswith(f"{name!r}: ")
    assert NOT_FOUND[name] in lookup.faults([name])[name]


@pytest.mark.parametrize(
    "name", ["hidden.jpg", "..\\outside.jpg", "/x/outside.jpg", "zzz", "\\", "/", "..\\..", "a\0b", "%", "x" * 5000]
)
def test_a_name_means_no_hidden_file_none_outside_and_no_folder(folder: Path, name: str) -> None:
    assert ImageNames(folder).path(name) == folder / name


def test_names_in_different_folders_are_not_taken_for_one_file(folder: Path) -> None:
    names = ImageNames(folder)
    assert names.path("C:\\x\\rubens\\top.png") == folder / "top.png"
    assert names.path("rubens\\top.png") == folder / "top.png"
    with pytest.raises(InputError, match=r"rubens.*top\.png.*gogh.*top\.png' are in different folders"):
        names.path("C:\\x\\gogh\\top.png")


def test_a_file_as_it_is_written_is_used_and_nothing_is_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_names, "_walk", None)
    (folder / "train\\3.jpg").touch()
    names = ["train/3.jpg", "./top.png", "train\\3.jpg", str(folder.parent / "outside.jpg"), "../outside.jpg"]
    lookup = ImageNames(folder)
    assert [lookup.path(name) for name in names] == [folder / name for name in names]
    assert (lookup.path(""), lookup.note) == (None, "")


def test_a_file_url_of_this_machine_is_its_file(folder: Path) -> None:
    file = folder.parent / "a b.jpg"
    file.touch()
    assert ImageNames(folder).path(file.as_uri()) == file


def test_spelling_decides_between_files_that_differ_in_it(folder: Path) -> None:
    for name in ("x/Öl.jpg", "x/öl.jpg", "x/" + unicodedata.normalize("NFD", "Öl.jpg")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    lookup = ImageNames(folder)
    assert lookup.path("x\\öl.jpg") == folder / "x/öl.jpg"
    assert lookup.path("x\\Öl.jpg") == folder / "x/Öl.jpg"
    assert lookup.path("x\\ÖL.JPG") == folder / "x\\ÖL.JPG"
    assert "several fit" in lookup.faults(["x\\ÖL.JPG"])["x\\ÖL.JPG"]


def test_a_place_comes_before_a_deeper_one_unless_the_root_is_unknown(folder: Path) -> None:
    (folder / "old/train").mkdir(parents=True)
    (folder / "old/train/3.jpg").touch()
    lookup = ImageNames(folder)
    assert lookup.path("train\\3.jpg") == folder / "train/3.jpg"
    assert lookup.path("C:\\train\\3.jpg") == folder / "C:\\train\\3.jpg"
    assert "several fit" in lookup.faults(["C:\\train\\3.jpg"])["C:\\train\\3.jpg"]


def test_a_folder_that_contains_itself_is_listed_once(folder: Path) -> None:
    (folder / "train/loop").symlink_to(folder)
    assert ImageNames(folder).path("train\\3.jpg") == folder / "train/3.jpg"


def test_a_folder_with_too_many_files_is_not_searched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_names, "MAX_FILES", 3)
    lookup = ImageNames(folder)
    assert lookup.path("train\\3.jpg") == folder / "train\\3.jpg"
    assert "too many files" in lookup.faults(["train\\3.jpg"])["train\\3.jpg"]


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert ImageNames(tmp_path / "none").path("a\\b.jpg") == tmp_path / "none" / "a\\b.jpg"


@given(st.text(max_size=30) | st.from_regex(r"(C:)?[/\\]?(train|TRAIN|..|\.)[/\\ ]+3\.jpe?g[ %]*", fullmatch=True))
def test_any_text_is_a_name(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    place = tmp_path_factory.getbasetemp() / "names"
    (place / "train").mkdir(parents=True, exist_ok=True)
    (place / "train/3.jpg").touch()
    lookup = ImageNames(place)
    path = lookup.path(name)
    if name and lookup.found:
        assert path == place / "train/3.jpg"
    else:
        assert path == (place / name if name else None)
    lookup.faults([name])
