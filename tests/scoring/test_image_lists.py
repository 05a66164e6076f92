"""One image or several, of every kind that the scorer takes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import artsim
from artsim.errors import InputError, UsageError
from artsim.files import file_sha256
from artsim.scoring.image_lists import as_list, content_sha256, distinct_images, name_of, paired
from tests.towers import write_paintings


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    write_paintings(tmp_path, "a.png")
    return tmp_path / "a.png"


def test_bytes_and_file_objects_are_single_images(picture: Path) -> None:
    data = picture.read_bytes()
    with picture.open("rb") as file:
        file.read(5)  # it is read from its start all the same
        for image in (data, file, io.BytesIO(data)):
            assert as_list(image) == ([data], True)
        assert as_list([data, file]) == ([data, data], False)


def test_a_stream_that_can_not_be_rewound_is_read_from_where_it_is(picture: Path) -> None:
    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert as_list(Stream(picture.read_bytes()))[0] == [picture.read_bytes()]


def test_a_file_object_of_text_is_refused() -> None:
    with pytest.raises(UsageError, match="mode 'rb'"):
        as_list(io.StringIO("text"))  # type: ignore[arg-type]


def test_a_folder_in_place_of_an_image_is_an_error_that_says_how_to_list_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"artsim\.images_in\("):
        as_list(tmp_path)


def test_the_images_of_a_folder_are_those_of_the_commands(tmp_path: Path) -> None:
    write_paintings(tmp_path / "b", "2.png", "1.jpg")
    write_paintings(tmp_path, "c.png")
    (tmp_path / "notes.txt").write_text("no image")
    assert artsim.images_in(tmp_path) == [tmp_path / name for name in ("b/1.jpg", "b/2.png", "c.png")]
    for wrong in (tmp_path / "none", tmp_path / "c.png"):
        with pytest.raises(InputError, match="no such folder"):
            artsim.images_in(str(wrong))


@pytest.mark.parametrize(("one", "other"), [("a", ["b", "c"]), (["b", "c"], "a")])
def test_one_image_is_paired_with_each_of_several(one: str | list[str], other: str | list[str]) -> None:
    first, second, is_single = paired(one, other)
    assert not is_single
    assert list(zip(first, second, strict=True)) in ([("a", "b"), ("a", "c")], [("b", "a"), ("c", "a")])


def test_one_image_and_none_are_no_pairs() -> None:
    assert paired("a", []) == ([], [], False)


def test_bytes_have_the_digest_of_their_file_and_equal_bytes_are_one_image(picture: Path) -> None:
    data = picture.read_bytes()
    assert content_sha256(data) == content_sha256(picture) == file_sha256(picture)
    distinct, rows = distinct_images([data, bytes(bytearray(data)), str(picture)])
    assert (len(distinct), rows.tolist()) == (2, [0, 0, 1])


def test_the_name_of_an_image_is_that_of_its_file(picture: Path) -> None:
    with Image.open(picture) as opened:
        assert name_of(opened) == name_of(picture) == name_of(str(picture)) == str(picture)
        assert name_of(opened.convert("L")) is None
    assert name_of(b"") is name_of(np.zeros((2, 2), np.uint8)) is None
