"""Dialects of csv: encodings and separators that Excel and pandas write, and what looks like them."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.errors import InputError
from artsim.tables.bounds import BLOCK_BYTES
from artsim.tables.dialect import Dialect, find_dialect
from artsim.tables.pairs_file import open_pairs
from artsim.tables.readers import CsvReader, open_reader

ROWS = [["Dürer, der Jüngere.jpg", "b; c.jpg", 'say "ü"'], ["d\te.jpg", "f.jpg", "1;2"], ["g.jpg", "é\nè.jpg", ""]]
HEADER = ["image1", "image2", "Größe"]
BOMS = ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"]  # the last two without a mark


def text_of(rows: list[list[str]], separator: str = ",", header: list[str] | None = None) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows([header or HEADER, *rows])
    return text.getvalue()


def read(path: Path, block_bytes: int = BLOCK_BYTES) -> list[list[str]]:
    reader = open_reader(path, str(path), block_bytes=block_bytes)
    return [list(row.values()) for batch in reader.batches() for row in batch.to_pylist()]


def dialect_of(data: bytes) -> Dialect:
    return find_dialect(lambda: io.BytesIO(data), "x.csv")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", *BOMS, "cp1252"])
def test_every_encoding_and_separator_has_the_same_cells(tmp_path: Path, encoding: str, separator: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(text_of(ROWS, separator).encode(encoding))
    reader = open_reader(path, str(path), block_bytes=64)
    assert reader.schema.names == HEADER
    assert [list(row.values()) for batch in reader.batches() for row in batch.to_pylist()] == ROWS
    assert ("read as Windows-1252" in reader.note) == (encoding == "cp1252")


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_separator_line_of_excel_is_no_header(tmp_path: Path, line: str, encoding: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(f"{line}\r\n{text_of(ROWS, ';')}".encode(encoding))
    assert open_reader(path, "x").schema.names == HEADER
    assert read(path) == ROWS
    path.write_bytes(f"{line}\r\n{text_of([*ROWS, ['a']], ';')}".encode(encoding))
    with pytest.raises(InputError, match=r"row 4 \(it ends in line 7\): has 1 cell"):
        read(path)


def test_an_unusual_separator_is_read_if_the_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("sep=|\nimage1|image2\na,b|c;d\n")
    assert read(tmp_path / "x.csv") == [["a,b", "c;d"]]


def test_a_compressed_file_may_have_any_dialect(tmp_path: Path) -> None:
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(text_of(ROWS, ";").encode("utf-16")))
    assert read(tmp_path / "x.csv.gz") == ROWS


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("image1,image2\na,b\n", ","),
        ("image1\na;b\n", ","),
        ("image1,image2;note\na,b;c\n", ","),
        ("image1;size, in cm\na;1,5\n", ";"),
        ("filename;title\n1.jpg;Red, blue, green\n2.jpg;x\n", ";"),
        ("filename,title; in English\n1.jpg,x\n2.jpg,y\n", ","),
        ('"a;b;c",d\n1,2\n', ","),
        ("a\tb, c\n1\t2\n", "\t"),
        ("filename;artist", ";"),
        ("", ","),
    ],
)
def test_the_separator_gives_rows_as_many_cells_as_the_header(text: str, separator: str) -> None:
    assert dialect_of(text.encode()) == Dialect(separator=separator)


def test_windows_text_far_below_the_header_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [[f"{number}.jpg", "b"] for number in range(12_000)]
    path.write_bytes(text_of([*rows, ["Dürer.jpg", "’œuvre€"]], header=["image1", "image2"]).encode("cp1252"))
    reader = CsvReader(path, "x.csv", None, 4096)
    cells = [list(row.values()) for batch in reader.batches() for row in batch.to_pylist()]
    assert cells == [*rows, ["Dürer.jpg", "’œuvre€"]]
    assert reader.note == (
        "x.csv: the file is not UTF-8 and is read as Windows-1252. If names look wrong, save it as UTF-8."
    )


@pytest.mark.parametrize(
    "data",
    [
        "image1,image2\nü,é\nè,ö\n".encode() + b"\xfc,x\n",  # one damaged place in UTF-8
        "Größe,image2\na,b\n".encode() + b"c,d\n" * 20_000 + b"\xfc,x\n",
        b"image1,image2\na,\x81\n",  # Windows-1252 has no such character
        b"image1,image2\na,\xfc\x00\n",
    ],
)
def test_text_that_is_damaged_is_refused_with_its_row(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(data)
    with pytest.raises(InputError, match=r"x\.csv, row \d+ .*is not UTF-8 text"):
        read(tmp_path / "x.csv")


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_workbook_is_named(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(start + bytes(600))
    with pytest.raises(InputError, match=r"x\.csv: is a workbook .* Save the table as 'CSV UTF-8'"):
        read(tmp_path / "x.csv")


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff\xe0\0\x10JFIF\0"])
def test_a_picture_is_not_taken_for_a_csv(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "x.jpg").write_bytes(start + bytes(range(256)))
    with pytest.raises(InputError, match=r"x\.jpg: is an image. Expected a table"):
        read(tmp_path / "x.jpg")


OTHER_TEXTS = {
    '[{"image1": "a"}]': "is JSON, not a csv",
    '{"image1": "a"}': "is JSON, not a csv",
    "\n<!DOCTYPE html><html>": "is a web page",
    "<?xml version='1.0'?>": "is a web page or XML",
}


@pytest.mark.parametrize("text", OTHER_TEXTS)
def test_text_that_is_no_csv_is_named_shortly(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.csv").write_text(text + "x" * 9000)
    with pytest.raises(InputError, match=OTHER_TEXTS[text]) as raised:
        open_reader(tmp_path / "x.csv", "x.csv")
    assert len(str(raised.value)) < 150


def test_a_long_header_is_shortened_in_messages(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(",".join(f"{n}{'x' * 900}" for n in range(100)))
    with (
        pytest.raises(InputError, match=r"needs the columns .* and 88 more") as raised,
        open_pairs(str(tmp_path / "x.csv")),
    ):
        pass
    assert len(str(raised.value)) < 1000


def test_blank_lines_before_the_header_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\n\nimage1;image2\na;b\n\n")
    assert read(tmp_path / "x.csv") == [["a", "b"]]


SWALLOWED = {
    "the last column": 'filename,artist,title\n1.jpg,Ann,"Study\n2.jpg,Bob,x\n3.jpg,Bob,y\n4.jpg,Cid,Study"\n',
    "the next row": 'filename,artist,title\n1.jpg,Ann,"Study\n2.jpg,Bob,Study"\n',
    "a column between": 'filename,artist,title\r\n1.jpg,"Ann,x\r\n2.jpg,Bob",y\r\n',
    "the first column": 'filename,artist\n"1.jpg,Ann\n2.jpg,Bob\n3.jpg",Cid\n',
    "blank lines": 'filename,artist\n1.jpg,"Ann\n\n2.jpg,Bob\n\n3.jpg,Cid"\n',
    "semicolons": 'filename;artist\n1.jpg;"Ann\n2.jpg;Bob"\n',
}


@pytest.mark.parametrize("case", SWALLOWED)
def test_a_quote_that_swallows_rows_is_refused_with_its_row(tmp_path: Path, case: str) -> None:
    (tmp_path / "x.csv").write_text(SWALLOWED[case], newline="")
    with pytest.raises(InputError, match=r"x\.csv, row 1 .*holds whole rows: a quote is out of place"):
        read(tmp_path / "x.csv")


@pytest.mark.parametrize(
    "title", ["Red,\nblue, green", "two\nlines", 'say "a,b"\nc,d', "\n", "a, b\nc, d\ne, f", "1,2\n"]
)
def test_a_cell_of_several_lines_stays_a_cell(tmp_path: Path, title: str) -> None:
    rows = [["1.jpg", "Ann", title], ["2.jpg", "Bob", "x"]]
    (tmp_path / "x.csv").write_text(text_of(rows), newline="")
    assert read(tmp_path / "x.csv") == rows


def test_all_faulty_rows_are_counted(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1\n1,2\n" + "1,2,3\n" * 5)
    with pytest.raises(InputError) as caught:
        read(tmp_path / "x.csv")
    assert str(caught.value).endswith(
        "x.csv, row 1 (it ends in line 2): has 1 cell, the header has 2; row 3 (it ends in line 4): has 3 cells, the "
        "header has 2; row 4 (it ends in line 5): has 3 cells, the header has 2 … and 3 more."
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-32"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_what_pandas_writes_is_read(tmp_path: Path, encoding: str, separator: str) -> None:
    table = pd.DataFrame(ROWS, columns=HEADER)
    table.to_csv(tmp_path / "x.csv", sep=separator, encoding=encoding)
    assert read(tmp_path / "x.csv") == [[str(number), *row] for number, row in enumerate(ROWS)]


SIGNS = st.characters(codec="utf-8", exclude_characters="\x00\ufeff")
CELLS = st.text(st.one_of(st.sampled_from(',;\t"\n\r ü€'), SIGNS), max_size=8)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", *BOMS]),
)
def test_whatever_is_written_is_read_back(rows: list[list[str]], separator: str, encoding: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        path.write_bytes(text_of(rows, separator).encode(encoding))
        try:
            assert read(path) == rows
        except InputError as error:
            assert "holds whole rows" in str(error)  # noqa: PT017 - cells that look like swallowed rows
            assert any("\n" in cell or "\r" in cell for row in rows for cell in row)
