"""What is read stays as it is, and every output has a file of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from artsim.errors import UsageError
from artsim.overwrites import check_overwrites


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("read.csv").write_text("image1,image2\n")
    Path("sub").mkdir()
    Path("sub_link").symlink_to("sub")
    Path("link.csv").symlink_to("read.csv")
    Path("hard.csv").hardlink_to("read.csv")
    Path("sub/dangling.csv").symlink_to("../new.csv")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["read.csv", "./read.csv", "sub/../read.csv", "link.csv", "hard.csv", "sub_link/../read.csv"]
)
def test_an_input_is_no_output_whatever_it_is_called(folder: Path, name: str) -> None:
    for output in (name, Path(name), folder / name):
        with pytest.raises(UsageError, match=r"^-o .*: is the file that PAIRS\.CSV reads \(read\.csv\)"):
            check_overwrites({"--model": "tower.onnx", "PAIRS.CSV": "read.csv"}, {"-o": output})


@pytest.mark.parametrize("name", ["new.csv", "./new.csv", "sub/../new.csv", "sub/dangling.csv"])
def test_two_outputs_have_two_files_even_if_these_do_not_exist(name: str) -> None:
    with pytest.raises(UsageError, match=r"^--summary .*: is the file that -o writes \(new\.csv\)"):
        check_overwrites({}, {"-o": "new.csv", "--summary": name})


def test_one_of_many_inputs_is_named() -> None:
    with pytest.raises(UsageError, match=r"QUERY reads \(read\.csv\)"):
        check_overwrites({"QUERY": ["a.jpg", "read.csv"]}, {"-o": "read.csv"})


def test_standard_input_from_a_file_is_that_file(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("read.csv").open() as file:
        kept = os.dup(0)
        os.dup2(file.fileno(), 0)
        try:
            with pytest.raises(UsageError, match=r"PAIRS\.CSV reads"):
                check_overwrites({"PAIRS.CSV": "-"}, {"-o": "hard.csv"})
            check_overwrites({"PAIRS.CSV": "-"}, {"-o": "other.csv"})
        finally:
            os.dup2(kept, 0)
            os.close(kept)


def test_different_files_streams_and_missing_flags_are_fine() -> None:
    inputs = {"PAIRS.CSV": "read.csv", "--model": None, "QUERY": ["x.jpg", "read.csv"]}
    check_overwrites(inputs, {"-o": "new.csv", "--summary": "sub/new.csv", "--artists": None})
    check_overwrites(inputs, {"-o": "none/new.csv", "--summary": "nowhere/new.csv"})
    check_overwrites(inputs, {"-o": "-", "--summary": os.devnull, "--artists": os.devnull})
    check_overwrites(inputs, {"-o": "-", "--summary": "-"})
    check_overwrites(inputs, {"-o": "a\0b", "--summary": "x" * 300})


@pytest.mark.skipif(sys.platform == "win32", reason="has no /dev")
def test_a_standard_stream_may_lead_to_one_file_twice() -> None:
    check_overwrites({}, {"-o": "/dev/stdout", "--summary": "/dev/stdout"})


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "tif", "webp", "avif", "jp2", "bmp", "qoi", "ppm"])
def test_a_picture_is_never_overwritten(suffix: str) -> None:
    Image.new("RGB", (8, 8)).save(f"x.{suffix}")
    Path(f"x.{suffix}").rename("renamed.csv") if suffix not in ("bmp", "ppm") else None
    name = f"x.{suffix}" if suffix in ("bmp", "ppm") else "renamed.csv"
    with pytest.raises(UsageError, match=f"^--summary {name}: is a picture"):
        check_overwrites({}, {"--summary": name})


def test_a_tower_is_overwritten_by_towers_only() -> None:
    Path("other.onnx").write_bytes(b"\x08\x08")
    with pytest.raises(UsageError, match=r"--summary other\.onnx: is a tower"):
        check_overwrites({}, {"--summary": "other.onnx"})
    check_overwrites({}, {"-o": "other.onnx"}, makes_tower=True)


def test_where_the_file_system_ignores_case_so_does_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    with_case = Path.samefile

    def without_case(one: Path, other: Path) -> bool:
        return with_case(Path(str(one).lower()), str(other).lower())

    check_overwrites({}, {"-o": "New.csv", "--summary": "new.CSV"})
    monkeypatch.setattr(Path, "samefile", without_case)
    with pytest.raises(UsageError, match="is the file that -o writes"):
        check_overwrites({}, {"-o": "New.csv", "--summary": "new.CSV"})
