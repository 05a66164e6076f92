"""Files of pairs: what is written reads back, whatever the names."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyarrow import parquet

from artsim.errors import OutputError, UsageError
from artsim.tables.output import check_output
from artsim.tables.pairs_writer import open_pairs_writer

NAMES = ["a.jpg", 'say "b".jpg', "c,d.jpg", "line\nbreak.jpg", "return\r.jpg", "ü🎨.jpg", " e .jpg"]

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def every_pair(count: int) -> Pairs:
    first, second = np.triu_indices(count, k=1)
    return first, second, (first + second) % 2


def write(path: Path, names: list[str], pairs: Pairs, *, labelled: bool) -> None:
    with open_pairs_writer(str(path), names, labelled) as table:
        for part in (slice(0, 5), slice(5, None)):
            first, second, same = (column[part] for column in pairs)
            table.write(first, second, same if labelled else None)


def wanted(names: list[str], pairs: Pairs) -> list[tuple[str, str, int]]:
    return [(names[i], names[j], same) for i, j, same in zip(*(column.tolist() for column in pairs), strict=True)]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=2, max_size=8))
def test_csv_reads_back_whatever_the_names(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    path = tmp_path_factory.mktemp("names") / "pairs.csv"
    write(path, names, every_pair(len(names)), labelled=True)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    assert header == ["image1", "image2", "sameArtist"]
    assert [(one, other, int(same)) for one, other, same in rows] == wanted(names, every_pair(len(names)))


def test_csv_has_no_more_quotes_than_it_needs(tmp_path: Path) -> None:
    write(tmp_path / "pairs.csv", ["a.jpg", "b.jpg", "c,d.jpg"], every_pair(3), labelled=False)
    assert (tmp_path / "pairs.csv").read_text() == 'image1,image2\na.jpg,b.jpg\na.jpg,"c,d.jpg"\nb.jpg,"c,d.jpg"\n'


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "csv.gz", "CSV.ZST", "parquet"])
def test_every_format_says_the_same(tmp_path: Path, suffix: str, labelled: bool) -> None:
    path = tmp_path / f"some.pairs.{suffix}"
    pairs = every_pair(len(NAMES))
    write(path, NAMES, pairs, labelled=labelled)
    columns = ["image1", "image2", *(["sameArtist"] if labelled else [])]
    expected = [dict(zip(columns, row, strict=False)) for row in wanted(NAMES, pairs)]
    if suffix == "parquet":
        table = parquet.read_table(path)
        assert table.schema.field("image1").type == pa.string()
        assert table.to_pylist() == expected
        return
    data = path.read_bytes()
    if suffix.endswith("gz"):
        data = gzip.decompress(data)
    elif suffix.endswith("ZST"):
        data = pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
    if "json" in suffix:
        assert [json.loads(line) for line in data.decode().split("\n")[:-1]] == expected
    else:
        rows = list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))
        assert rows == [{column: str(cell) for column, cell in row.items()} for row in expected]


UNLABELLED = {
    "csv": "image1,image2,sameArtist\na,b,1\na,c,\nb,c,0\n",
    "jsonl": '{"image1": "a", "image2": "b", "sameArtist": 1}\n{"image1": "a", "image2": "c", "sameArtist": null}\n'
    '{"image1": "b", "image2": "c", "sameArtist": 0}\n',
}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_the_label_is_empty_where_an_artist_is_unknown(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"pairs.{suffix}"
    write(path, ["a", "b", "c"], (np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([1, -1, 0])), labelled=True)
    if suffix == "parquet":
        assert parquet.read_table(path)["sameArtist"].to_pylist() == [1, None, 0]
    else:
        assert path.read_text() == UNLABELLED[suffix]


@pytest.mark.parametrize("output", ["pairs", "pairs.txt", "pairs.parquet.gz", "pairs.gz", "pairs.csv.bz2"])
def test_other_suffixes_are_refused(tmp_path: Path, output: str) -> None:
    with pytest.raises(UsageError, match=r"unknown suffix|Leave \.gz out"):
        check_output(str(tmp_path / output))


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zst", "jsonl", "parquet"])
def test_what_fails_on_the_way_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"pairs.{suffix}"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), open_pairs_writer(str(path), ["a", "b"], labelled=False) as table:
        table.write(np.array([0]), np.array([1]), None)
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zst", "parquet"])
def test_a_full_disk_is_said(tmp_path: Path, suffix: str) -> None:
    full = tmp_path / f"full.{suffix}"
    full.symlink_to("/dev/full")
    first, second, _ = every_pair(300)
    names = [f"{number:x}" for number in np.random.default_rng(0).integers(2**62, size=300)]
    with (
        pytest.raises(OutputError, match="No space left"),
        open_pairs_writer(str(full), names, labelled=False) as table,
    ):
        for _ in range(20):
            table.write(first, second, None)


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zst"])
def test_a_pipe_with_a_suffix_gets_that_format(tmp_path: Path, suffix: str) -> None:
    pipe = tmp_path / f"pipe.{suffix}"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(pipe.read_bytes)
        write(pipe, NAMES, every_pair(len(NAMES)), labelled=False)
        write(tmp_path / f"file.{suffix}", NAMES, every_pair(len(NAMES)), labelled=False)
        assert read.result() == (tmp_path / f"file.{suffix}").read_bytes()
