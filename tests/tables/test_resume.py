"""Unfinished outputs and how a run resumes them."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from artsim.errors import InputError, ModelError, OutputError
from artsim.tables.formats import Format, make_format, with_scores
from artsim.tables.resume import RESUME, open_sink

SCHEMA = pa.schema([("image1", pa.string()), ("image2", pa.string())])
BLOCKS = [
    pa.record_batch(
        [
            [name],
            ["b"],
            pa.array([0.5], pa.float32()),
            pa.array([0.25], pa.float32()),
            pa.array([1], pa.int8()),
            ["ok"],
        ],
        schema=with_scores(SCHEMA),
    )
    for name in ("one", "two", "three")
]


def format_for(path: Path) -> Format:
    return make_format(str(path), None, SCHEMA)


def write(path: Path, fingerprint: str = "same", dies_after: int | None = None) -> list[int]:
    """Write the blocks that are not done; returns which. A death leaves what a killed process leaves."""
    row_format = format_for(path)
    written = []
    with open_sink(str(path)) as rows:
        for number in range(rows.begin(row_format, fingerprint), len(BLOCKS)):
            rows.append(row_format.encode(BLOCKS[number]))
            written.append(number)
            if number + 1 == dies_after:
                raise KeyboardInterrupt
        rows.finish()
    return written


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["scores.csv", "scores.jsonl.gz", "scores.csv.zst", "scores.parquet"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def interrupted(path: Path, dies_after: int) -> Path:
    """The folder that is left of a run that was cut off."""
    with pytest.raises(KeyboardInterrupt) as caught:
        write(path, dies_after=dies_after)
    assert caught.value.__notes__ == [f"The finished rows of {path} are kept. {RESUME}"]
    (left,) = (other for other in path.parent.iterdir() if other != path)
    assert left.name.startswith(".")
    return left


@pytest.mark.parametrize("dies_after", [1, 2, 3])
def test_a_resumed_run_gives_the_same_file(path: Path, dies_after: int) -> None:
    write(path)
    whole = path.read_bytes()
    path.unlink()
    interrupted(path, dies_after)
    assert write(path) == list(range(dies_after, 3))
    assert path.read_bytes() == whole
    assert names(path.parent) == [path.name]


def test_an_unfinished_block_is_written_again(path: Path) -> None:
    write(path)
    whole = path.read_bytes()
    left = interrupted(path, 2)
    with (left / "rows").open("ab") as file:
        file.write(b"half a blo")
    assert write(path) == [2]
    assert path.read_bytes() == whole


def test_another_fingerprint_starts_again(path: Path) -> None:
    interrupted(path, 2)
    assert write(path, fingerprint="other") == [0, 1, 2]


def test_a_folder_of_artsim_0_1_is_resumed(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    write(path)
    whole = path.read_bytes()
    path.unlink()
    left = tmp_path / ".a8edeb792edcc1153c3f8ac5460110b3.unfinished"
    left.mkdir()
    size = len(whole[: whole.index(b"three")])
    (left / "rows").write_bytes(whole[:size] + b"thr")
    (left / "run.json").write_text(f'{{"fingerprint": "same", "blocks": 2, "bytes": {size}}}')
    assert write(path) == [2]
    assert path.read_bytes() == whole
    assert names(tmp_path) == ["scores.csv"]


@pytest.mark.parametrize("state", ["", "{}", '{"fingerprint": "same", "blocks": 2, "bytes": 1000000}'])
def test_an_unreadable_state_starts_again(path: Path, state: str) -> None:
    (interrupted(path, 2) / "run.json").write_text(state)
    assert write(path) == [0, 1, 2]


def test_what_stood_there_stays_until_the_end(path: Path) -> None:
    path.write_text("old")
    with open_sink(str(path)) as rows:
        row_format = format_for(path)
        rows.begin(row_format, "same")
        rows.append(row_format.encode(BLOCKS[0]))
        assert path.read_text() == "old"
        rows.finish()
    assert path.read_bytes() != b"old"


def test_parquet_has_a_row_group_a_block(tmp_path: Path) -> None:
    write(tmp_path / "scores.parquet")
    with parquet.ParquetFile(tmp_path / "scores.parquet") as file:
        assert file.num_row_groups == 3
        assert file.read()["image1"].to_pylist() == ["one", "two", "three"]


def test_an_error_in_the_input_leaves_nothing(path: Path) -> None:
    with pytest.raises(InputError), open_sink(str(path)) as rows:
        rows.begin(format_for(path), "same")
        rows.append(b"rows")
        raise InputError("row 7 is bad")
    assert names(path.parent) == []


def test_an_error_before_the_rows_leaves_those_of_an_earlier_run(path: Path) -> None:
    write(path)
    whole = path.read_bytes()
    interrupted(path, 2)
    with pytest.raises(ModelError), open_sink(str(path)):
        raise ModelError("no such file")
    assert write(path) == [2]
    assert path.read_bytes() == whole


def test_an_error_in_the_pairs_leaves_the_embeddings(path: Path) -> None:
    with pytest.raises(InputError, match="row 7") as caught, open_sink(str(path)) as rows:
        assert rows.embeddings is not None
        rows.embeddings.write_text("embeddings")
        rows.begin(format_for(path), "same")
        rows.append(b"rows")
        raise InputError("row 7 is bad")
    (left,) = path.parent.iterdir()
    assert names(left) == ["embeddings.parquet"]
    assert caught.value.__notes__
    assert write(path) == [0, 1, 2]


def test_no_rows_are_an_output_too(path: Path) -> None:
    with open_sink(str(path)) as rows:
        rows.begin(format_for(path), "same")
        rows.finish()
    assert path.exists()
    assert names(path.parent) == [path.name]


def test_an_end_before_the_first_block_leaves_nothing(path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_sink(str(path)) as rows:
        rows.begin(format_for(path), "same")
        raise KeyboardInterrupt
    assert names(path.parent) == []


def test_the_second_of_two_runs_is_refused(path: Path) -> None:
    with open_sink(str(path)), pytest.raises(OutputError, match="another run"), open_sink(str(path)):
        pass


@pytest.mark.skipif(not hasattr(os, "symlink") or sys.platform == "win32", reason="links are POSIX's")
def test_a_link_to_another_filesystem_stays_one(path: Path) -> None:
    shared = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else path.parent  # noqa: S108 - another filesystem
    real = shared / f"artsim-test-{os.getpid()}"
    real.write_text("old")
    path.symlink_to(real)
    try:
        write(path)
        assert path.is_symlink()
        assert real.read_bytes() != b"old"
    finally:
        real.unlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_pipe_gets_the_whole_of_it(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"scores.{suffix}")
    pipe = tmp_path / f"pipe.{suffix}"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert write(pipe) == [0, 1, 2]
    reader.join()
    assert read == [(tmp_path / f"scores.{suffix}").read_bytes()]


def test_the_permissions_of_a_replaced_output_stay(path: Path) -> None:
    path.touch()
    path.chmod(0o640)
    left = interrupted(path, 2)
    assert stat.S_IMODE(left.stat().st_mode) == 0o700
    assert stat.S_IMODE((left / "rows").stat().st_mode) == 0o640
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["rows", "run.json", "run.json.part", "embeddings.parquet"])
def test_a_link_in_the_hidden_folder_is_refused(tmp_path: Path, name: str) -> None:
    path, other = tmp_path / "scores.csv", tmp_path / "other.txt"
    other.write_text("mine")
    left = interrupted_beside(path, other, dies_after=1)
    (left / name).unlink(missing_ok=True)
    (left / name).symlink_to(other)
    with pytest.raises(OutputError, match=f"{name}: is in the way"):
        write(path)
    assert other.read_text() == "mine"


def test_a_link_in_place_of_the_hidden_folder_is_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "scores.csv", tmp_path / "other"
    other.mkdir()
    left = interrupted_beside(path, other, dies_after=1)
    shutil.rmtree(left)
    left.symlink_to(other)
    with pytest.raises(OutputError, match="unfinished: is in the way"):
        write(path)
    assert list(other.iterdir()) == []


def interrupted_beside(path: Path, other: Path, dies_after: int) -> Path:
    with pytest.raises(KeyboardInterrupt):
        write(path, dies_after=dies_after)
    (left,) = (each for each in path.parent.iterdir() if each not in (path, other))
    return left


def test_a_run_that_is_interrupted_before_its_first_block_says_so(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    with pytest.raises(KeyboardInterrupt) as caught, open_sink(str(path)):
        raise KeyboardInterrupt
    assert caught.value.__notes__ == [f"Nothing of {path} was written. The same command starts from the beginning."]
    assert names(tmp_path) == []


@pytest.mark.parametrize("state", ["[" * 100_000, '{"fingerprint": "same", "blocks": true, "bytes": -1}'])
def test_a_state_that_no_run_has_written_starts_again(path: Path, state: str) -> None:
    (interrupted(path, 2) / "run.json").write_text(state)
    assert write(path) == [0, 1, 2]
