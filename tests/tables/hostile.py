"""Small files that unpack to half a gigabyte or more, and files that crash parsers, each written by a function."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

REPEATS = 2**29 // 2**24


def _gzip(path: Path, start: bytes, unit: bytes, end: bytes = b"") -> None:
    """`start`, half a gigabyte of `unit`, and `end`, as one gzip file of many members."""
    member = gzip.compress(unit * (2**24 // len(unit)), 6)
    path.write_bytes(gzip.compress(start) + member * REPEATS + gzip.compress(end))


def _zstd(path: Path, start: bytes, unit: bytes) -> None:
    codec = pa.Codec("zstd")
    frame = codec.compress(unit * (2**24 // len(unit)), asbytes=True)
    path.write_bytes(codec.compress(start, asbytes=True) + frame * REPEATS)


def zstd_window(path: Path) -> None:
    """A frame of a few bytes whose window is 2 GiB."""
    data = b"image1,image2\na,b\n"
    block = struct.pack("<I", len(data) << 3 | 1)[:3]
    path.write_bytes(b"\x28\xb5\x2f\xfd\x00" + bytes([21 << 3]) + block + data)


def wide_csv(path: Path) -> None:
    path.write_text("image1,image2," + ",".join(f"c{n}" for n in range(100_000)) + "\n")


def wide_jsonl(path: Path) -> None:
    """Columns that have a value each in one row: Arrow's memory is the square of their number."""
    path.write_text("".join(json.dumps({"image1": "a", "image2": "b", f"c{n}": 1}) + "\n" for n in range(60_000)))


def wide_parquet(path: Path) -> None:
    names = ["image1", "image2", *(f"c{n}" for n in range(10_000))]
    parquet.write_table(pa.table([pa.array([], pa.int8())] * len(names), names), path, compression="none")


def sparse_jsonl(path: Path) -> None:
    """The columns of one long row, and many rows without any of them."""
    row = {"image1": "a", "image2": "b"} | {f"c{n}": 1 for n in range(1_000)}
    path.write_bytes(json.dumps(row).encode() + b"\n" + b"{}\n" * 50_000)


def nested_jsonl(path: Path, depth: int = 100_000, end: str = "") -> None:
    path.write_text('{"image1": "a", "image2": "b"}\n{"image1": ' + ("[" + end) * depth + "\n")


def nested_objects_over_lines(path: Path) -> None:
    path.write_text('{"image1":\n' * 100_000)


def nested_jsonl_after_closing_brackets(path: Path) -> None:
    path.write_text('{"image1": "a", "image2": "b"}\n' + "}" * 200_000 + "\n" + '{"image1": ' + "[" * 100_000 + "\n")


def _repeated(rows: int) -> pa.RecordBatch:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int8()), ["x" * 2**20])
    return pa.record_batch({"image1": text, "image2": pa.array(["b"] * rows, pa.string())})


def repeated_value(path: Path, *, is_category: bool = False) -> None:
    """A text of a megabyte in a dictionary, and 3,500 rows that refer to it."""
    with parquet.ParquetWriter(
        path, _repeated(0).schema, dictionary_pagesize_limit=2**24, compression="zstd", store_schema=is_category
    ) as writer:
        writer.write_batch(_repeated(3_500))


def repeated_prefix(path: Path) -> None:
    """A text of a megabyte, whose beginning the next 3,500 values share."""
    schema = pa.schema([("image1", pa.string()), ("image2", pa.string())])
    codings = {"image1": "DELTA_BYTE_ARRAY", "image2": "PLAIN"}
    with parquet.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=False, column_encoding=codings, write_statistics=False
    ) as writer:
        for _ in range(70):
            writer.write_batch(_repeated(50).cast(schema))


def large_page(path: Path) -> None:
    table = pa.table({"image1": ["x" * (2**26 + 1)], "image2": ["b"]})
    parquet.write_table(table, path, compression="zstd", use_dictionary=False, write_statistics=False)


def deep_parquet(path: Path) -> None:
    """A schema of 200,000 groups, each inside another."""
    group = b"\x35\x00\x18\x01a\x15\x02\x00"  # repetition required, name a, one child
    leaf = b"\x15\x02\x25\x00\x18\x01x\x00"
    count = 200_000
    length = bytes([count + 1 & 127 | 128, count + 1 >> 7 & 127 | 128, count + 1 >> 14])
    footer = b"\x15\x02\x19\xfc" + length + group * count + leaf + b"\x16\x00\x19\x0c\x00"
    path.write_bytes(b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1")


HEADER = b"image1,image2\n"
# The suffix of each file, how it is written, and what reading it says; "" where it is read.
FILES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a line": (".csv.gz", lambda path: _gzip(path, HEADER, b"x"), "line 2: is longer than 8 MiB"),
    "a line of cells": (".csv.gz", lambda path: _gzip(path, HEADER, b"x,"), "line 2: is longer than 8 MiB"),
    "a line of zstd": (".csv.zst", lambda path: _zstd(path, HEADER, b"x"), "line 2: is longer than 8 MiB"),
    "a header": (".csv.gz", lambda path: _gzip(path, b"image1,", b"x"), "line 1: is longer than 8 MiB"),
    "a line of jsonl": (".jsonl.gz", lambda path: _gzip(path, b'{"image1": "', b"x"), "line 1: is longer than 8 MiB"),
    "a row over lines": (".csv.gz", lambda path: _gzip(path, HEADER + b"a,", b'"\n",'), "row 1 .*longer than 8 MiB"),
    "a header over lines": (".csv.gz", lambda path: _gzip(path, b"image1,", b'"\n",'), "longer than 8 MiB"),
    "a window of zstd": (".csv.zst", zstd_window, "can't be read"),
    "wide csv": (".csv", wide_csv, "has 100,002 columns, and at most 10,000"),
    "wide jsonl": (".jsonl", wide_jsonl, "has 60,002 columns, and at most 10,000"),
    "wide parquet": (".parquet", wide_parquet, "has 10,002 columns, and at most 10,000"),
    "sparse jsonl": (".jsonl", sparse_jsonl, ""),
    "deep jsonl": (".jsonl", nested_jsonl, "line 2: .*nested more than 64 deep"),
    "deep jsonl over lines": (".jsonl", lambda path: nested_jsonl(path, end="\n"), "line 65: .*nested more than 64"),
    "deep objects": (".jsonl", nested_objects_over_lines, "line 65: .*nested more than 64 deep"),
    "deep after less deep": (".jsonl", nested_jsonl_after_closing_brackets, "nested more than 64 deep"),
    "deep parquet": (".parquet", deep_parquet, "has 200,000 columns"),
    "a repeated value": (".parquet", repeated_value, ""),
    "a repeated prefix": (".parquet", repeated_prefix, ""),
    "a category": (".parquet", lambda path: repeated_value(path, is_category=True), ""),
    "a page": (".parquet", large_page, "a page of the parquet file has 64 MiB"),
}
