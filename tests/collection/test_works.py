"""The names and artists of works in folders and csv files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from artsim.collection.works import read_works
from artsim.errors import InputError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_works_in_a_folder_are_named_by_their_path(tmp_path: Path) -> None:
    works = read_works(str(touch(tmp_path, "b/2.JPG", "a/1.png", "a/notes.txt")))
    assert works.names == ["a/1.png", "b/2.JPG"]
    assert works.artists == ["a", "b"]
    assert works.folder == tmp_path


def test_works_at_the_top_of_a_folder_have_no_artist_and_others_keep_theirs(tmp_path: Path) -> None:
    assert read_works(str(touch(tmp_path / "flat", "1.png", "2.png"))).artists == [None, None]
    assert read_works(str(touch(tmp_path / "mixed", "1.png", "a/2.png", "a/oil/3.png"))).artists == [None, "a", "a"]


def test_a_csv_is_read_even_if_its_files_do_not_exist(tmp_path: Path) -> None:
    (tmp_path / "works.csv").write_text('filename,group,artist\n"x, 1.jpg",g,Ann\n../y.jpg,,\nz.jpg,g,Ann\n')
    works = read_works(str(tmp_path / "works.csv"))
    assert works.names == ["x, 1.jpg", "../y.jpg", "z.jpg"]
    assert works.artists == ["Ann", None, "Ann"]
    np.testing.assert_array_equal(works.labels("group"), [0, -1, 0])
    np.testing.assert_array_equal(works.labels("Group"), [0, -1, 0])
    with pytest.raises(InputError, match=r"no column style\. The columns are: filename, artist, group"):
        works.labels("style")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("artist\nAnn\n", "no column filename"),
        ("filename\n", "no rows"),
        ("filename\na.jpg\na.jpg\n", "listed twice"),
        ("filename,artist\n ,Ann\n", "1 row without a filename"),
    ],
)
def test_the_error_of_an_unusable_csv_gives_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "works.csv").write_text(text)
    with pytest.raises(InputError, match=reason):
        read_works(str(tmp_path / "works.csv"))


def test_a_missing_or_empty_folder_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        read_works(str(tmp_path / "lost"))
    with pytest.raises(InputError, match="has no images"):
        read_works(str(tmp_path))


def test_a_file_name_that_is_not_utf8_is_an_input_error(tmp_path: Path) -> None:
    try:
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))).touch()
    except OSError:
        pytest.skip("this file system accepts only UTF-8 names")
    with pytest.raises(InputError, match="not UTF-8"):
        read_works(str(tmp_path))
