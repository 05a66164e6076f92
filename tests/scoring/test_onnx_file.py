"""A tower is one file: what refers to other files or needs other operators is refused before onnxruntime sees it."""

from __future__ import annotations

import os
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artsim.errors import ModelError
from artsim.scoring import onnx_file
from artsim.scoring.onnx_file import foreign_part, read_model
from artsim.scoring.session import open_tower, read_card
from artsim.towers import BASE
from tests.scoring.hostile_towers import FOREIGN, Change, changed, write_other_file
from tests.towers import SIZE, card, write_tower


@pytest.mark.parametrize(("change", "part"), FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("opened", [open_tower, read_card])
def test_a_graph_that_is_not_complete_in_itself_is_refused(
    tmp_path: Path, change: Change, part: str, opened: Any
) -> None:
    write_other_file(tmp_path)
    path = changed(tmp_path / "tower.onnx", change)
    with pytest.raises(ModelError, match=f"^{path}: its graph has .*{part}.*artsim export"):
        opened(path)


def test_without_the_check_onnxruntime_finds_no_file_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_other_file(tmp_path)
    path = changed(tmp_path / "tower.onnx", FOREIGN["external weights"][0])
    onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])  # by its path it does
    monkeypatch.setattr(onnx_file, "foreign_part", lambda _: None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="not an ONNX model that onnxruntime can open"):
        open_tower(path, "cpu")


def test_the_tower_of_the_package_passes() -> None:
    assert foreign_part(Path(BASE).read_bytes()) is None


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_tower_behind_a_link_works(tmp_path: Path, link: Any) -> None:
    (tmp_path / "elsewhere").mkdir()
    link(write_tower(tmp_path / "elsewhere" / "tower.onnx"), tmp_path / "link.onnx")
    tower = open_tower(tmp_path / "link.onnx", "cpu")
    assert tower.card == card()
    assert tower(np.zeros((1, SIZE, SIZE, 3), dtype=np.uint8)).shape == (1, 8)


def test_a_model_that_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    (tmp_path / "link.onnx").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe.onnx", tmp_path / "link.onnx", Path("/dev/zero")):
        with pytest.raises(ModelError, match="not a regular file"):
            open_tower(path)


def test_a_name_with_a_null_byte_is_refused() -> None:
    with pytest.raises(ModelError, match="can't be read"):
        open_tower(Path("tower\0.onnx"))


def test_a_file_larger_than_any_tower_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "MOST_BYTES", 100)
    with pytest.raises(ModelError, match="more than 100 bytes"):
        read_model(write_tower(tmp_path / "tower.onnx"))


def test_a_message_of_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "MOST_FIELDS", 1000)
    with pytest.raises(ValueError, match="more than 1,000 parts"):
        foreign_part(b"\x08\x01" * 1001)


# A tag of more than 32 bits, which protobuf would cut: field 7 (the graph) in disguise; and others that it refuses.
MALFORMED = {
    "a tag of more than 32 bits": b"\xba\x80\x80\x80\x10\x00",
    "a tag of six bytes": b"\xba\x80\x80\x80\x80\x00\x00",
    "field 0": b"\x02\x00",
    "a group": b"\x3b\x3c",
    "a message that is longer than the file": b"\x3a\x7f\x00",
    "a number that does not end": b"\x08" + b"\xff" * 11,
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_what_protobuf_could_read_differently_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        foreign_part(data)


@given(st.binary(max_size=300))
def test_any_bytes_have_an_answer_or_are_damaged(data: bytes) -> None:
    said = ""
    try:
        foreign_part(data)
    except ValueError as error:
        said = str(error)
    assert said in ("", "cut off", "a field without a number", "a field of an unknown type")


@settings(max_examples=50, derandomize=True)  # onnxruntime parses in C++
@given(st.data())
def test_a_tower_with_any_byte_changed_is_opened_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = write_tower(tmp_path_factory.mktemp("towers") / "tower.onnx")
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with suppress(ModelError):  # most changes do no harm
        open_tower(path, "cpu")


def test_a_small_tower_is_read_in_little_memory(tmp_path: Path) -> None:
    path = write_tower(tmp_path / "tower.onnx", card())
    tracemalloc.start()
    try:
        assert read_model(path) == path.read_bytes()
        assert tracemalloc.get_traced_memory()[1] < 10_000_000  # onnx_file.MOST_BYTES is a gibibyte
    finally:
        tracemalloc.stop()
