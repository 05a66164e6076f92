"""What a collection has that is doubtful or wrong: said, or refused, by the selection that a run starts with."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from artsim.bad_images import BadImageLimit
from artsim.collection.pairs import validation_pairs
from artsim.collection.prepare import SelectionOptions, prepare_selection
from artsim.collection.selection import VAL_UNSEEN, Selection
from artsim.demo import paint
from artsim.errors import InputError
from tests.command import artsim_in_process

NFD = "Zoe\N{COMBINING DIAERESIS} Ade"


class Works:
    """A collection in a folder of the test's own, its rows to be changed, and what selecting from it says."""

    def __init__(self, csv: Path) -> None:
        self.csv = csv
        self.table = pd.read_csv(csv)
        self.artists = list(self.table["artist"].unique())
        self.said: list[str] = []
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
        self.said.clear()
        self.table.to_csv(self.csv, index=False)
        return prepare_selection(replace(self.options, **changes), self.said.append, lambda *_: None)  # type: ignore[arg-type]

    def the_note(self, about: str) -> str:
        notes = [note for note in self.said if about in note]
        assert len(notes) == 1, self.said
        return notes[0]


@pytest.fixture
def works(tmp_path: Path, demo_csv: Path) -> Works:
    """Eight painters with six works each."""
    shutil.copytree(demo_csv.parent, tmp_path / "works")
    return Works(tmp_path / "works" / demo_csv.name)


def test_a_good_collection_is_chosen_in_silence(works: Works) -> None:
    assert len(works.select().table) == 48
    assert works.said == []


@pytest.mark.parametrize("seed", [0, 1, 11])  # none, one and both of the two artists held out have one work
def test_artists_with_one_work_are_kept_and_said_once(works: Works, seed: int) -> None:
    for artist in range(4):
        works.remove(works.of(artist)[1:])
    selection = works.select(seed=seed)
    assert set(selection.table["artist"]) == set(works.artists)
    note = works.the_note("with one work only")
    assert note.startswith(
        f"4 artists with one work only ({', '.join(works.artists[:3])} … and 1 more): no same-artist"
    )
    pairs = validation_pairs(selection, seed)
    single = {works.of(artist)[0] for artist in range(4)}
    assert not single & set(pairs["image1"][pairs["sameArtist"] == 1])
    unseen = selection.part(VAL_UNSEEN)["artist"].value_counts()
    assert any("no metrics for unseen artists" in note for note in works.said) == (unseen.max() == 1)
    assert (VAL_UNSEEN in set(pairs["split"])) == (unseen.max() > 1)


def test_an_artist_without_a_readable_work_is_left_out_by_name(works: Works) -> None:
    for name in works.of(2):
        works.image(name).write_bytes(b"no image")
    assert works.artists[2] not in set(works.select().table["artist"])
    assert works.the_note("artist left out").endswith(f"can be used: {works.artists[2]}.")
    for artist in range(1, 8):
        for name in works.of(artist):
            works.image(name).unlink(missing_ok=True)
    with pytest.raises(InputError, match=r"works by 1 artist, but training needs 2"):
        works.select()
    assert works.the_note("artists left out").startswith("7 artists left out")


@pytest.mark.parametrize(("number", "code", "message"), [("0", 2, "--num-of-artists"), ("1", 3, "training needs 2")])
def test_too_few_artists_asked_for(
    works: Works,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: str,
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(works.csv.parent)
    assert artsim_in_process("train", "--data-file-path", str(works.csv), "--num-of-artists", number) == code
    assert message in capsys.readouterr().err


def test_a_collection_by_one_artist_is_refused(works: Works) -> None:
    works.remove([name for artist in range(1, 8) for name in works.of(artist)])
    with pytest.raises(InputError, match="works by 1 artist, but training needs 2"):
        works.select()
    assert "has 1 artist, fewer than the 8 asked for" in works.said[0]


def test_more_than_there_is_is_said(works: Works) -> None:
    assert works.select(num_of_artists=22, num_of_images_per_artist=7).table["artist"].nunique() == 8
    assert "has 8 artists, fewer than the 22 requested. All are used" in works.said[0]
    assert "8 of the 8 artists have fewer than 7 works: all of theirs are used" in works.said[1]


@pytest.mark.parametrize("seed", range(4))
def test_one_picture_under_two_artists_is_said_and_never_spans_the_split(works: Works, seed: int) -> None:
    copies = {works.of(artist)[0]: works.of(artist + 4)[0] for artist in range(4)}
    for original, copy in copies.items():
        shutil.copy(works.image(original), works.image(copy))
    near = works.of(4)[0]
    paint(0, 0).crop((0, 0, 252, 252)).save(works.image(near))
    selection = works.select(seed=seed)
    note = works.the_note("one picture under two artists in 4 pairs of works")
    original, copy = works.of(1)[0], works.of(5)[0]
    assert f": {original} ({works.artists[1]}) and {copy} ({works.artists[5]}); " in note
    assert near not in note  # three are named, the most alike first
    assert " … and 1 more. " in note
    assert "remove one of each pair, or correct its artist" in note
    part = dict(zip(selection.table["filename"], selection.table["split"], strict=True))
    torn = [one for one, other in copies.items() if not (one in part and other in part)]
    assert all(part[one] == part[other] for one, other in copies.items() if one not in torn)
    assert any(f"{len(torn)} work" in note and "left out" in note for note in works.said) == bool(torn)


def test_copies_by_one_artist_are_no_matter(works: Works) -> None:
    shutil.copy(works.image(works.of(0)[0]), works.image(works.of(0)[1]))
    works.select()
    assert works.said == []


def test_spellings_are_artists_of_their_own_until_they_are_merged(works: Works) -> None:
    works.rename(works.of(0), NFD)
    works.rename(works.of(1), "Zoë Ade")
    works.rename(works.of(2)[:2], " Zoë\N{NO-BREAK SPACE}ADE")
    assert works.select().table["artist"].nunique() == 8
    note = works.the_note("1 artist spelled in several ways")
    assert "'Zoe\\u0308 Ade' (6) / 'Zoë Ade' (6) / ' Zoë\\xa0ADE' (2)" in note
    assert "--merge-spellings True" in note

    selection = works.select(merge_spellings=True, num_of_artists=6, num_of_images_per_artist=14)
    counts = selection.table["artist"].value_counts()
    assert counts[NFD] == 14  # most works of all: merged before the artists are chosen
    assert works.artists[2] not in counts.index  # the four works that are left are the fewest
    assert len(counts) == 6
    assert "merged into the first spelling" in works.the_note("spelled in several ways")


def test_folders_of_one_artist_are_merged_too(works: Works, tmp_path: Path) -> None:
    for name, artist in zip(works.table["filename"], works.table["artist"], strict=True):
        first = artist == works.artists[0]
        folder = tmp_path / "folders" / (artist.upper() if first and name < works.of(0)[2] else artist)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(works.image(name), folder / name)
    table = works.select(data_file_path=str(tmp_path / "folders"), merge_spellings=True).table
    assert table["artist"].value_counts()[works.artists[0]] == 6
    assert f"'{works.artists[0]}' (4) / '{works.artists[0].upper()}' (2)" in works.the_note("spelled in several ways")


def test_a_saved_selection_is_split_already_and_not_merged(works: Works, tmp_path: Path) -> None:
    works.rename(works.of(0)[:3], works.artists[0].upper())
    works.select(num_of_artists=9).write(tmp_path / "selection.csv")
    saved = {
        "read_prefetched_data": True,
        "data_file_path": str(tmp_path / "selection.csv"),
        "data_dir": works.csv.parent / "train",
    }
    assert works.select(**saved).table["artist"].nunique() == 9
    assert "Its split exists already. Correct its artists" in works.the_note("spelled in several ways")
    with pytest.raises(InputError, match=r"can't be merged\. Its split is made already"):
        works.select(**saved, merge_spellings=True)
