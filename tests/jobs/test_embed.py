"""`artsim embed` as a user types it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import artsim
from artsim.files import file_sha256
from artsim.locking import only_one
from artsim.scoring.embedding_store import read_store
from tests.command import ROOT, artsim_in_process
from tests.towers import write_paintings, write_tower

Command = Callable[..., int]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a tower and three paintings by two artists."""
    write_paintings(tmp_path / "works" / "Manet", "a.png")
    write_paintings(tmp_path / "works" / "Monet", "b.png", "c.png")
    write_tower(tmp_path / "tower.onnx")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def embed(*arguments: str, output: str = "kept.parquet", model: str = "tower.onnx") -> int:
    return artsim_in_process("embed", *arguments, "-o", output, "--model", model, "--device", "cpu")


def test_a_folder_of_artists(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert embed("works") == 0
    out, err = capsys.readouterr()
    assert out == ""
    said = dict(line.strip().split(None, 1) for line in err.splitlines() if not line.startswith(("bad", "wall")))
    assert (said["provider"], said["embedded"]) == ("CPUExecutionProvider", "3 new, 0 reused")
    assert said["images"].startswith("3 (")
    frame = pd.read_parquet("kept.parquet")
    assert list(frame["image"]) == ["Manet/a.png", "Monet/b.png", "Monet/c.png"]
    assert list(frame["artist"]) == ["Manet", "Monet", "Monet"]
    assert list(frame["sha256"]) == [file_sha256(folder / "works" / name) for name in frame["image"]]
    vectors = artsim.load("tower.onnx", "cpu").embed([folder / "works" / name for name in frame["image"]])
    np.testing.assert_array_equal(np.stack(list(frame["embedding"])), vectors)
    assert read_store(Path("kept.parquet")).model_sha256 == file_sha256(Path("tower.onnx"))


def test_bad_images_within_the_limit_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "works" / "bad.png").write_bytes(b"no picture")
    assert embed("works", "--max-bad-images", "1") == 0
    assert "bad.png: not an image" in capsys.readouterr().err


def test_a_second_run_embeds_what_is_new_and_leaves_out_what_is_not_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    embed("works")
    write_paintings(folder / "works" / "Monet", "d.png")
    capsys.readouterr()
    assert embed("works/Monet") == 0
    err = capsys.readouterr().err
    assert "1 new, 2 reused" in err  # by their content: they have other names now
    assert "3 stored before and not listed now" in err
    assert read_store(Path("kept.parquet")).names == ["b.png", "c.png", "d.png"]


def test_a_csv_gives_artists_and_may_name_what_is_kept_alone(folder: Path) -> None:
    (folder / "works.csv").write_text("filename,artist\nMonet/b.png,Claude Monet\nManet/a.png,Edouard Manet\n")
    assert embed("works.csv", "--data-dir", "works") == 0
    (folder / "works" / "Manet" / "a.png").unlink()
    assert embed("works.csv", "--data-dir", "works") == 0
    kept = read_store(Path("kept.parquet"))
    assert dict(zip(kept.names, kept.artists, strict=True)) == {
        "Monet/b.png": "Claude Monet",
        "Manet/a.png": "Edouard Manet",
    }


def test_order_batches_and_resumption_do_not_show(folder: Path) -> None:
    write_paintings(folder / "works" / "Monet", *(f"{number}.png" for number in range(7)))
    embed("works", output="whole.parquet")
    embed("works/Manet", output="pieces.parquet")
    embed("works", output="pieces.parquet")
    assert (folder / "whole.parquet").read_bytes() == (folder / "pieces.parquet").read_bytes()


def test_bad_images_are_told_and_the_others_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "works" / "Monet" / "b.png").write_text("no picture")
    assert embed("works") == 4
    assert "1 of 3 images are bad" in capsys.readouterr().err
    assert read_store(Path("kept.parquet")).names == ["Manet/a.png", "Monet/c.png"]
    assert embed("works", "--max-bad-images", "50%") == 0


def test_only_bad_images_leave_an_empty_file_that_a_run_can_resume(folder: Path) -> None:
    (folder / "bad.png").write_text("no picture")
    assert embed("bad.png") == 4
    assert read_store(Path("kept.parquet")).vectors.shape == (0, 8)
    assert embed("works") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_a_name_that_is_not_utf8_is_a_bad_image(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.rename(b"works/Monet/b.png", b"works/Monet/\xff.png")  # noqa: PTH104 - Path takes no bytes
    assert embed("works") == 4
    assert "not UTF-8" in capsys.readouterr().err
    assert len(read_store(Path("kept.parquet")).names) == 2


def test_quiet_says_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert embed("works", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_another_models_output_is_refused_and_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    embed("works")
    before = (folder / "kept.parquet").read_bytes()
    write_tower(folder / "other.onnx", scale=1 / 128)
    assert embed("works", model="other.onnx") == 3
    err = capsys.readouterr().err
    assert file_sha256(folder / "tower.onnx") in err
    assert file_sha256(folder / "other.onnx") in err
    assert (folder / "kept.parquet").read_bytes() == before


ERRORS: dict[str, tuple[list[str], str, int]] = {
    "no such input": (["nowhere"], "kept.parquet", 3),
    "another suffix": (["works"], "kept.csv", 2),
    "standard output": (["works"], "-", 2),
    "no folder": (["works"], "nowhere/kept.parquet", 8),
    "a foreign output": (["works"], "foreign.parquet", 3),
    "a wrong limit of bad images": (["works", "--max-bad-images", "few"], "kept.parquet", 2),
    "a batch of none": (["works", "--batch-size", "0"], "kept.parquet", 2),
}


@pytest.mark.parametrize("name", ERRORS)
def test_exit_codes(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "foreign.parquet").write_text("something of the user's")
    arguments, output, code = ERRORS[name]
    assert embed(*arguments, output=output) == code
    assert "Traceback" not in capsys.readouterr().err
    assert (folder / "foreign.parquet").read_text() == "something of the user's"


def test_no_model_is_5(folder: Path) -> None:
    assert embed("works", model="nothing.onnx") == 5


def test_the_second_run_on_one_output_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with only_one(folder / "kept.parquet"):
        assert embed("works") == 8
    assert "another run is writing it" in capsys.readouterr().err
    assert embed("works") == 0


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert artsim_in_process("embed", "--help") == 0
    assert "\n  Examples:\n    artsim embed" in capsys.readouterr().out


# The command, but slower, and with an interval that ends during the test: there is always time to kill it.
SLOWED = """
import time
from artsim.cli.main import main
from artsim.decoders import DECODERS
from artsim.scoring import store_updates
store_updates.SHORTEST_INTERVAL = 0.05
load = DECODERS.load
def slow(*arguments, **options):
    time.sleep(0.05)
    return load(*arguments, **options)
DECODERS.load = slow
main()
"""


def test_a_killed_run_is_resumed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_paintings(folder / "many", *(f"{number:03}.png" for number in range(200)))
    embed("many", output="whole.parquet")
    arguments = ["embed", "many", "-o", "kept.parquet", "--model", "tower.onnx", "--device", "cpu"]
    process = subprocess.Popen([sys.executable, "-c", SLOWED, *arguments], env=os.environ | {"PYTHONPATH": str(ROOT)})
    while not (folder / "kept.parquet").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = len(read_store(Path("kept.parquet")).names)
    assert 0 < there < 200
    capsys.readouterr()
    assert embed("many") == 0
    assert f"{200 - there} new, {there} reused" in capsys.readouterr().err
    assert (folder / "kept.parquet").read_bytes() == (folder / "whole.parquet").read_bytes()


def test_attributions_are_kept_for_a_search(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    works = "filename,artist\nManet/a.png,after Manet\nMonet/b.png,Unknown\nMonet/c.png,Monet\n"
    (folder / "works.csv").write_text(works)
    assert embed("works.csv", "--data-dir", "works") == 0
    assert read_store(Path("kept.parquet")).attributions == ["after Manet", None, None]
    assert embed("works.csv", "--data-dir", "works") == 0  # a second run keeps them
    search = ["nearest", "works/Monet/c.png", "--among", "kept.parquet", "--model", "tower.onnx", "--artists", "a.csv"]
    assert artsim_in_process(*search, "--with-itself") == 0
    assert list(pd.read_csv("a.csv")["artist"]) == ["Monet"]
    assert "1 work with a qualified attribution: 'after Manet'" in capsys.readouterr().err
    assert artsim_in_process(*search, "--with-itself", "--qualified", "keep") == 0
    assert sorted(pd.read_csv("a.csv")["artist"]) == ["Monet", "after Manet"]
