"""Labels of pairs, as people and pandas write them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from artsim.errors import InputError
from artsim.tables.bounds import BLOCK_BYTES
from artsim.tables.image_index import index_images
from artsim.tables.labels import UNLABELLED
from artsim.tables.pairs_file import open_pairs


def labels_of(path: Path, block_bytes: int = BLOCK_BYTES) -> list[int]:
    with open_pairs(str(path), block_bytes) as pairs:
        return [label for block in pairs.blocks() if block.same is not None for label in block.same.tolist()]


def write_csv(path: Path, labels: list[str]) -> Path:
    path.write_text("image1,image2,sameArtist\n" + "".join(f"a,b,{label}\n" for label in labels))
    return path


def write_jsonl(path: Path, labels: list[Any]) -> Path:
    path.write_text("".join(json.dumps({"image1": "a", "image2": "b", "sameArtist": x}) + "\n" for x in labels))
    return path


def write_parquet(path: Path, labels: Any) -> Path:
    parquet.write_table(pa.table({"image1": ["a"] * 3, "image2": ["b"] * 3, "sameArtist": labels}), path)
    return path


SPELLINGS = [
    ["1", "0", ""],
    ["1.0", "0.0", ""],
    ["1.", "0.00", " "],
    ["True", "False", ""],
    ["TRUE", "FALSE", "nan"],
    ["true", "false", "NaN"],
    [" 1 ", "0 ", ""],
    ["1", "0", "NA"],
    ["1", "0", "None"],
    ["1", "0", "null"],
    ["1", "0", "<NA>"],
]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_text_spells_a_label_or_none(tmp_path: Path, spelled: list[str]) -> None:
    wanted = [1, 0, UNLABELLED]
    assert labels_of(write_csv(tmp_path / "x.csv", spelled)) == wanted
    assert labels_of(write_jsonl(tmp_path / "x.jsonl", list(spelled))) == wanted
    assert labels_of(write_parquet(tmp_path / "x.parquet", spelled)) == wanted


TYPED = [
    pa.array([True, False, None]),
    pa.array([1, 0, None], pa.int8()),
    pa.array([1, 0, None], pa.uint64()),
    pa.array([1.0, 0.0, None], pa.float32()),
    pa.array([1.0, 0.0, float("nan")], pa.float64()),
    pa.array([Decimal("1.00"), Decimal("0.00"), None]),
    pa.array(["True", "False", None], pa.large_string()),
    pa.array(["1", "0", None]).dictionary_encode(),
]


@pytest.mark.parametrize("labels", TYPED, ids=lambda labels: str(labels.type))
def test_every_type_of_parquet_holds_labels(tmp_path: Path, labels: pa.Array) -> None:
    assert labels_of(write_parquet(tmp_path / "x.parquet", labels)) == [1, 0, UNLABELLED]


@pytest.mark.parametrize("labels", [[True, False, None], [1, 0, None], [1.0, 0.0, None], [1, 0.0, None]])
def test_every_type_of_json_holds_labels(tmp_path: Path, labels: list[Any]) -> None:
    assert labels_of(write_jsonl(tmp_path / "x.jsonl", labels)) == [1, 0, UNLABELLED]


def test_a_file_without_any_label_is_a_file_without_labels(tmp_path: Path) -> None:
    with open_pairs(str(write_parquet(tmp_path / "x.parquet", pa.nulls(3)))) as pairs:
        index = index_images(pairs, tmp_path)
    assert (index.rows, index.labelled) == (3, 0)


@pytest.mark.parametrize("labels", [[None, 1, 0], [None, True, False], [None, "1", "0"], [None, 1.0, 0.0]])
def test_jsonl_may_begin_with_unlabelled_pairs(tmp_path: Path, labels: list[Any]) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", labels[:1] * 20 + labels[1:])
    assert labels_of(path, block_bytes=128) == [UNLABELLED] * 20 + [1, 0]


@pytest.mark.parametrize("wrong", ["2", "-1", "0.5", "yes", "1,0", "10", "no", "²", "１"])
def test_anything_else_is_no_label(tmp_path: Path, wrong: str) -> None:
    path = write_csv(tmp_path / "x.csv", ["1", f'"{wrong}"', "0"])
    with pytest.raises(InputError, match=f"x.csv, row 2 has the label '{wrong}': sameArtist should be 0 or 1"):
        labels_of(path)


def test_faulty_rows_are_told_at_once_with_their_number(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", ["1", "?"] * 50)
    with pytest.raises(InputError, match=r"row 2 has.*; row 4 has.*; row 6 has the label '\?' … and 47 more: same"):
        labels_of(path, block_bytes=64)


def test_a_long_label_is_shortened(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        labels_of(write_csv(tmp_path / "x.csv", ["x" * 10_000]))
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize("block_bytes", [40, BLOCK_BYTES])
@pytest.mark.parametrize("labels", [[True, 0, None], [1, False, None], [1.0, 0, None], ["1", 0, None], [None, True, 0]])
def test_labels_of_several_types_in_one_jsonl_are_read(tmp_path: Path, labels: list[Any], block_bytes: int) -> None:
    wanted = [UNLABELLED if label is None else int(label) for label in labels]
    assert labels_of(write_jsonl(tmp_path / "x.jsonl", labels), block_bytes) == wanted
