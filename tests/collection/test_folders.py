"""Folders of images: works, litter, links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from artsim import images
from artsim.collection.folders import artist_of, find_folder, list_folder
from artsim.errors import InputError
from tests.collection.test_works import touch
from tests.towers import write_paintings

LITTER = [
    "._a.jpg", ".DS_Store", ".hidden.jpg", "@eaDir/a.jpg", "__MACOSX/ann/._a.jpg", "$RECYCLE.BIN/a.jpg",
    ".ipynb_checkpoints/a.jpg", "Thumbs.db", "System Volume Information/a.jpg", "desktop.ini", "#recycle/a.jpg",
    "lost+found/a.jpg", ".Trash-1000/files/a.jpg", "ann/@EADIR/a.jpg", "ann/~$a.jpg",
]  # fmt: skip


def test_the_suffixes_are_those_of_the_formats_that_are_read() -> None:
    read = {".jpg", ".jpe", ".jfif", ".png", ".tif", ".webp", ".avif", ".jp2", ".j2k", ".ppm", ".qoi", ".psd", ".sgi"}
    assert read <= images.suffixes()
    assert not {".eps", ".pdf", ".tga", ".h5", ".csv", ""} & images.suffixes()


@pytest.mark.parametrize("suffix", [".jp2", ".avif", ".ppm", ".jpe", ".qoi", ".j2k", ".SGI", ".webp", ".bmp", ".gif"])
def test_every_format_that_is_read_is_listed(tmp_path: Path, suffix: str) -> None:
    write_paintings(tmp_path / "ann", f"a{suffix}")
    assert list_folder(tmp_path).names == [f"ann/a{suffix}"]
    assert images.load(tmp_path / "ann" / f"a{suffix}", 8).shape == (8, 8, 3)


@pytest.mark.parametrize("litter", LITTER)
def test_litter_is_passed_over_and_counted(tmp_path: Path, litter: str) -> None:
    listing = list_folder(touch(tmp_path, "ann/a.jpg", litter))
    assert listing.names == ["ann/a.jpg"]
    (note,) = listing.notes(tmp_path)
    assert note.startswith(f"{tmp_path}: 1 passed over: 1 hidden or left by programs (")


def test_one_line_says_what_is_passed_over_by_suffix(tmp_path: Path) -> None:
    listing = list_folder(touch(tmp_path, "a.jpg", "1.txt", "2.TXT", "b/3.heic2", "README", "._a.jpg"))
    assert listing.notes(tmp_path) == [
        f"{tmp_path}: 5 passed over: 2 .txt; 1 without a suffix; 1 .heic2; 1 hidden or left by programs (._a.jpg)."
    ]
    assert list_folder(touch(tmp_path / "clean", "a.jpg")).notes(tmp_path) == []


def test_a_folder_may_be_hidden_itself(tmp_path: Path) -> None:
    assert list_folder(touch(tmp_path / ".cache", "a.jpg")).names == ["a.jpg"]


def test_links_are_followed_once_and_a_broken_one_is_an_image(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere", "a.png")
    works = touch(tmp_path / "works", "c.png")
    (works / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "round").symlink_to(works)
    (works / "b.png").symlink_to(tmp_path / "elsewhere" / "a.png")
    (works / "dead.png").symlink_to(tmp_path / "nowhere.png")
    listing = list_folder(works)
    assert listing.names == ["b.png", "c.png", "dead.png", "linked/a.png"]
    assert listing.notes(works) == [
        f"{works}: 1 passed over: 1 link to folders listed already (linked/round).",
        f"{works}: 1 image missing, links to files that are not there: dead.png.",
    ]


def test_a_folder_that_can_not_be_read_is_an_input_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a/1.jpg", "b/2.jpg")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"b: the folder can't be read \(Permission denied\)"):
        list_folder(tmp_path)


def test_a_folder_without_images_says_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"has no images.* such as .jpg, .png, .tif, .webp and .* more kinds.*1 passed over: 1 \.txt"
    ):
        list_folder(touch(tmp_path, "a.txt"))


@pytest.mark.parametrize(("name", "artist"), [("a.jpg", ""), ("Ann/a.jpg", "Ann"), ("Ann/oil/old/a.jpg", "Ann")])
def test_the_first_folder_is_the_artist(name: str, artist: str) -> None:
    assert artist_of(name) == artist


def test_one_file_of_many_is_enough_to_find_their_folder(tmp_path: Path) -> None:
    touch(tmp_path / "images", "61.jpg")
    names = [f"{number}.jpg" for number in range(62)]
    assert find_folder(tmp_path / "x.csv", tmp_path / "images", names) == tmp_path / "images"
    with pytest.raises(InputError, match=r"none of its 61 files is in .*\. The first is '0\.jpg'\. Name .* --data-dir"):
        find_folder(tmp_path / "x.csv", tmp_path / "images", names[:61])


def test_names_that_are_no_file_names_are_missing_files(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    assert find_folder(tmp_path / "x.csv", None, ["a" * 5000, "\0", "a.jpg"]) == tmp_path


def test_the_folder_of_a_compressed_csv_is_found(tmp_path: Path) -> None:
    touch(tmp_path / "train", "a.jpg")
    assert find_folder(tmp_path / "train_info.csv.gz", None, ["a.jpg"]) == tmp_path / "train"
