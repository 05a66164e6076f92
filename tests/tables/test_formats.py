"""Tables as they are written: csv, jsonl and parquet."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from artsim.errors import InputError, UsageError
from artsim.tables.formats import make_format, with_scores
from artsim.tables.output import format_of
from artsim.tables.pairs_file import SCORE_COLUMNS

HEADER = ["image1", "image2"]
CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FLOATS = st.floats(0, 2.0**100, width=32, allow_subnormal=False)


def unzstd(data: bytes) -> bytes:
    return bytes(pa.CompressedInputStream(pa.BufferReader(data), "zstd").read())


def block(rows: list[list[str]], distances: list[float] | None = None) -> Any:
    """Rows with the distances given, 0.1 by default; the first image of every third pair is missing."""
    return scored(pa.table({name: [row[n] for row in rows] for n, name in enumerate(HEADER)}, TEXT), distances)


def scored(table: Any, distances: list[float] | None = None) -> Any:
    distance = np.array([0.1] * len(table) if distances is None else distances, dtype=np.float32)
    bad = np.arange(len(table)) % 3 == 2
    scores = [pa.array(column, mask=bad) for column in (distance, distance / 2, np.ones(len(table), dtype=np.int8))]
    status = pa.array(["image1: missing" if wrong else "ok" for wrong in bad], pa.string())
    inputs = [column.combine_chunks() for column in table.columns]
    return pa.record_batch([*inputs, *scores, status], schema=with_scores(table.schema))


def written(output: str, *blocks: Any, schema: Any = None, asked: Any = None) -> bytes:
    """What lies in an output of that name once the blocks were written."""
    row_format = make_format(output, asked, schema or TEXT)
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows"
        rows.write_bytes(row_format.head() + b"".join(bytes(row_format.encode(one)) for one in blocks))
        return row_format.finish(rows).read_bytes()


TEXT = pa.schema([(name, pa.string()) for name in HEADER])


def test_csv_looks_as_promised() -> None:
    rows = [["a", "b"], ['c,"d"', "e\nf"], ["g", "h"]]
    assert written("x.csv", block(rows)).decode() == (
        "image1,image2,distance,probability,prediction,status\n"
        "a,b,0.1,0.05,1,ok\n"
        '"c,""d""","e\nf",0.1,0.05,1,ok\n'
        "g,h,,,,image1: missing\n"
    )


def test_jsonl_looks_as_promised() -> None:
    lines = written("x.jsonl", block([["ü", "b"], ["c", "d"], ["e", "f"]])).decode().splitlines()
    scores = '"distance": 0.1, "probability": 0.05, "prediction": 1, "status": "ok"}'
    assert lines[0] == '{"image1": "ü", "image2": "b", ' + scores
    assert json.loads(lines[2])["distance"] is None


def test_parquet_has_types_and_nulls(tmp_path: Path) -> None:
    rows = [["a", "b"], ["c", "d"], ["e", "f"]]
    table = parquet.read_table(io.BytesIO(written("x.parquet", block(rows), block(rows))))
    types = [str(kind) for kind in table.schema.types]
    assert table.column_names == [*HEADER, *SCORE_COLUMNS]
    assert types == ["string", "string", "float", "float", "int8", "string"]
    assert table["image1"].to_pylist() == ["a", "c", "e"] * 2
    assert table["prediction"].to_pylist() == [1, 1, None] * 2
    assert table["status"].to_pylist()[2] == "image1: missing"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_header_alone(suffix: str) -> None:
    data = written("x" + suffix)
    if suffix == ".parquet":
        assert parquet.read_table(io.BytesIO(data)).num_rows == 0
    else:
        assert data.decode() == {".csv": "image1,image2," + ",".join(SCORE_COLUMNS) + "\n", ".jsonl": ""}[suffix]


@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=6))
def test_any_text_comes_out_of_csv_as_it_went_in(rows: list[list[str]]) -> None:
    text = written("x.csv", block(rows)).decode()
    _, *back = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert [row[:2] for row in back] == rows


@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=6))
def test_any_text_comes_out_of_jsonl_as_it_went_in(rows: list[list[str]]) -> None:
    lines = written("x.jsonl", block(rows)).decode().split("\n")[:-1]
    assert [[json.loads(line)[name] for name in HEADER] for line in lines] == rows


@given(distances=st.lists(FLOATS, min_size=1, max_size=6))
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_distance_reads_back_equal_and_is_as_short_as_can_be(suffix: str, distances: list[float]) -> None:
    rows = [["a", "b"]] * len(distances)
    text = written("x" + suffix, block(rows, distances)).decode()
    if suffix == ".csv":
        texts = [row["distance"] for row in csv.DictReader(io.StringIO(text))]
    else:
        texts = [line.split('"distance": ')[1].split(",")[0].replace("null", "") for line in text.splitlines()]
    for position, (cell, distance) in enumerate(zip(texts, distances, strict=True)):
        if position % 3 == 2:
            assert cell == ""
        else:
            assert np.float32(cell) == np.float32(distance)
            assert float(cell) == float(str(np.float32(distance)))


@pytest.mark.parametrize(("suffix", "opened"), [(".gz", gzip.decompress), (".zst", unzstd)])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_compressed_text_is_the_same_text(kind: str, suffix: str, opened: Callable[[bytes], bytes]) -> None:
    blocks = [block([["a", "b"], ["c", "d"]]), block([["e", "f"]])]
    assert opened(written(f"x.{kind}{suffix}", *blocks)) == written(f"x.{kind}", *blocks)


TYPED = pa.table(
    {
        "image1": pa.array(["a", None, "c"]),
        "image2": pa.array(["b", "b", "b"]).dictionary_encode(),
        "year": pa.array([1889, None, -5], pa.int16()),
        "width": pa.array([0.1, float("nan"), None]),
        "sold": pa.array([True, False, None]),
        "day": pa.array([0, 1, None], pa.date32()),
    }
)


def test_columns_of_other_types_are_written_as_text() -> None:
    lines = written("x.csv", scored(TYPED), schema=TYPED.schema).decode().splitlines()
    assert [line.rsplit(",", 4)[0] for line in lines[1:]] == [
        "a,b,1889,0.1,true,1970-01-01", ",b,,nan,false,1970-01-02", "c,b,-5,,,",
    ]  # fmt: skip


def test_columns_of_other_types_stay_what_they_are_in_jsonl() -> None:
    lines = written("x.jsonl", scored(TYPED), schema=TYPED.schema).decode().splitlines()
    assert [list(json.loads(line).values())[:6] for line in lines] == [
        ["a", "b", 1889, 0.1, True, "1970-01-01"], [None, "b", None, None, False, "1970-01-02"],
        ["c", "b", -5, None, None, None],
    ]  # fmt: skip


def test_columns_of_other_types_stay_what_they_are_in_parquet() -> None:
    table = parquet.read_table(io.BytesIO(written("x.parquet", scored(TYPED), schema=TYPED.schema)))
    assert table.select(TYPED.column_names).schema.equals(TYPED.schema)
    assert str(table.select(TYPED.column_names).to_pylist()) == str(TYPED.to_pylist())  # nan is not itself


def test_a_slice_of_a_batch_is_written_as_if_it_were_whole() -> None:
    whole = block([["a", "b"], ['c"', "d"], ["e", "f\\"]])
    for output in ("x.csv", "x.jsonl"):
        parts = written(output, whole.slice(0, 1), whole.slice(1))
        assert parts == written(output, whole)


def test_kaggle_gets_its_two_columns() -> None:
    table = pa.table({"image1": ["a", "b", "c"], "image2": ["d"] * 3, "index": ["0", "1", "7"]})
    text = written("-", scored(table, [0.1, 0.2, 0.3]), schema=table.schema, asked="kaggle").decode()
    assert text == "index,sameArtist\n0,0.05\n1,0.1\n7,\n"


def test_kaggle_wants_the_index() -> None:
    with pytest.raises(InputError, match="'index'"):
        make_format("x.csv", "kaggle", TEXT)


@pytest.mark.parametrize(
    ("output", "asked", "name"),
    [
        ("-", None, ("csv", None)),
        ("-", "jsonl", ("jsonl", None)),
        ("x/SCORES.JSONL", None, ("jsonl", None)),
        ("scores.csv.gz", None, ("csv", "gzip")),
        ("scores.jsonl.zst", None, ("jsonl", "zstd")),
        ("scores.txt", "csv", ("csv", None)),
        ("scores.csv", "kaggle", ("kaggle", None)),
        ("scores.parquet", None, ("parquet", None)),
    ],
)
def test_the_suffix_says_the_format(output: str, asked: Any, name: tuple[str, str | None]) -> None:
    assert format_of(output, asked) == name


@pytest.mark.parametrize(
    ("output", "asked"),
    [
        ("scores", None), ("scores.txt", None), ("scores.gz", None), ("scores.parquet.gz", None),
        ("scores.parquet", "csv"), ("scores.csv", "parquet"), ("scores.parquet", "kaggle"),
        ("scores.csv", "jsonl"), ("scores.jsonl", "kaggle"),
    ],
)  # fmt: skip
def test_other_suffixes_are_refused(output: str, asked: Any) -> None:
    with pytest.raises(UsageError, match=output):
        format_of(output, asked)
