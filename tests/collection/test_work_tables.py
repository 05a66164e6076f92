"""Tables of works: what is read, and what is refused with all its rows."""

from __future__ import annotations

import gzip
import json
import os
import threading
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from artsim.collection.columns import Columns
from artsim.collection.work_tables import is_table, read_work_table
from artsim.errors import InputError

WORKS = pd.DataFrame(
    {"filename": ["1.jpg", "Dürer; 2.jpg"], "artist": ["Ann", "Bob, Cid"], "title": ["", 'say "a"'], "year": [1890, 7]}
)
CELLS = [["1.jpg", "Ann", "", "1890"], ["Dürer; 2.jpg", "Bob, Cid", 'say "a"', "7"]]


def read(path: Path, columns: str | None = None) -> list[list[str]]:
    found = read_work_table(path, Columns.parse(columns) if columns else Columns()).table
    rows: list[list[str]] = [list(found.columns), *found.to_numpy().tolist()]
    return rows


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("index", [True, False])
def test_a_csv_of_pandas_is_read(tmp_path: Path, encoding: str, separator: str, index: bool) -> None:
    WORKS.to_csv(tmp_path / "x.csv", sep=separator, encoding=encoding, index=index)
    assert read(tmp_path / "x.csv") == [list(WORKS.columns), *CELLS]


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.parquet", "x.csv.gz", "x.csv.zst", "x.tsv", "x.txt"])
def test_every_format_has_the_same_works(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pandas(WORKS), path)
    elif ".jsonl" in name:
        text = "".join(json.dumps(row) + "\n" for row in WORKS.to_dict("records"))
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    else:
        text = WORKS.to_csv(index=False, sep="\t" if name.endswith(("tsv", "txt")) else ",")
        codec = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix)
        path.write_bytes(pa.Codec(codec).compress(text.encode(), asbytes=True) if codec else text.encode())
    assert read(path) == [list(WORKS.columns), *CELLS]
    assert is_table(path)


def test_an_image_is_no_table() -> None:
    assert not is_table(Path("a.jpg"))
    assert not is_table(Path("a"))


def test_blank_rows_and_columns_without_a_name_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "Unnamed: 0;filename;artist;;\n0;1.jpg;Ann;;\n\n1;;;;\n2;2.jpg;Bob;;\n;;;;\n")
    assert read(path) == [["filename", "artist"], ["1.jpg", "Ann"], ["2.jpg", "Bob"]]
    assert read_work_table(path, Columns()).notes == []


def test_columns_that_are_passed_over_with_content_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "filename,\n1.jpg,a remark\n2.jpg,\n")
    assert read_work_table(path, Columns()).notes == [f"{path}: 1 column without a name passed over."]
    table = pa.table({"filename": ["1.jpg"], "tags": [["x"]], "image": [{"bytes": b"x"}]})
    parquet.write_table(table, tmp_path / "x.parquet")
    found = read_work_table(tmp_path / "x.parquet", Columns())
    assert list(found.table.columns) == ["filename"]
    assert found.notes == [f"{tmp_path / 'x.parquet'}: 2 columns without text or numbers (tags, image) passed over."]


def test_windows_text_is_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "filename\nDürer.jpg\n", "cp1252")
    assert "read as Windows-1252" in read_work_table(path, Columns()).notes[0]


def test_columns_have_their_usual_names_and_others_their_own(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "Title,Artist,File,artist,Place\nRed,Ann,1.jpg,x,Rome\n")
    assert read(path, "filename=File,artist=Artist") == [
        ["filename", "artist", "title", "artist.1", "Place"],
        ["1.jpg", "Ann", "Red", "x", "Rome"],
    ]


def test_a_name_that_is_there_twice_gets_a_number(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "filename,note,note,note.1,title,title\n1.jpg,a,b,c,d,e\n")
    assert read(path)[0] == ["filename", "note", "note.1", "note.1.1", "title", "title.1"]
    assert read(path)[1] == ["1.jpg", "a", "b", "c", "d", "e"]


def test_a_quote_that_is_closed_rows_later_loses_no_works(tmp_path: Path) -> None:
    rows = [f"{number}.jpg,Ann,title {number}" for number in range(42)]
    rows[10], rows[14] = '10.jpg,Ann,"Study', '14.jpg,Ann,Study"'
    path = write(tmp_path / "x.csv", "filename,artist,title\n" + "\n".join(rows) + "\n")
    with pytest.raises(InputError, match=r"x\.csv, row 11 \(it ends in line 16\): a quoted cell holds whole rows"):
        read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"filename,artist\na,x\nb,{'y' * 5000}\n", r"1 row with an artist of more than 4,096 characters \(row 2\)"),
        ("filename,artist\na/1.jpg,x\na\\1.jpg,y\n", r"1 file listed twice \('a/1.jpg' in the rows 1 and 2\)"),
        ("filename,artist\na/1.jpg,x\n./a//1.jpg,y\n", r"1 file listed twice \('a/1.jpg' in the rows 1 and 2\)"),
        ("filename,artist\n1.jpg,Ann\n,Bob\n2.jpg,Bob\n ,Cid\n", r"2 rows without a filename \(row 2, 4\)"),
        (
            "filename\na\nb\na\nc\nb\nd\nd\ne\ne\n",
            r"4 files listed twice \('a' in the rows 1 and 3, 'b' in the rows 2 and 5, .* and 1 more\)",
        ),
        ("filename,artist\na,x\n\na,x\n,y\n", r"1 row without a filename \(row 3\).*; 1 file listed twice .*1 and 2"),
        ("filename,filename\na,b\n", "the columns 'filename' and 'filename' may be the filename"),
        ("filename,artist\na\nb\nc,d\n", r"row 1 .*has 1 cell, the header has 2; row 2 .*has 1 cell"),
        ("filename\n\n\n", "no rows below the header"),
        ("filename,artist\n,\n,\n", "no rows below the header"),
    ],
)
def test_all_faulty_rows_are_told_at_once(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=f"(?s)^{tmp_path}/x.csv.*{message}"):
        read(write(tmp_path / "x.csv", text))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_names_that_differ_only_in_letter_case_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "filename\na.jpg\nb.jpg\nA.JPG\n")
    (note,) = read_work_table(path, Columns()).notes
    assert note == f"{path}: 1 name that another one differs from only in letter case: 'a.jpg' and 'A.JPG'."


def test_a_table_may_come_through_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: write(tmp_path / "pipe", "filename;artist\n1.jpg;Ann\n"))
    writer.start()
    assert read(tmp_path / "pipe") == [["filename", "artist"], ["1.jpg", "Ann"]]
    writer.join()


def test_a_filename_column_must_be_text(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"filename": [["x"]]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="the column 'filename' holds no text"):
        read(tmp_path / "x.parquet")
