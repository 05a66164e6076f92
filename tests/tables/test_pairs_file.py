"""Pairs files: what is read, and what is refused with its row."""

from __future__ import annotations

import io
import os
import sys
import threading
from pathlib import Path

import pytest

from artsim.errors import InputError
from artsim.tables.bounds import BLOCK_BYTES
from artsim.tables.pairs_file import Block, image_folder, open_pairs


def blocks_of(path: Path, block_bytes: int = BLOCK_BYTES) -> list[Block]:
    with open_pairs(str(path), block_bytes) as pairs:
        return list(pairs.blocks())


def cells_of(*blocks: Block) -> list[list[object]]:
    return [list(row.values()) for block in blocks for row in block.table.to_pylist()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pairs.csv"


@pytest.mark.parametrize("names", [("image1", "image2"), ("img1", "img2")])
def test_both_names_of_the_image_columns_are_read(path: Path, names: tuple[str, str]) -> None:
    path.write_text(f"index,{names[1]},{names[0]}\n0,b.jpg,a.jpg\n")
    (block,) = blocks_of(path)
    assert (block.image1.to_pylist(), block.image2.to_pylist(), block.same) == (["a.jpg"], ["b.jpg"], None)
    assert cells_of(block) == [["0", "b.jpg", "a.jpg"]]


def test_labels_are_read(path: Path) -> None:
    path.write_text("image1,image2,sameArtist\na,b,1\nc,d,0\n")
    (block,) = blocks_of(path)
    assert block.same is not None
    assert block.same.tolist() == [1, 0]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfimage1,image2\na,b\nc,d\n",
        b"image1,image2\r\na,b\r\nc,d\r\n",
        b"image1,image2\ra,b\rc,d",
        b"image1,image2\na,b\n\n\nc,d\n\n",
        b'"image1","image2"\n"a","b"\nc,d',
    ],
    ids=["byte order mark", "CRLF", "CR", "blank lines", "quotes"],
)
def test_ways_to_write_a_csv(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    (block,) = blocks_of(path)
    assert cells_of(block) == [["a", "b"], ["c", "d"]]


def test_quoted_cells_hold_commas_quotes_and_newlines(path: Path) -> None:
    path.write_bytes('image1,image2\n"a,\n""b"".jpg","ü\r\n🎨"\n'.encode())
    (block,) = blocks_of(path)
    assert cells_of(block) == [['a,\n"b".jpg', "ü\r\n🎨"]]


def test_blocks_follow_each_other(path: Path) -> None:
    path.write_text("image1,image2\n" + "".join(f"{n},x\n" for n in range(70)))
    blocks = blocks_of(path, block_bytes=32)
    assert len(blocks) > 5
    assert cells_of(*blocks) == [[str(n), "x"] for n in range(70)]


def test_a_header_alone_has_no_blocks(path: Path) -> None:
    path.write_text("image1,image2\n")
    assert blocks_of(path) == []


REFUSED = {
    "0 bytes": (b"", "empty"),
    "a byte order mark alone": (b"\xef\xbb\xbf", "empty"),
    "missing columns": (b"image1,painter\na,b\n", "image1,image2 or img1,img2, has image1, painter"),
    "columns of both kinds": (b"image1,img2\na,b\n", "has image1, img2"),
    "an output's column": (b"image1,image2,status\na,b,ok\n", "'status'"),
    "a column twice": (b"image1,image2,x,x\na,b,1,2\n", "'x' more than once"),
    "too few cells": (b"image1,image2\na,b\nc\n", r"row 2 .*line 3.*has 1 cell, the header has 2"),
    "too many cells": (b"image1,image2\na,b,c\n", r"row 1 .*has 3 cells"),
    "a label of 2": (b"image1,image2,sameArtist\na,b,1\n\nc,d,2\n", r"row 2 has the label '2'.* should be 0 or 1"),
    "an open quote": (b'image1,image2\na,b\n"c,d\ne,f\n', r"row 2 .*quote"),
    "text after a quote": (b'image1,image2\n"a"b,c\n', r"row 1 .*quote"),
    "damaged UTF-8": ("image1,image2\na,ü\nD".encode() + b"\xfcrer,d\n", r"row 2 .*not UTF-8"),
    "damaged UTF-16": ("image1,image2\na,b\n".encode("utf-16")[:-1], "damaged UTF-16-LE text"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is an image"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_names_file_and_row(path: Path, name: str) -> None:
    data, message = REFUSED[name]
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"(?s)^{path}.*{message}"):
        blocks_of(path)


def test_a_fault_is_found_in_a_later_block(path: Path) -> None:
    path.write_text('image1,image2\na,"\n"\n' + "c,d\n" * 40 + "broken\n")
    with pytest.raises(InputError, match=r"row 42 \(it ends in line 44\)"):
        blocks_of(path, block_bytes=32)


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match=f"^{path}: can't be read"):
            blocks_of(path)


def test_standard_input_is_read_as_often_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"image1,image2\na,b\n")))
    with open_pairs("-") as pairs:
        copy = pairs.path
        assert [len(list(pairs.blocks())) for _ in range(2)] == [1, 1]
    assert not copy.exists()


def test_messages_about_standard_input_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(InputError, match=r"^standard input: is empty"), open_pairs("-"):
        pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_a_named_pipe_is_read_as_often_as_needed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("image1,image2\na,b\n"))
    writer.start()
    with open_pairs(str(pipe)) as pairs:
        assert [len(list(pairs.blocks())) for _ in range(2)] == [1, 1]
    writer.join()


def test_images_lie_beside_their_pairs() -> None:
    assert image_folder("data/pairs.csv") == Path("data")
    assert image_folder("-") == Path()
    assert image_folder("data/pairs.csv", "images") == Path("images")
