from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.collection.catalogue import Catalogue
from artsim.collection.selection import Selection, choose, read_selection
from artsim.errors import InputError, OutputError


def catalogue_of(counts: dict[str, int]) -> Catalogue:
    artists = [artist for artist, count in counts.items() for _ in range(count)]
    names = [f"{number}.jpg" for number in range(len(artists))]
    return Catalogue(pd.DataFrame({"filename": names, "artist": artists}), Path(), "works.csv")


def test_choose_takes_the_artists_with_most_works_and_ties_in_file_order() -> None:
    chosen, notes = choose(catalogue_of({"a": 2, "b": 3, "c": 5, "d": 3}), artists=2, works=2, seed=0)
    assert list(chosen.table["artist"]) == ["b", "b", "c", "c"]
    assert notes == []


def test_choose_takes_everything_where_no_number_is_given() -> None:
    catalogue = catalogue_of({"a": 1, "b": 300, "c": 2})
    chosen, notes = choose(catalogue, artists=None, works=None, seed=0)
    pd.testing.assert_frame_equal(chosen.table, catalogue.table)
    assert notes == []
    assert list(choose(catalogue, artists=None, works=1, seed=0)[0].table["artist"]) == ["a", "b", "c"]
    assert set(choose(catalogue, artists=1, works=None, seed=0)[0].table["artist"]) == {"b"}


def test_choose_notes_fewer_artists_or_works() -> None:
    chosen, notes = choose(catalogue_of({"a": 2, "b": 3}), artists=5, works=3, seed=0)
    assert len(chosen.table) == 5
    assert "2 artists, fewer than --num-of-artists 5" in notes[0]
    assert "1 of the 2 artists has fewer than 3 works" in notes[1]


@given(st.lists(st.integers(1, 8), min_size=1, max_size=8), st.integers(1, 8), st.integers(1, 8), st.integers(0, 99))
def test_choose_is_repeatable_and_takes_the_right_numbers(
    counts: list[int], artists: int, works: int, seed: int
) -> None:
    catalogue = catalogue_of({f"artist {number}": count for number, count in enumerate(counts)})
    table = choose(catalogue, artists, works, seed)[0].table
    pd.testing.assert_frame_equal(table, choose(catalogue, artists, works, seed)[0].table)
    assert table["artist"].nunique() == min(artists, len(counts))
    assert table["artist"].value_counts().max() <= works
    assert table["filename"].is_unique
    largest = sorted(counts, reverse=True)[:artists]
    assert len(table) == sum(min(count, works) for count in largest)


def test_another_seed_chooses_other_works() -> None:
    catalogue = catalogue_of({"a": 50})
    first, second = (set(choose(catalogue, 1, 5, seed)[0].table["filename"]) for seed in (0, 1))
    assert first != second


def a_selection(tmp_path: Path) -> Selection:
    (tmp_path / "a b.jpg").touch()
    table = pd.DataFrame(
        {
            "filename": ["a b.jpg", "c,d.jpg"],
            "artist": ["Ann Bee", 'O"Hara'],
            "split": ["train", "val_seen"],
            "title": ["x\ny", ""],
        }
    )
    return Selection(table, tmp_path, "works.csv")


def test_a_written_selection_is_read_back_unchanged(tmp_path: Path) -> None:
    selection = a_selection(tmp_path)
    selection.write(tmp_path / "selection.csv")
    again = read_selection(tmp_path / "selection.csv", None)
    assert isinstance(again, Selection)
    pd.testing.assert_frame_equal(again.table, selection.table)
    assert again.digest == selection.digest


def test_the_digest_depends_on_the_rows_and_not_on_their_order(tmp_path: Path) -> None:
    selection = a_selection(tmp_path)
    reversed_rows = Selection(selection.table[::-1].reset_index(drop=True), tmp_path, "elsewhere.csv")
    assert reversed_rows.digest == selection.digest
    assert len(selection.digest) == 64
    changed = Selection(selection.table.assign(split="train"), tmp_path, "works.csv")
    assert changed.digest != selection.digest


def test_writing_into_a_missing_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't be written"):
        a_selection(tmp_path).write(tmp_path / "nowhere" / "selection.csv")


def test_lines_of_the_old_text_file_are_split_at_the_first_space(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").touch()
    (tmp_path / "old.txt").write_text("1.jpg Vincent van Gogh\n2.jpg 7\n\n")
    again = read_selection(tmp_path / "old.txt", None)
    assert not isinstance(again, Selection)
    assert again.table.to_numpy().tolist() == [["1.jpg", "Vincent van Gogh"], ["2.jpg", "7"]]


def test_a_selection_that_a_spreadsheet_has_saved_is_read(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").touch()
    text = "sep=;\r\nfilename;artist;split\r\n1.jpg;Unknown;train\r\n2.jpg;Dürer;val_seen\r\n"
    (tmp_path / "selection.csv").write_bytes(text.encode("utf-16"))
    again = read_selection(tmp_path / "selection.csv", None)
    assert isinstance(again, Selection)
    assert list(again.table["artist"]) == ["Unknown", "Dürer"]  # as written


def test_a_csv_without_the_column_split_is_not_a_selection(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").touch()
    (tmp_path / "works.csv").write_text("filename,artist\n1.jpg,Ann\n")
    assert not isinstance(read_selection(tmp_path / "works.csv", None), Selection)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "filename,artist,split\n1.jpg,Ann,test\n",
            "1 row below the header with a split that is not one of train.*row 1: 'test'",
        ),
        ("filename,artist,split\n1.jpg,,train\n2.jpg,,train\n", "2 rows below the header with no artist .row 1, row 2"),
        ("1.jpg\n", "line 1 is not 'path label'"),
        ("1.jpg Ann\n2.jpg \n", "line 2 is not 'path label'"),
        ("\n", "the file is empty"),
    ],
)
def test_the_error_of_an_unusable_selection_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "1.jpg").touch()
    (tmp_path / "saved").write_text(text)
    with pytest.raises(InputError, match=message):
        read_selection(tmp_path / "saved", None)


def test_the_error_of_a_missing_selection_names_the_flag(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--read-prefetched-data"):
        read_selection(tmp_path / "nowhere.csv", None)


def test_letter_case_of_the_column_split_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "x.csv").write_text("Filename,Artist,Split\na.jpg,Ann,train\n")
    selection = read_selection(tmp_path / "x.csv", None)
    assert isinstance(selection, Selection)
    assert list(selection.table.columns) == ["filename", "artist", "split"]
