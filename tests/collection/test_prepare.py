"""Preparing a selection: notes and errors about doubtful collections."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from artsim.bad_images import BadImageLimit
from artsim.collection.columns import Columns
from artsim.collection.pairs import validation_pairs
from artsim.collection.prepare import SelectionOptions, prepare_selection
from artsim.collection.selection import VAL_UNSEEN, Selection
from artsim.demo import paint
from artsim.errors import InputError
from tests.command import artsim_in_process

NFD = "Zoe\N{COMBINING DIAERESIS} Ade"


class Collection:
    """A collection that a test may change, and the notes of its last selection."""

    def __init__(self, csv: Path) -> None:
        self.csv = csv
        self.table = pd.read_csv(csv)
        self.artists = list(self.table["artist"].unique())
        self.notes: list[str] = []
        self.options = SelectionOptions(
            data_file_path=str(csv),
            data_dir=None,
            read_prefetched_data=False,
            num_of_artists=8,
            num_of_images_per_artist=6,
            seed=0,
            max_bad_images=BadImageLimit.parse("100%"),
            max_pixels=10**9,
            merge_spellings=False,
        )

    def image(self, name: str) -> Path:
        return self.csv.parent / "train" / name

    def of(self, artist: int) -> list[str]:
        return list(self.table["filename"][self.table["artist"] == self.artists[artist]])

    def remove(self, names: list[str]) -> None:
        self.table = self.table[~self.table["filename"].isin(names)]

    def rename(self, names: list[str], artist: str) -> None:
        self.table.loc[self.table["filename"].isin(names), "artist"] = artist

    def select(self, **changes: object) -> Selection:
        self.notes.clear()
        self.table.to_csv(self.csv, index=False)
        return prepare_selection(replace(self.options, **changes), self.notes.append, lambda *_: None)  # type: ignore[arg-type]

    def only_note(self, about: str) -> str:
        (note,) = [note for note in self.notes if about in note]
        return note


@pytest.fixture
def works(tmp_path: Path, demo_csv: Path) -> Collection:
    """Eight painters with six works each."""
    shutil.copytree(demo_csv.parent, tmp_path / "works")
    return Collection(tmp_path / "works" / demo_csv.name)


def test_a_good_collection_gives_no_notes(works: Collection) -> None:
    assert len(works.select().table) == 48
    assert works.notes == []


@pytest.mark.parametrize("seed", [0, 1, 11])  # none, one and both of the two held-out artists have one work
def test_artists_with_one_work_are_used_and_noted(works: Collection, seed: int) -> None:
    for artist in range(4):
        works.remove(works.of(artist)[1:])
    selection = works.select(seed=seed)
    assert set(selection.table["artist"]) == set(works.artists)
    note = works.only_note("with one work only")
    assert note.startswith(f"4 artists with one work only ({', '.join(works.artists[:3])} … and 1 more). ")
    pairs = validation_pairs(selection, seed)
    single = {works.of(artist)[0] for artist in range(4)}
    assert not single & set(pairs["image1"][pairs["sameArtist"] == 1])
    unseen = selection.part(VAL_UNSEEN)["artist"].value_counts()
    assert any("No metrics for unseen artists" in note for note in works.notes) == (unseen.max() == 1)
    assert (VAL_UNSEEN in set(pairs["split"])) == (unseen.max() > 1)


def test_an_artist_without_a_readable_work_is_left_out_and_named(works: Collection) -> None:
    for name in works.of(2):
        works.image(name).write_bytes(b"no image")
    assert works.artists[2] not in set(works.select().table["artist"])
    assert works.only_note("left out, because none").endswith(f"can be used: {works.artists[2]}.")
    for artist in range(1, 8):
        for name in works.of(artist):
            works.image(name).unlink(missing_ok=True)
    with pytest.raises(InputError, match=r"by 1 artist\. Training needs at least 2"):
        works.select()
    assert works.only_note("left out, because none").startswith("7 artists left out")


def test_too_few_artists(works: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"by 1 artist\. Training needs at least 2"):
        works.select(num_of_artists=1)
    assert artsim_in_process("train", "--data-file-path", str(works.csv), "--num-of-artists", "0") == 2
    assert "--num-of-artists" in capsys.readouterr().err


def test_a_collection_by_one_artist_is_an_input_error(works: Collection) -> None:
    works.remove([name for artist in range(1, 8) for name in works.of(artist)])
    with pytest.raises(InputError, match=r"by 1 artist\. Training needs at least 2"):
        works.select()
    assert "has 1 artist, fewer than --num-of-artists 8" in works.notes[0]


def test_a_collection_smaller_than_the_flags_is_noted(works: Collection) -> None:
    assert works.select(num_of_artists=22, num_of_images_per_artist=7).table["artist"].nunique() == 8
    assert "has 8 artists, fewer than --num-of-artists 22. All are used" in works.notes[0]
    assert "8 of the 8 artists have fewer than 7 works. All of them are used" in works.notes[1]


@pytest.mark.parametrize("seed", range(4))
def test_one_picture_under_two_artists_is_noted_and_stays_on_one_side_of_the_split(
    works: Collection, seed: int
) -> None:
    copies = {works.of(artist)[0]: works.of(artist + 4)[0] for artist in range(4)}
    for original, copy in copies.items():
        shutil.copy(works.image(original), works.image(copy))
    near = works.of(4)[0]
    paint(0, 0).crop((0, 0, 252, 252)).save(works.image(near))
    selection = works.select(seed=seed)
    note = works.only_note("4 pairs of works by different artists with the same picture")
    original, copy = works.of(1)[0], works.of(5)[0]
    assert f": {original} ({works.artists[1]}) and {copy} ({works.artists[5]}); " in note
    assert near not in note  # the note names the three most similar pairs
    assert " … and 1 more. " in note
    assert "Remove one work of each pair, or correct its artist" in note
    part = dict(zip(selection.table["filename"], selection.table["split"], strict=True))
    incomplete = [one for one, other in copies.items() if not (one in part and other in part)]
    assert all(part[one] == part[other] for one, other in copies.items() if one not in incomplete)
    assert any(f"{len(incomplete)} work" in note and "left out" in note for note in works.notes) == bool(incomplete)


def test_copies_by_one_artist_give_no_notes(works: Collection) -> None:
    shutil.copy(works.image(works.of(0)[0]), works.image(works.of(0)[1]))
    works.select()
    assert works.notes == []


def test_works_without_an_artist_are_counted_and_not_trained_on(works: Collection) -> None:
    works.rename(works.of(0), "Unknown")
    works.rename(works.of(1), f"workshop of {works.artists[2]}")
    table = works.select().table
    assert set(table["artist"]) == set(works.artists[2:])
    assert list(table.columns[:3]) == ["filename", "artist", "split"]
    assert "attribution" not in table.columns
    assert works.only_note("unknown").startswith(
        f"{works.csv}: 6 works by an unknown artist: 'Unknown' (6); 6 works with"
    )
    assert works.only_note("without an artist") == f"{works.csv}: 12 works of 48 without an artist left out."


def test_a_qualified_attribution_may_be_an_artist_whose_cell_is_kept(works: Collection) -> None:
    workshop = f"workshop of {works.artists[2]}"
    works.rename(works.of(1), workshop)
    table = works.select(qualified="keep").table
    assert table["artist"].nunique() == 8
    assert set(table["attribution"][table["artist"] == workshop]) == {workshop}
    assert set(table["attribution"][table["artist"] != workshop]) == {""}


def test_columns_may_have_other_names(works: Collection) -> None:
    works.table = works.table.rename(columns={"filename": "File", "artist": "Painter", "style": "Style"})
    table = works.select(columns=Columns.parse("filename=File,artist=Painter")).table
    assert list(table.columns[:3]) == ["filename", "artist", "split"]
    assert "style" in table.columns


def test_each_spelling_is_an_artist_until_spellings_are_merged(works: Collection) -> None:
    works.rename(works.of(0), NFD)
    works.rename(works.of(1), "Zoë Ade")
    works.rename(works.of(2)[:2], " Zoë\N{NO-BREAK SPACE}ADE")
    assert works.select().table["artist"].nunique() == 8
    note = works.only_note("1 artist with several spellings")
    assert "'Zoe\\u0308 Ade' (6) / 'Zoë Ade' (6) / ' Zoë\\xa0ADE' (2)" in note
    assert "--merge-spellings" in note

    selection = works.select(merge_spellings=True, num_of_artists=6, num_of_images_per_artist=14)
    counts = selection.table["artist"].value_counts()
    assert counts[NFD] == 14  # most works of all, because spellings are merged before artists are chosen
    assert works.artists[2] not in counts.index  # has the fewest works, four
    assert len(counts) == 6
    assert "merged into the first spelling" in works.only_note("with several spellings")


def test_folders_of_one_artist_are_merged(works: Collection, tmp_path: Path) -> None:
    for name, artist in zip(works.table["filename"], works.table["artist"], strict=True):
        first = artist == works.artists[0]
        folder = tmp_path / "folders" / (artist.upper() if first and name < works.of(0)[2] else artist)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(works.image(name), folder / name)
    table = works.select(data_file_path=str(tmp_path / "folders"), merge_spellings=True).table
    assert table["artist"].value_counts()[works.artists[0]] == 6
    assert f"'{works.artists[0]}' (4) / '{works.artists[0].upper()}' (2)" in works.only_note("with several spellings")


def test_spellings_in_a_saved_selection_are_not_merged(works: Collection, tmp_path: Path) -> None:
    works.rename(works.of(0)[:3], works.artists[0].upper())
    works.select(num_of_artists=9).write(tmp_path / "selection.csv")
    saved = {
        "read_prefetched_data": True,
        "data_file_path": str(tmp_path / "selection.csv"),
        "data_dir": works.csv.parent / "train",
    }
    assert works.select(**saved).table["artist"].nunique() == 9
    assert "Correct the artists in the file" in works.only_note("with several spellings")
    with pytest.raises(InputError, match=r"can't be merged, because the works are already split"):
        works.select(**saved, merge_spellings=True)
