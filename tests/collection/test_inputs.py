"""Folders, csvs and files become one list of named images."""

from __future__ import annotations

from pathlib import Path

import pytest

from artsim.collection.inputs import NamedImage, list_images
from artsim.errors import InputError
from tests.towers import write_paintings


def names(images: list[NamedImage]) -> list[str]:
    return [image.name for image in images]


def test_a_folder_gives_the_images_of_all_subfolders_named_by_their_path(tmp_path: Path) -> None:
    write_paintings(tmp_path / "works", "b.png", "a.PNG")
    write_paintings(tmp_path / "works" / "deep" / "er", "c.jpg")
    (tmp_path / "works" / "notes.txt").write_text("no image")
    (tmp_path / "works" / "folder.jpg").mkdir()
    found = list_images([str(tmp_path / "works")])
    assert names(found) == ["a.PNG", "b.png", "deep/er/c.jpg"]
    assert [image.path for image in found] == [tmp_path / "works" / name for name in names(found)]
    assert [image.artist for image in found] == [None, None, "deep"]


def test_a_csv_names_images_and_artists(tmp_path: Path) -> None:
    write_paintings(tmp_path / "train", "a.png", "b.png")
    (tmp_path / "train_info.csv").write_text("artist,filename,style\nMonet,b.png,x\nManet,a.png,y\n")
    found = list_images([str(tmp_path / "train_info.csv")])
    assert [(image.name, image.artist) for image in found] == [("b.png", "Monet"), ("a.png", "Manet")]
    (tmp_path / "train").rename(tmp_path / "elsewhere")
    found = list_images([str(tmp_path / "train_info.csv")], tmp_path / "elsewhere")
    assert found[0].path == tmp_path / "elsewhere" / "b.png"


def test_a_csv_needs_no_artists(tmp_path: Path) -> None:
    write_paintings(tmp_path, "a.png")
    (tmp_path / "works.csv").write_text("filename\na.png\n")
    assert list_images([str(tmp_path / "works.csv")]) == [NamedImage("a.png", tmp_path / "a.png", None)]


def test_single_files_are_named_as_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_paintings(tmp_path / "works", "a.png", "b.png")
    monkeypatch.chdir(tmp_path)
    assert names(list_images(["works/a.png", "./works/a.png", "works"])) == [
        "works/a.png",
        "./works/a.png",
        "a.png",
        "b.png",
    ]


def test_one_image_given_twice_is_listed_once_with_its_artist(tmp_path: Path) -> None:
    write_paintings(tmp_path, "a.png")
    (tmp_path / "works.csv").write_text("filename,artist\na.png,Monet\n")
    (image,) = list_images([str(tmp_path), str(tmp_path / "works.csv")])
    assert (image.name, image.artist) == ("a.png", "Monet")


def test_copies_of_one_name_are_one_image_and_different_images_are_an_error(tmp_path: Path) -> None:
    write_paintings(tmp_path / "one", "a.png")
    write_paintings(tmp_path / "two", "a.png", "b.png")
    folders = [str(tmp_path / "one"), str(tmp_path / "two")]
    assert names(list_images(folders)) == ["a.png", "b.png"]
    (tmp_path / "two" / "b.png").replace(tmp_path / "two" / "a.png")
    with pytest.raises(InputError, match=r"'a\.png'.*one/a\.png and .*two/a\.png"):
        list_images(folders)


@pytest.mark.parametrize(
    ("source", "message"),
    [("nowhere", "no such file or folder"), ("empty", "has no images"), ("bad.csv", "no column filename")],
)
def test_an_input_without_images_is_an_input_error(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.csv").write_text("file\na.png\n")
    with pytest.raises(InputError, match=message):
        list_images([str(tmp_path / source)])


@pytest.mark.parametrize("other", ["TRAIN\\A.png", "/home/x/train/a.png"])
def test_two_works_of_one_file_are_refused(tmp_path: Path, other: str) -> None:
    write_paintings(tmp_path / "train", "a.png")
    (tmp_path / "works.csv").write_text(f"filename\ntrain/a.png\n{other}\n")
    with pytest.raises(InputError, match=r"works\.csv: 1 work with the file of another work: 'train/a\.png' and '"):
        list_images([str(tmp_path / "works.csv")])
