"""How deep JSON is nested, found without a parser."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artsim.errors import InputError
from artsim.tables.json_lines import MAX_NESTING, safe_pieces, split_rows
from artsim.tables.pairs_file import open_pairs


def pieces_of(data: bytes, size: int = 2**20) -> list[bytes]:
    return [piece for _, piece in safe_pieces(io.BytesIO(data), "x", size)]


def nested(depth: int, end: str = "") -> str:
    return '{"a": ' + ("[" + end) * (depth - 1) + "]" * (depth - 1) + "}\n"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('[]{}"\\,:\n \u2028ü', max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('[{"\\', max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), min_size=1), st.integers(1, 200))
def test_any_json_passes_and_its_lines_stay_whole(rows: list[dict[str, object]], size: int) -> None:
    lines = [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows]
    pieces = pieces_of(b"".join(lines), size)
    assert b"".join(pieces) == b"".join(lines)
    assert all(piece.endswith(b"\n") for piece in pieces)


@pytest.mark.parametrize("around", ["", '{"a": "[[[[\\\\"}\n' * 200, '{"a": "\\"[{"}\r\n' * 100, "\n" * 500])
@pytest.mark.parametrize("end", ["", "\n", " "])
def test_the_deepest_value_decides_wherever_it_is(around: str, end: str) -> None:
    pieces_of((around + nested(MAX_NESTING, end) + around).encode())
    for size in (64, 2**20):
        with pytest.raises(InputError, match="nested more than 64 deep"):
            pieces_of((around + nested(MAX_NESTING + 1, end) + around).encode(), size)


def test_the_line_is_named() -> None:
    with pytest.raises(InputError, match=r"^x, line 3,001: .*nested"):
        pieces_of(('{"a": 1}\n' * 3000 + nested(2000)).encode(), 1000)


def test_brackets_in_texts_do_not_count(tmp_path: Path) -> None:
    row = {"image1": "[" * 1000, "image2": '{"\\' * 300}
    (tmp_path / "x.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row))
    with open_pairs(str(tmp_path / "x.jsonl")) as pairs:
        assert [block.table.to_pylist() for block in pairs.blocks()] == [[row, row]]


@given(st.integers(1, 50), st.integers(1, 3))
def test_parts_of_a_piece_are_the_piece(rows: int, columns: int) -> None:
    piece = b"{}\n" * rows + b"{}"
    assert b"".join(split_rows(piece, columns * 2**20)) == piece


def test_objects_may_be_of_any_length_up_to_a_block(tmp_path: Path) -> None:
    long = {"image1": "a" * 3_000_000, "image2": "b"}
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(long) + "\n" for _ in range(4)))
    with open_pairs(str(tmp_path / "x.jsonl")) as pairs:
        assert sum(len(block) for block in pairs.blocks()) == 4
