from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from artsim.demo import artist_name, folder, paint, write_demo
from artsim.demo.artist_style import SUBJECTS, TECHNIQUES, style_of
from artsim.demo.painting import generator
from artsim.demo.work import plan
from artsim.errors import OutputError, UsageError


def files(place: Path) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_same_numbers_give_the_same_picture_in_any_order() -> None:
    forwards = [paint(artist, work).tobytes() for artist in range(3) for work in range(2)]
    style_of.cache_clear()
    backwards = [paint(artist, work).tobytes() for artist in (2, 1, 0) for work in (1, 0)]
    assert forwards == backwards[::-1]


def test_another_seed_artist_or_work_gives_another_picture() -> None:
    pictures = {paint(*numbers).tobytes() for numbers in [(3, 1, 0), (3, 1, 1), (4, 1, 0), (3, 2, 0)]}
    assert len(pictures) == 4


@settings(max_examples=30)
@given(
    artist=st.integers(0, 100_000),
    work=st.integers(0, 10_000),
    seed=st.integers(0, 2**32),
    size=st.sampled_from([1, 2, 3, 16, 97, 256, 300]),
)
def test_any_painting_is_rgb_and_has_the_requested_size(artist: int, work: int, seed: int, size: int) -> None:
    painting = paint(artist, work, seed, size)
    assert painting.mode == "RGB"
    assert max(painting.size) == size
    assert min(painting.size) >= max(1, size // 2)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_gives_a_picture_with_contrast(subject: str) -> None:
    artist, work = next(
        (artist, work)
        for artist in range(100)
        for work in range(4)
        if plan(style_of(artist, 0), generator(artist, work, 0)).subject == subject
    )
    assert np.asarray(paint(artist, work, size=128)).std() > 8


def test_artists_differ_in_technique_and_works_in_format() -> None:
    assert {style_of(artist, 0).technique for artist in range(100)} == set(TECHNIQUES)
    shapes = {np.sign(np.subtract(*paint(artist, work, size=32).size)) for artist in range(9) for work in range(4)}
    assert shapes == {-1, 0, 1}


@pytest.mark.parametrize("numbers", [(-1, 0, 0, 8), (0, -1, 0, 8), (0, 0, -1, 8), (0, 0, 0, 0)])
def test_numbers_out_of_range_are_usage_errors(numbers: tuple[int, int, int, int]) -> None:
    with pytest.raises(UsageError, match="must be"):
        paint(*numbers)


def test_names_of_artists_are_unique() -> None:
    names = [artist_name(artist) for artist in range(5000)]
    assert len(set(names)) == len(names)
    assert all(name.replace(" ", "").isalpha() and len(name.split()) == 2 for name in names)
    assert artist_name(7, seed=1) != artist_name(7)
    assert artist_name(10**7) not in names


def test_the_csv_lists_the_files_sorted_by_artist(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    path = write_demo(tmp_path / "new" / "demo", 2, 3, progress=lambda *step: steps.append(step))
    assert path == tmp_path / "new" / "demo" / "train_info.csv"
    table = rows(path)
    assert list(table[0]) == ["filename", "artist", "title", "style", "genre", "date"]
    assert [row["filename"] for row in table] == [f"a{a:04d}_w{w:03d}.jpg" for a in range(2) for w in range(3)]
    assert [row["artist"] for row in table] == [artist_name(a) for a in (0, 0, 0, 1, 1, 1)]
    assert all(all(row.values()) for row in table)
    assert steps == [("painting", done, 6) for done in range(7)]
    with Image.open(path.parent / "train" / table[0]["filename"]) as image:
        assert (image.format, image.size) == ("JPEG", paint(0, 0).size)


def test_years_lie_within_the_artists_life() -> None:
    for artist in range(50):
        style = style_of(artist, 0)
        for work in range(5):
            assert style.born + 20 <= plan(style, generator(artist, work, 0)).year <= style.born + style.span


def test_extending_a_collection_keeps_its_files_and_gives_the_same_result_as_one_run(tmp_path: Path) -> None:
    write_demo(tmp_path / "grown", 1, 2)
    first = tmp_path / "grown" / "train" / "a0000_w000.jpg"
    before = first.stat().st_mtime_ns
    write_demo(tmp_path / "grown", 2, 3)
    write_demo(tmp_path / "once", 2, 3)
    assert first.stat().st_mtime_ns == before
    assert files(tmp_path / "grown") == files(tmp_path / "once")


def test_a_smaller_collection_keeps_the_paintings_and_lists_fewer(tmp_path: Path) -> None:
    write_demo(tmp_path, 2, 2)
    assert len(rows(write_demo(tmp_path, 1, 1))) == 1
    assert len(list((tmp_path / "train").iterdir())) == 4


def test_runs_with_different_csvs_share_a_folder(tmp_path: Path) -> None:
    large = write_demo(tmp_path, 2, 2, csv_name="large.csv")
    write_demo(tmp_path, 1, 1, csv_name="small.csv")
    assert len(rows(large)) == 4


def test_a_killed_run_can_be_repeated(tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(stage: str, done: int, total: int) -> None:
        if not done:
            return
        (tmp_path / "demo" / "train" / ".a0000_w001.jpg.0123.part").write_bytes(b"half")
        raise Killed

    with pytest.raises(Killed):
        write_demo(tmp_path / "demo", 1, 2, progress=kill)
    write_demo(tmp_path / "demo", 1, 2)
    write_demo(tmp_path / "whole", 1, 2)
    left = {name: content for name, content in files(tmp_path / "demo").items() if not name.endswith(".part")}
    assert left == files(tmp_path / "whole")


def test_a_failed_write_leaves_the_folder_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(self))

    write_demo(tmp_path, 1, 1)
    before = files(tmp_path)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_demo(tmp_path, 1, 2)
    assert files(tmp_path) == before


def test_a_folder_of_another_seed_or_generator_is_an_output_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_demo(tmp_path, 1, 1)
    before = files(tmp_path)
    with pytest.raises(OutputError, match=r"seed 0.*seed 1.*Name another folder"):
        write_demo(tmp_path, 1, 2, seed=1)
    monkeypatch.setattr(folder, "GENERATOR", folder.GENERATOR + 1)
    with pytest.raises(OutputError, match="generator"):
        write_demo(tmp_path, 1, 2)
    assert files(tmp_path) == before


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff", json.dumps({"seed": 0}).encode()])
def test_an_unknown_marker_is_an_output_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / folder.MARKER).write_bytes(content)
    with pytest.raises(OutputError, match="Name another folder"):
        write_demo(tmp_path, 1, 1)


@pytest.mark.parametrize("name", ["train_info.csv", "train"])
def test_a_collection_of_real_paintings_is_not_changed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir() if name == "train" else (tmp_path / name).write_text("filename,artist\n")
    with pytest.raises(OutputError, match="was not written by artsim"):
        write_demo(tmp_path, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_in_place_of_the_folder_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="the demo collection can't be written"):
        write_demo(tmp_path / "file", 1, 1)


@pytest.mark.parametrize(("artists", "works", "seed"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_numbers_below_the_minimum_are_usage_errors(tmp_path: Path, artists: int, works: int, seed: int) -> None:
    with pytest.raises(UsageError, match="or more"):
        write_demo(tmp_path, artists, works, seed)
    assert not list(tmp_path.iterdir())
