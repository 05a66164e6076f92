"""Blocks of a csv: cut between rows, whatever the quotes, and read in the thread that asks for them."""

from __future__ import annotations

import io
import random
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest

from artsim.errors import InputError
from artsim.tables import csv_blocks, readers
from artsim.tables.bounds import BLOCK_BYTES
from artsim.tables.csv_blocks import parse_blocks
from artsim.tables.dialect import Dialect

CELLS = ["a", "", '"b, c"', '"d\n""e"""', '"f\r\ng"', '5" wide', 'h"i"', '"j"k']
SCHEMA = pa.schema([("one", pa.string()), ("two", pa.string())])


def in_blocks(data: bytes, size: int) -> list[dict[str, str]]:
    return [row for table in parse_blocks(io.BytesIO(data), SCHEMA, Dialect(), size) for row in table.to_pylist()]


@pytest.mark.parametrize("seed", range(20))
def test_blocks_of_any_size_have_the_rows_of_the_whole_file(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    monkeypatch.setattr(csv_blocks, "TAIL_BYTES", rng.choice([1, 10, 2**16]))
    end = rng.choice(["\n", "\r\n", "\r"])
    rows = [f"{rng.choice(CELLS)},{rng.choice(CELLS)}{end * rng.choice([1, 1, 2])}" for _ in range(40)]
    data = f"one,two{end}{''.join(rows)}".rstrip("\r\n").encode()
    options = pyarrow.csv.ReadOptions(block_size=len(data) + 1)
    kinds = pyarrow.csv.ConvertOptions(column_types=SCHEMA)
    quoted = pyarrow.csv.ParseOptions(newlines_in_values=True)
    whole = pyarrow.csv.read_csv(io.BytesIO(data), options, quoted, kinds)
    assert all(in_blocks(data, size) == whole.to_pylist() for size in (1, 7, 50, 300))


def test_a_row_that_is_longer_than_a_block_is_refused(tmp_path: Path) -> None:
    line = "x" * 2**20 + "\n"
    (tmp_path / "x.csv").write_text(f'one,two\nb,c\na,"{line * (BLOCK_BYTES // 2**20 + 1)}"\n')
    with pytest.raises(InputError, match=r"x, row 2 .*a row is longer than 8 MiB"):
        list(readers.open_reader(tmp_path / "x.csv", "x").batches())


def test_a_cell_of_several_lines_may_be_long(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('one,two\na,"' + "of a history of owners\n" * 10_000 + '"\n')
    (batch,) = readers.open_reader(tmp_path / "x.csv", "x").batches()
    assert len(batch.column(1)[0].as_py()) == 230_000


def test_no_thread_reads_on_after_a_reader_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that calls Python while the process exits aborts or stops it."""
    threads = set()

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            threads.add(threading.get_ident())
            return super().read(size)

    (tmp_path / "x.csv").write_text("one,two\n" + "a,b\n" * 20_000 + "c\n")
    monkeypatch.setattr(readers, "open_bytes", lambda path, _: Watched(path.read_bytes()))
    next(iter(readers.open_reader(tmp_path / "x.csv", "x", block_bytes=1000).batches()))
    with pytest.raises(InputError, match=r"row 20001 .*has 1 cell"):
        list(readers.open_reader(tmp_path / "x.csv", "x", block_bytes=1000).batches())
    assert threads == {threading.get_ident()}
