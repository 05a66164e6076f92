"""Staging of pairs for a cluster."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pyarrow import parquet

from artsim.errors import InputError
from artsim.scoring.spark.staging import StagedPairs, stage_pairs
from artsim.tables.bounds import BLOCK_BYTES
from artsim.tables.pairs_file import open_pairs


@pytest.fixture(autouse=True)
def _one_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder, with one image."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a").touch()
    monkeypatch.chdir(tmp_path)


def staged(folder: Path, text: str, block_bytes: int = BLOCK_BYTES) -> StagedPairs:
    (folder / "pairs.csv").write_text(text, encoding="utf-8")
    with open_pairs(str(folder / "pairs.csv"), block_bytes) as pairs:
        return stage_pairs(pairs, Path("images"), folder)


@pytest.mark.parametrize("block_bytes", [40, 64, 2**20])
def test_rows_and_images_are_numbered_across_blocks(tmp_path: Path, block_bytes: int) -> None:
    found = staged(tmp_path, 'image1,image2,sameArtist,note\na,b,1,"x\n""y"""\n./b,,0,\na,c,1,ü\n', block_bytes)
    assert (found.rows, found.image_count, found.labelled) == (3, 4, 3)
    assert found.columns == ["image1", "image2", "sameArtist", "note"]
    pairs = parquet.read_table(found.pairs)
    images = {row["image"]: row for row in parquet.read_table(found.images).to_pylist()}
    assert pairs["row"].to_pylist() == [0, 1, 2]
    names = [[images[number]["name"] for number in pairs[column].to_pylist()] for column in ("first", "second")]
    assert names == [["images/a", "images/b", "images/a"], ["images/b", "", "images/c"]]
    assert images[0]["path"] == str(Path("images/a").absolute())
    assert pairs["same"].to_pylist() == [1, 0, 1]
    assert pairs["c3"].to_pylist() == ['x\n"y"', "", "ü"]


def test_a_header_alone_is_no_rows_of_its_columns(tmp_path: Path) -> None:
    found = staged(tmp_path, "img1,img2,sameArtist\n")
    assert (found.rows, found.image_count) == (0, 0)
    assert parquet.read_schema(found.pairs).names == ["row", "first", "second", "same", "c0", "c1", "c2"]


def test_a_column_called_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has a column 'row'"):
        staged(tmp_path, "row,image1,image2\n1,a,b\n")


def test_a_row_with_too_many_cells_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 2"):
        staged(tmp_path, "image1,image2\na,b\na,b,c\n")


def test_pairs_of_which_no_image_is_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none of its 2 files is in images.*--data-dir"):
        staged(tmp_path, "image1,image2\nb,c\n")


def test_a_folder_whose_name_is_not_utf8_is_an_error_of_the_input(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(f"image1,image2\n{tmp_path}/images/a,b\n")
    with open_pairs(str(tmp_path / "pairs.csv")) as pairs, pytest.raises(InputError, match="UTF-8"):
        stage_pairs(pairs, Path(os.fsdecode(b"caf\xe9")), tmp_path)
