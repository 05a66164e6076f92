"""Tables as they are read: jsonl and parquet, and what is compressed; csv is in test_pairs_file.py."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from artsim.errors import InputError
from artsim.tables.bounds import BLOCK_BYTES
from artsim.tables.pairs_file import open_pairs

ROWS = [{"image1": f"{n}.jpg", "image2": 'ü, "b".jpg', "year": n, "sameArtist": n % 2} for n in range(200)]
LINES = [json.dumps(row) for row in ROWS]


def pairs_of(path: Path, block_bytes: int = BLOCK_BYTES) -> list[tuple[str, str, int | None]]:
    with open_pairs(str(path), block_bytes) as pairs:
        return [
            row
            for block in pairs.blocks()
            for row in zip(
                block.image1.to_pylist(),
                block.image2.to_pylist(),
                [None] * len(block) if block.same is None else block.same.tolist(),
                strict=True,
            )
        ]


WANTED = [(row["image1"], row["image2"], row["sameArtist"]) for row in ROWS]


def csv_of(rows: list[dict[str, Any]]) -> bytes:
    lines = [f'{row["image1"]},"ü, ""b"".jpg",{row["year"]},{row["sameArtist"]}' for row in rows]
    return ("image1,image2,year,sameArtist\n" + "\n".join(lines) + "\n").encode()


def write(path: Path) -> None:
    if ".parquet" in path.name:
        parquet.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=70)
        return
    data = csv_of(ROWS) if ".csv" in path.name.lower() else ("\n".join(LINES) + "\n").encode()
    if path.suffix == ".gz":
        data = gzip.compress(data[:100]) + gzip.compress(data[100:])
    elif path.suffix == ".zst":
        data = pa.Codec("zstd").compress(data, asbytes=True)
    path.write_bytes(data)


NAMES = ["x.csv", "x.CSV.gz", "x.csv.zst", "x.jsonl", "x.jsonl.gz", "x.jsonl.zst", "x.parquet"]


@pytest.mark.parametrize("name", NAMES)
def test_every_format_holds_the_same_pairs(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    assert pairs_of(tmp_path / name, block_bytes=512) == WANTED


@pytest.mark.parametrize("name", NAMES)
def test_a_pipe_says_by_its_first_bytes_what_it_is(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / name)
    with (tmp_path / name).open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert pairs_of(Path("-")) == WANTED


@pytest.mark.parametrize("name", [name for name in NAMES if name != "x.csv" and name != "x.jsonl"])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    for kept in (len(data) - 3, len(data) // 2, 12):
        (tmp_path / name).write_bytes(data[:kept])
        with pytest.raises(InputError, match=f"^{tmp_path / name}: (is not|can't be read)"):
            pairs_of(tmp_path / name)


@pytest.mark.parametrize("name", ["x.csv.gz", "x.jsonl.gz", "x.parquet"])
def test_something_else_with_that_suffix_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(csv_of(ROWS))
    with pytest.raises(InputError, match=name):
        pairs_of(tmp_path / name)


JSONL = {
    "no JSON": (["{"], r"row 3 \(line 3\): is not a JSON object \(.*, character 2\)"),
    "no object": (["[1]"], r"row 3 \(line 3\): is not a JSON object"),
    "another type": ([json.dumps({**ROWS[0], "image1": 5})], r"row 3 .*image1 is 5, and a text in the rows before"),
    "a fraction": ([json.dumps({**ROWS[0], "year": 1.5})], r"row 3 .*year is 1\.5, and a whole number in the rows"),
    "a column more": ([json.dumps({**ROWS[0], "z": 5})], r"row 3 .*has the column 'z', which the first rows lack"),
    "a label of 2": ([json.dumps({**ROWS[0], "sameArtist": 2})], "row 3 has the label 2: sameArtist should be"),
    "several, a blank line": (
        ["", "[1]", *[json.dumps({**ROWS[0], "image1": 5})] * 4],
        r"row 3 \(line 4\): .*; row 4 \(line 5\): .*; row 5 .* and 2 more",
    ),
}


@pytest.mark.parametrize("case", JSONL)
def test_faults_of_jsonl_are_named(tmp_path: Path, case: str) -> None:
    lines, message = JSONL[case]
    (tmp_path / "x.jsonl").write_text("\n".join(LINES[:2] + lines + LINES[2:]))
    with pytest.raises(InputError, match=f"x.jsonl.*{message}"):
        pairs_of(tmp_path / "x.jsonl", block_bytes=100)  # so that the first line is a block


def test_a_fault_of_the_first_rows_of_jsonl_is_named(tmp_path: Path) -> None:
    rows = [{"image1": "a", "n": 1}, {"image1": "b", "n": 1.5}, {"image1": 5, "n": None}]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(InputError, match=r"x\.jsonl, row 3 \(line 3\): image1 is 5, and a text in the rows before\.$"):
        pairs_of(tmp_path / "x.jsonl")


def test_an_empty_jsonl_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").touch()
    with pytest.raises(InputError, match=r"x\.jsonl: is empty"):
        pairs_of(tmp_path / "x.jsonl")


def test_dates_of_jsonl_stay_text(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"image1": "a", "image2": "b", "day": "1889-06-01"}')
    with open_pairs(str(tmp_path / "x.jsonl")) as pairs:
        (block,) = pairs.blocks()
    assert block.table.to_pylist()[0]["day"] == "1889-06-01"


@pytest.mark.parametrize("labels", [[True, False], [1, 0], [1.0, 0.0], ["1", "0"]])
def test_labels_of_any_type_are_read(tmp_path: Path, labels: list[Any]) -> None:
    table = pa.table({"image1": ["a", None], "image2": ["b", "c"], "sameArtist": labels})
    parquet.write_table(table, tmp_path / "x.parquet")
    assert pairs_of(tmp_path / "x.parquet") == [("a", "b", 1), ("", "c", 0)]


def test_columns_that_can_not_be_kept_are_refused(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"image1": ["a"], "image2": ["b"], "tags": [["x"]]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="'tags' holds list"):
        pairs_of(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    "row",
    ['"a.jpg"x,b.jpg', 'a.jpg,"b.jpg', '"a.jpg,b.jpg\nc.jpg,"d".jpg', '"a"".jpg,b.jpg'],
)
def test_a_broken_quote_is_found_and_its_row_named(tmp_path: Path, row: str) -> None:
    good = "\n".join("a,b" for _ in range(50))
    (tmp_path / "x.csv").write_text(f'image1,image2\n{good}\n{row}\n{good}\n"c",d\n{good}\n')
    with pytest.raises(InputError, match=r"x.csv, row 51 .*(quote|cells)"):
        pairs_of(tmp_path / "x.csv")


def test_a_broken_quote_is_found_whatever_the_line_ends(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b'image1,image2\ra.jpg,"b.jpg\rc.jpg,"d.jpg"\re,f\r')
    with pytest.raises(InputError, match=r"x\.csv, row 1 .*quote"):
        pairs_of(tmp_path / "x.csv")


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_text_that_is_not_utf8_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    if suffix == "jsonl":
        path.write_bytes(b'{"image1": "\xff.jpg", "image2": "b.jpg"}\n')
    else:
        bad = pa.array([b"\xff.jpg"]).view(pa.string())
        parquet.write_table(pa.table({"image1": bad, "image2": ["b.jpg"]}), path)
    with pytest.raises(InputError, match=str(path)):
        pairs_of(path)


def test_a_column_whose_name_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"image1": "a", "image2": "b", "\xff": 1}\n')
    with pytest.raises(InputError, match=r"x\.jsonl, row 1 \(line 1\): is not UTF-8 text"):
        pairs_of(path)
    path = tmp_path / "x.parquet"
    parquet.write_table(pa.table({"image1": ["a"], "image2": ["b"], "zz": [1]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"zz", b"\xff\xff"))
    with pytest.raises(InputError, match=r"x\.parquet: "):
        pairs_of(path)


def test_long_rows_of_parquet_come_in_smaller_blocks(tmp_path: Path) -> None:
    table = pa.table({"image1": ["a"] * 64, "image2": [str(n) for n in range(64)], "note": ["x" * 1000] * 64})
    parquet.write_table(table, tmp_path / "x.parquet")
    with open_pairs(str(tmp_path / "x.parquet"), block_bytes=2048) as pairs:
        blocks = list(pairs.blocks())
    assert max(len(block) for block in blocks) <= 2
    assert [name for block in blocks for name in block.image2.to_pylist()] == [str(n) for n in range(64)]


@pytest.mark.parametrize("kind", [pa.binary(), pa.binary(2), pa.list_(pa.string())])
def test_bytes_and_lists_are_refused_before_anything_is_read(tmp_path: Path, kind: Any) -> None:
    parquet.write_table(
        pa.table({"image1": ["a"], "image2": ["b"], "x": pa.array([None], kind)}), tmp_path / "x.parquet"
    )
    with pytest.raises(InputError, match="'x' holds"):
        pairs_of(tmp_path / "x.parquet")


def test_a_name_that_is_too_long_is_an_error_of_the_input() -> None:
    with pytest.raises(InputError, match="can't be read"):
        pairs_of(Path("a" * 300 + ".csv"))
