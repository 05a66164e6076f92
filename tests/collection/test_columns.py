"""Columns of tables of works: found by name, or named by the user."""

from __future__ import annotations

from pathlib import Path

import pytest

from artsim.collection.columns import Columns, position_of
from artsim.errors import InputError
from tests.command import artsim_in_process


@pytest.mark.parametrize(
    "header",
    [["filename", "artist"], ["Filename", "ARTIST"], ["File name", "Artist "], ["file_name", "artist:"]],
)
def test_letter_case_spaces_and_signs_do_not_matter(header: list[str]) -> None:
    assert Columns().find(header, ("filename", "artist"), "x") == {"filename": 0, "artist": 1}


def test_the_exact_name_wins() -> None:
    assert Columns().find(["Artist", "artist", "Filename", "filename"], (), "x") == {"artist": 1, "filename": 3}


def test_columns_that_fit_alike_are_asked_about() -> None:
    with pytest.raises(
        InputError, match=r"columns 'Filename' and 'File name' may be the filename.*--columns filename="
    ):
        Columns().find(["Filename", "File name"], (), "x")
    assert Columns.parse("filename=File name").find(["Filename", "File name"], (), "x") == {"filename": 1}
    assert Columns().find(["filename", "Title", "TITLE"], (), "x") == {"filename": 0}


def test_the_user_names_columns() -> None:
    columns = Columns.parse('FileName= File ,"artist=Artist, or maker",style=Style')
    assert columns.find(["Style", "file", "Artist, or maker"], (), "x") == {"filename": 1, "artist": 2, "style": 0}
    assert str(columns) == 'FileName= File ,"artist=Artist, or maker",style=Style'


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    with pytest.raises(InputError) as caught:
        Columns().find(["Title", "", "File"], ("filename", "artist"), "works.csv")
    assert str(caught.value) == (
        "works.csv: there is no column filename and no column artist. The columns are: Title, File. Did you "
        "mean 'File'? Name yours with --columns filename=…,artist=…"
    )
    with pytest.raises(InputError, match="no column Fille"):
        Columns.parse("filename=Fille").find(["filename"], (), "x")


@pytest.mark.parametrize(
    "text", ["", "File", "filename=", "painter=Artist", "filename=a,filename=b", "filename=a,artist=a", "=File"]
)
def test_wrong_columns_are_wrong_usage(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "works.csv").write_text("filename\n1.jpg\n2.jpg\n")
    assert artsim_in_process("pairs", str(tmp_path / "works.csv"), "--columns", text) == 2
    assert "--columns" in capsys.readouterr().err


def test_a_column_that_the_user_types_is_found() -> None:
    assert position_of("Style", ["style", "Style"]) == 1
    assert position_of("STYLE", ["filename", "style"]) == 1
    assert position_of("STYLE", ["Style", "style"]) is None


def test_the_column_that_is_most_like_the_one_wanted_is_suggested() -> None:
    with pytest.raises(InputError, match=r"no column Artits.*Did you mean 'Artist'[?] Name yours"):
        Columns.parse("artist=Artits").find(["File", "Artist"], (), "x")
