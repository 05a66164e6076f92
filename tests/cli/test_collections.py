"""One folder or table is the same collection for every command."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artsim.collection.catalogue import read_catalogue
from artsim.scoring.embedding_store import read_store
from tests.command import artsim_in_process
from tests.towers import adaptable_card, write_tower

TOWER = ["--model", "tower.onnx", "--device", "cpu"]
ARTISTS = {
    "Ann/1.png": "Ann", "Ann/oil/2.png": "Ann", "Bob/3.jp2": "Bob", "Bob/4.ppm": "Bob", "Unknown/5.png": None,
    "workshop of Bob/6.png": None, "cover.png": None,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a tower, a query, and `works` as a Mac has left them."""
    rng = np.random.default_rng(0)
    for name in [*(f"works/{name}" for name in ARTISTS), "query.png"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(path)
        if path.parent.name != tmp_path.name:
            (path.parent / f"._{path.name}").write_bytes(b"\0\5\26\7")
    (tmp_path / "works" / "notes.txt").touch()
    write_tower(tmp_path / "tower.onnx")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def list_works(folder: Path, encoding: str = "utf-16", separator: str = ";") -> None:
    """Write works.csv as Excel would: without the columns' usual names, and artists as a museum has them."""
    lines = [["Title", "Who", "File"], *(["x", artist or "Anonymous", name] for name, artist in ARTISTS.items())]
    text = "sep=;\r\n" + "".join(separator.join(line) + "\r\n" for line in lines)
    (folder / "works.csv").write_bytes(text.encode(encoding))


def artists_of_pairs(text: str) -> tuple[set[str], dict[frozenset[str], str]]:
    """The works of a pairs file, and the label of each pair."""
    rows = list(csv.DictReader(io.StringIO(text)))
    return {row[key] for row in rows for key in ("image1", "image2")}, {
        frozenset((row["image1"], row["image2"])): row["sameArtist"] for row in rows
    }


@pytest.mark.parametrize("source", ["works", "works.csv"])
def test_all_commands_have_the_same_works_and_artists(
    folder: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    list_works(folder)
    options = [] if source == "works" else ["--columns", "filename=File,artist=Who"]
    data_dir = [] if source == "works" else ["--data-dir", "works"]
    assert artsim_in_process("embed", source, *options, *data_dir, "-o", "store.parquet", *TOWER) == 0
    store = read_store(Path("store.parquet"))
    assert dict(zip(store.names, store.artists, strict=True)) == ARTISTS
    said = {"embed": capsys.readouterr().err}

    assert artsim_in_process("pairs", source, *options) == 0
    out, said["pairs"] = capsys.readouterr()
    names, labels = artists_of_pairs(out)
    assert names == set(ARTISTS)
    for pair, label in labels.items():
        one, other = (ARTISTS[name] for name in pair)
        assert label == ("" if one is None or other is None else str(int(one == other)))

    arguments = ["query.png", "--among", source, *options, *data_dir, "-k", "9", *TOWER]
    assert artsim_in_process("nearest", *arguments) == 0
    out, said["nearest"] = capsys.readouterr()
    assert {row["image"]: row["artist"] or None for row in csv.DictReader(io.StringIO(out))} == ARTISTS
    assert "searched 7 works by 2 artists, 3 without an artist" in said["nearest"]
    for text in said.values():
        if source == "works":
            assert "works: 8 passed over: 1 .txt; 7 hidden or left by programs" in text
            assert "works: 1 work by an unknown artist: 'Unknown' (1); 1 work with a qualified attribution" in text
        else:
            assert "works.csv: 3 works by an unknown artist: 'Anonymous' (3). These works have no artist." in text


def test_train_has_the_same_works_with_an_artist(folder: Path) -> None:
    catalogue = read_catalogue("works", None, artists=9, works=9)
    found = dict(zip(catalogue.table["filename"], catalogue.table["artist"], strict=True))
    assert found == {name: artist for name, artist in ARTISTS.items() if artist is not None}


def test_an_attribution_may_be_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["pairs", "works"], ["embed", "works", "-o", "store.parquet", *TOWER]):
        assert artsim_in_process(*command, "--qualified", "keep") == 0
        assert "With --qualified keep, each qualified attribution is an artist" in capsys.readouterr().err
    store = read_store(Path("store.parquet"))
    artists = dict(zip(store.names, store.artists, strict=True))
    assert artists == ARTISTS | {"workshop of Bob/6.png": "workshop of Bob"}


def test_a_cohort_is_read_like_any_collection(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tower(folder / "tower.onnx", adaptable_card())
    list_works(folder)
    shutil.move("works.csv", "works/works.csv")
    (folder / "pairs.csv").write_text("image1;image2\nworks/cover.png;query.png\n")
    for cohort, options in (("works", []), ("works/works.csv", ["--columns", "filename=File"])):
        assert artsim_in_process("score", "pairs.csv", "--cohort", cohort, *options, *TOWER) == 0
        err = capsys.readouterr().err
        assert ("passed over" in err) == (cohort == "works")
        assert "artist" not in err.replace("same-artist", "")


def test_a_broken_link_is_a_bad_image_that_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("works/Ann/9.png").symlink_to("nowhere.png")
    assert artsim_in_process("embed", "works", "-o", "store.parquet", *TOWER) == 4
    err = capsys.readouterr().err
    assert "1 image missing, links to files that are not there: Ann/9.png." in err
    assert "a link to a file that is not there" in err
    assert artsim_in_process("pairs", "works") == 0
    out, err = capsys.readouterr()
    assert "Ann/9.png" in artists_of_pairs(out)[0]
    assert "1 image missing" in err


def test_missing_files_of_a_csv_are_bad_images(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [*(f"lost{number}.jpg" for number in range(20)), *ARTISTS]
    (folder / "works.csv").write_text("\n".join(["filename", *names]))
    embed = ["embed", "works.csv", "--data-dir", "works", "-o", "store.parquet", "--max-bad-images"]
    assert artsim_in_process(*embed, "20", *TOWER) == 0
    assert set(read_store(Path("store.parquet")).names) == set(ARTISTS)
    assert artsim_in_process(*embed, "19", *TOWER) == 4
    assert "20 of 27 images are bad" in capsys.readouterr().err


def test_windows_text_in_pairs_is_noted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("works/cover.png", "Dürer.png")
    (folder / "pairs.csv").write_bytes("image1;image2\nDürer.png;query.png\n".encode("cp1252"))
    assert artsim_in_process("score", "pairs.csv", *TOWER) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].startswith("image1,image2,distance")
    assert out.splitlines()[1].startswith("Dürer.png,query.png,")
    assert err.startswith("pairs.csv: the file is not UTF-8 and is read as Windows-1252.")


def test_a_store_and_a_parquet_table_are_told_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({"filename": list(ARTISTS), "artist": list(ARTISTS.values())})
    parquet.write_table(table, "works.parquet")
    assert artsim_in_process("nearest", "query.png", "--among", "works.parquet", "--data-dir", "works", *TOWER) == 0
    assert "searched 7 works by 2 artists" in capsys.readouterr().err
