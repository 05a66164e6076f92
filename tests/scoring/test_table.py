"""Tables as they are written: csv, jsonl and parquet."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from artsim.errors import UsageError
from artsim.scoring.pairs_file import SCORE_COLUMNS
from artsim.scoring.table import FORMATS, CsvWriter, JsonlWriter, ScoredBlock, format_of

HEADER = ["image1", "image2"]
CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FLOATS = st.floats(0, 2.0**100, width=32, allow_subnormal=False)


def block(rows: list[list[str]], distances: list[float] | None = None) -> ScoredBlock:
    """Rows with the distances given, 0.1 by default; the first image of every third pair is missing."""
    distance = np.array([0.1] * len(rows) if distances is None else distances, dtype=np.float32)
    good = np.arange(len(rows)) % 3 != 2
    status = ["ok" if fine else "image1: missing" for fine in good]
    return ScoredBlock(rows, good, distance, distance / np.float32(2), np.ones(len(rows), dtype=np.int8), status)


def written(suffix: str, *blocks: ScoredBlock, header: list[str] | None = None) -> bytes:
    file = io.BytesIO()
    writer = FORMATS[suffix](file, header or HEADER)
    for one in blocks:
        writer.write(one)
    writer.close()
    return file.getvalue()


def test_csv_looks_as_promised() -> None:
    rows = [["a", "b"], ['c,"d"', "e\nf"], ["g", "h"]]
    assert written(".csv", block(rows)).decode() == (
        "image1,image2,distance,probability,prediction,status\n"
        "a,b,0.1,0.05,1,ok\n"
        '"c,""d""","e\nf",0.1,0.05,1,ok\n'
        "g,h,,,,image1: missing\n"
    )


def test_jsonl_looks_as_promised() -> None:
    lines = written(".jsonl", block([["ü", "b"], ["c", "d"], ["e", "f"]])).decode().splitlines()
    scores = '"distance": 0.1, "probability": 0.05, "prediction": 1, "status": "ok"}'
    assert lines[0] == '{"image1": "ü", "image2": "b", ' + scores
    assert json.loads(lines[2])["distance"] is None


def test_parquet_has_types_and_nulls(tmp_path: Path) -> None:
    rows = [["a", "b"], ["c", "d"], ["e", "f"]]
    table = parquet.read_table(io.BytesIO(written(".parquet", block(rows), block(rows))))
    types = [str(kind) for kind in table.schema.types]
    assert table.column_names == [*HEADER, *SCORE_COLUMNS]
    assert types == ["string", "string", "float", "float", "int8", "string"]
    assert table["image1"].to_pylist() == ["a", "c", "e"] * 2
    assert table["prediction"].to_pylist() == [1, 1, None] * 2
    assert table["status"].to_pylist()[2] == "image1: missing"


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_header_alone(suffix: str) -> None:
    data = written(suffix)
    if suffix == ".parquet":
        assert parquet.read_table(io.BytesIO(data)).num_rows == 0
    else:
        assert data.decode() == {".csv": "image1,image2," + ",".join(SCORE_COLUMNS) + "\n", ".jsonl": ""}[suffix]


@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=6))
def test_any_text_comes_out_of_csv_as_it_went_in(rows: list[list[str]]) -> None:
    text = written(".csv", block(rows)).decode()
    _, *back = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert [row[:2] for row in back] == rows


@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=6))
def test_any_text_comes_out_of_jsonl_as_it_went_in(rows: list[list[str]]) -> None:
    lines = written(".jsonl", block(rows)).decode().split("\n")[:-1]
    assert [[json.loads(line)[name] for name in HEADER] for line in lines] == rows


@given(distances=st.lists(FLOATS, min_size=1, max_size=6))
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_distance_reads_back_equal_and_is_as_short_as_can_be(suffix: str, distances: list[float]) -> None:
    rows = [["a", "b"]] * len(distances)
    text = written(suffix, block(rows, distances)).decode()
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


def test_the_suffix_says_the_format(tmp_path: Path) -> None:
    assert format_of("-") is CsvWriter
    assert format_of("x/SCORES.JSONL") is JsonlWriter
    for name in ("scores", "scores.txt", str(tmp_path)):
        with pytest.raises(UsageError, match=r"\.csv, \.jsonl, \.parquet"):
            format_of(name)
