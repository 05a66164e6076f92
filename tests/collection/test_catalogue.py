from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from artsim.collection.catalogue import read_catalogue
from artsim.collection.works import Reading
from artsim.errors import InputError


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def put_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), "red").save(path)


def read(path: Path, data_dir: Path | None = None) -> list[list[str]]:
    catalogue = read_catalogue(str(path), data_dir, artists=4, works=4)
    rows: list[list[str]] = [list(catalogue.table.columns), *catalogue.table.to_numpy().tolist()]
    return rows


def test_csv_columns_are_text_with_the_required_ones_first(tmp_path: Path) -> None:
    put_image(tmp_path / "007.jpg")
    csv = write(tmp_path / "works.csv", "title,artist,filename,date\nNA,Ann,007.jpg,1890.0\n")
    assert read(csv) == [["filename", "artist", "title", "date"], ["007.jpg", "Ann", "NA", "1890.0"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_csv_may_have_a_bom_and_windows_line_ends(tmp_path: Path, encoding: str) -> None:
    put_image(tmp_path / "é b.jpg")
    csv = write(tmp_path / "works.csv", "filename,artist\r\né b.jpg,Zoë Ö\r\n", encoding)
    assert read(csv) == [["filename", "artist"], ["é b.jpg", "Zoë Ö"]]


def test_images_are_found_next_to_the_csv_or_in_the_folder_of_painter_by_numbers(tmp_path: Path) -> None:
    csv = write(tmp_path / "train_info.csv", "filename,artist\n1.jpg,Ann\n")
    put_image(tmp_path / "train" / "1.jpg")
    assert read_catalogue(str(csv), None, artists=1, works=1).folder == tmp_path / "train"
    put_image(tmp_path / "1.jpg")
    assert read_catalogue(str(csv), None, artists=1, works=1).folder == tmp_path
    put_image(tmp_path / "else where" / "1.jpg")
    assert read_catalogue(str(csv), tmp_path / "else where", artists=1, works=1).folder == tmp_path / "else where"


def test_the_error_of_missing_images_names_the_flag(tmp_path: Path) -> None:
    csv = write(tmp_path / "train_info.csv", "filename,artist\n1.jpg,Ann\n")
    with pytest.raises(InputError, match=r"'1\.jpg' is not in .*train\. .*--data-dir"):
        read(csv)


def test_a_folder_with_one_subfolder_per_artist(tmp_path: Path) -> None:
    put_image(tmp_path / "Ann Bee" / "one.jpg")
    put_image(tmp_path / "Ann Bee" / "two.PNG")
    put_image(tmp_path / "Cid" / "one.jpg")
    write(tmp_path / "Cid" / "notes.txt", "no painting")
    assert read(tmp_path) == [
        ["filename", "artist"],
        ["Ann Bee/one.jpg", "Ann Bee"],
        ["Ann Bee/two.PNG", "Ann Bee"],
        ["Cid/one.jpg", "Cid"],
    ]


def test_works_without_an_artist_are_left_out_and_counted(tmp_path: Path) -> None:
    notes: list[str] = []
    for name in ("cover.jpg", "Ann/1.jpg", "Unknown/2.jpg"):
        put_image(tmp_path / name)
    catalogue = read_catalogue(str(tmp_path), None, Reading(notes.append), artists=4, works=4)
    assert catalogue.table.to_numpy().tolist() == [["Ann/1.jpg", "Ann"]]
    assert list(catalogue.table.columns) == ["filename", "artist"]
    assert notes[-1] == f"{tmp_path}: 2 works of 3 without an artist left out."
    assert "1 work by an unknown artist: 'Unknown' (1)" in notes[0]


def test_a_folder_without_artists_says_where_they_belong(tmp_path: Path) -> None:
    put_image(tmp_path / "1.jpg")
    with pytest.raises(InputError, match="the works of each artist into a subfolder"):
        read(tmp_path)


def test_demo_has_the_requested_artists_and_works() -> None:
    catalogue = read_catalogue("DEMO", None, artists=3, works=2)
    assert catalogue.table["artist"].value_counts().to_list() == [2, 2, 2]
    assert all((catalogue.folder / name).is_file() for name in catalogue.table["filename"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("filename,artist\n", "no rows below the header"),
        ("file,painter\n1.jpg,Ann\n", "no column filename and no column artist. The columns are: file, painter"),
        ("filename,artist\n1.jpg,\n", "no work has an artist"),
        ("filename,artist\n1.jpg, \n", "no work has an artist"),
        ("filename,artist\n1.jpg,Ann\n,Ann\n", r"1 row without a filename \(row 2\)"),
        ("filename,artist\n1.jpg,Ann\n1.jpg,Bob\n", "1 file listed twice .'1.jpg' in the rows 1 and 2.: remove one"),
        ('filename,artist\n1.jpg,"Ann\n2.jpg,Bob\n', "row 1 .*quote out of place"),
        ("filename,artist\n1.jpg,Ann,x,y\n", "row 1 .*has 4 cells, the header has 2"),
    ],
)
def test_the_error_of_an_unusable_csv_gives_the_reason(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(write(tmp_path / "works.csv", text))


def test_the_errors_of_a_missing_file_and_an_empty_folder_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="the folder has no images"):
        read(tmp_path)
