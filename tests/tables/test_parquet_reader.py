"""Parquet as different programs write it, in batches of a bounded size."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from artsim.errors import InputError
from artsim.tables.pairs_file import open_pairs
from artsim.tables.parquet_pages import DICTIONARY_PAGE, pages, schema_elements

ROWS = 5_000
TABLE = pa.table(
    {
        "image1": [f"{n % 700}.jpg" for n in range(ROWS)],
        "image2": [None if n % 9 == 0 else f"{n}-ü.jpg" for n in range(ROWS)],
        "year": list(range(ROWS)),
        "seen": [n % 2 == 0 for n in range(ROWS)],
        "note.": [0.5 * n for n in range(ROWS)],
    }
)
WAYS: dict[str, dict[str, Any]] = {
    "plain": {"use_dictionary": False},
    "small row groups": {"row_group_size": 70},
    "small pages": {"data_page_size": 512, "write_batch_size": 16},
    "pages of version 2": {"data_page_version": "2.0", "compression": "zstd"},
    "a dictionary that ends early": {
        "dictionary_pagesize_limit": 1_000,
        "data_page_size": 1_000,
        "write_batch_size": 64,
    },
    "prefixes": {
        "use_dictionary": False,
        "column_encoding": {"image1": "DELTA_BYTE_ARRAY", "image2": "DELTA_BYTE_ARRAY"},
    },
    "lengths": {"use_dictionary": False, "column_encoding": {"image1": "DELTA_LENGTH_BYTE_ARRAY"}},
    "statistics and an index": {"write_page_index": True, "write_page_checksum": True, "compression": "gzip"},
    "version 1.0": {"version": "1.0", "compression": "none"},
}


def read(path: Path, block_bytes: int) -> list[pa.RecordBatch]:
    with open_pairs(str(path), block_bytes) as pairs:
        assert [len(list(pairs.blocks())) > 0 for _ in range(2)] == [True, True]
        return [block.table for block in pairs.blocks()]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("block_bytes", [4_096, 2**23])
def test_every_way_to_write_a_file_gives_its_rows(tmp_path: Path, way: str, block_bytes: int) -> None:
    parquet.write_table(TABLE, tmp_path / "x.parquet", **WAYS[way])
    batches = read(tmp_path / "x.parquet", block_bytes)
    assert pa.Table.from_batches(batches).equals(TABLE)
    assert all(batch.nbytes < 3 * block_bytes for batch in batches)
    if block_bytes > 4_096:
        assert len(batches) == 1  # small row groups are put together


def test_columns_that_are_dictionaries_stay_so(tmp_path: Path) -> None:
    table = TABLE.set_column(0, "image1", TABLE["image1"].combine_chunks().dictionary_encode())
    parquet.write_table(table, tmp_path / "x.parquet", row_group_size=1_500)
    batches = read(tmp_path / "x.parquet", 2**23)
    assert batches[0].schema.types[0] == table.schema.types[0]
    assert [row for batch in batches for row in batch.to_pylist()] == TABLE.to_pylist()


def test_the_headers_of_pages_say_their_size_and_their_values(tmp_path: Path) -> None:
    parquet.write_table(TABLE, tmp_path / "x.parquet", data_page_size=512, write_batch_size=16)
    chunk = parquet.read_metadata(tmp_path / "x.parquet").row_group(0).column(0)
    with (tmp_path / "x.parquet").open("rb") as file:
        found = list(pages(file, chunk.dictionary_page_offset, chunk.total_compressed_size, ROWS, "x"))
    assert (found[0].kind, found[0].values) == (DICTIONARY_PAGE, 700)
    assert sum(page.values for page in found[1:]) == ROWS
    assert sum(page.size for page in found) <= chunk.total_uncompressed_size
    assert schema_elements(tmp_path / "x.parquet") == 6


@pytest.mark.parametrize("place", range(4, 400, 13))
def test_a_damaged_byte_never_crashes(tmp_path: Path, place: int) -> None:
    path = tmp_path / "x.parquet"
    if not path.exists():
        parquet.write_table(TABLE.slice(0, 40), path, compression="none")
    data = bytearray(path.read_bytes())
    for at in (place, len(data) - place):
        shutil.copy(path, tmp_path / "y.parquet")
        (tmp_path / "y.parquet").write_bytes(bytes([*data[:at], data[at] ^ 0xFF, *data[at + 1 :]]))
        with suppress(InputError):
            read(tmp_path / "y.parquet", 2**23)
