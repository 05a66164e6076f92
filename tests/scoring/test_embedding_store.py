"""The embedding store: it is read back as it was written, by pandas too; other files are refused."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from artsim.errors import InputError
from artsim.files import file_sha256
from artsim.scoring.embedding_store import STORE_CONTRACT, EmbeddingStore, check_model, read_store, write_store
from tests.towers import card, newer_card

MODEL = "ab" * 32
ODD_NAMES = ["a/b.jpg", "two\nlines.jpg", "quo\"ted'.jpg", "🎨.png", "\u00fc" * 125 + ".jpg", " ", "a,b.png"]


def some(names: list[str], width: int = 4) -> EmbeddingStore:
    """A store with these names; every second artist is known."""
    vectors = np.random.default_rng(0).normal(size=(len(names), width)).astype(np.float32)
    sha256s = [f"{row:064x}" for row in range(len(names))]
    artists = [None if row % 2 else f"painter {row}" for row in range(len(names))]
    return EmbeddingStore(MODEL, card(), names, sha256s, artists, vectors)


def assert_same(one: EmbeddingStore, other: EmbeddingStore) -> None:
    assert replace(one, vectors=other.vectors) == other
    assert one.vectors.dtype == np.float32
    np.testing.assert_array_equal(one.vectors, other.vectors)


@pytest.mark.parametrize("names", [[], ["a.jpg"], ODD_NAMES])
def test_what_is_written_is_read_back(tmp_path: Path, names: list[str]) -> None:
    write_store(tmp_path / "store.parquet", some(names))
    assert_same(read_store(tmp_path / "store.parquet"), some(names))
    assert [path.name for path in tmp_path.iterdir()] == ["store.parquet"]


def test_attributions_are_a_column_only_if_there_are_any(tmp_path: Path) -> None:
    path, store = tmp_path / "store.parquet", some(["a.jpg", "b.jpg"])
    write_store(path, replace(store, attributions=[None, "Rubens and Snyders"]))
    assert read_store(path).attributions == [None, "Rubens and Snyders"]
    assert read_store(path).cells == ["painter 0", "Rubens and Snyders"]
    write_store(path, replace(store, attributions=[None, None]))
    assert "attribution" not in parquet.read_schema(path).names
    assert read_store(path).cells == store.artists


def test_many_row_groups_are_one_matrix(tmp_path: Path) -> None:
    store = some([f"{row}.jpg" for row in range(1000)])
    write_store(tmp_path / "store.parquet", store)
    parquet.write_table(parquet.read_table(tmp_path / "store.parquet"), tmp_path / "cut.parquet", row_group_size=64)
    assert_same(read_store(tmp_path / "cut.parquet"), store)


def test_pandas_reads_it_in_one_line(tmp_path: Path) -> None:
    store = some(ODD_NAMES)
    write_store(tmp_path / "store.parquet", store)
    frame = pd.read_parquet(tmp_path / "store.parquet")
    assert list(frame.columns) == ["image", "sha256", "artist", "embedding"]
    assert list(frame["image"]) == ODD_NAMES
    np.testing.assert_array_equal(np.stack(list(frame["embedding"])), store.vectors)


def test_the_file_says_what_made_it(tmp_path: Path) -> None:
    write_store(tmp_path / "store.parquet", some(["a.jpg"]))
    said = json.loads(parquet.read_schema(tmp_path / "store.parquet").metadata[b"artsim"])
    assert (said["embeddings"], said["model_sha256"], said["card"]) == (1, MODEL, json.loads(card().to_json()))


def write_changed(path: Path, **changes: Any) -> None:
    """Write a good file with some columns or metadata changed."""
    write_store(path, some(["a.jpg", "b.jpg"]))
    table = parquet.read_table(path)
    said = json.loads(table.schema.metadata[b"artsim"])
    for name, value in changes.items():
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, value)
        else:
            said[name] = value
    parquet.write_table(table.replace_schema_metadata({"artsim": json.dumps(said)}), path)


def foreign(path: Path) -> None:
    pd.DataFrame({"image": ["a.jpg"]}).to_parquet(path)


def no_file(path: Path) -> None:
    """Leave the path empty."""


def newer(path: Path) -> None:
    write_changed(path, embeddings=STORE_CONTRACT + 1, artsim_version="9.1")


def half_written(path: Path) -> None:
    write_store(path, some([f"{row}.jpg" for row in range(100)]))
    path.write_bytes(path.read_bytes()[:2000])


def rotten(path: Path) -> None:
    write_store(path, some([f"{row}.jpg" for row in range(100)]))
    data = bytearray(path.read_bytes())
    place = data.find(some(["a"] * 100).vectors[50:51].tobytes())
    data[place] ^= 1
    path.write_bytes(data)


REFUSED: dict[str, tuple[Any, str]] = {
    "no such file": (no_file, "No such file"),
    "a folder": (lambda path: path.mkdir(), "."),
    "empty": (lambda path: path.touch(), "not an embedding store, or a damaged one"),
    "a csv": (lambda path: path.write_text("image,sha256\na,b\n" * 9), "not an embedding store, or a damaged one"),
    "half-written": (half_written, "damaged.*embedded again"),
    "a bit that turned": (rotten, "can't be read"),
    "foreign": (foreign, "no 'artsim' metadata.*artsim embed"),
    "newer": (
        lambda path: write_changed(path, embeddings=STORE_CONTRACT + 1, artsim_version="9.1"),
        "contract 2.*artsim 9.1",
    ),
    "no contract": (lambda path: write_changed(path, embeddings=None), "metadata is not that of an embedding store"),
    "a bad card": (lambda path: write_changed(path, card={}), "lacks a field or has an invalid one"),
    "a newer card": (
        lambda path: write_changed(path, card=json.loads(newer_card())),
        "lacks a field or has an invalid one.*contract 3",
    ),
    "another type": (lambda path: write_changed(path, embedding=pyarrow.array([1.0, 2.0])), "embedding: double"),
    "empty cells": (lambda path: write_changed(path, sha256=pyarrow.array(["a", None])), "sha256 has empty cells"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_whole_file_of_ours_is_refused(tmp_path: Path, name: str) -> None:
    make, message = REFUSED[name]
    path = tmp_path / "store.parquet"
    make(path)
    with pytest.raises(InputError, match=f"(?s)^{path}: .*{message}"):
        read_store(path)


@given(length=st.integers(min_value=0, max_value=3000))
def test_a_file_cut_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    folder = tmp_path_factory.mktemp("cut")
    write_store(folder / "whole.parquet", some([f"{row}.jpg" for row in range(30)]))
    whole = (folder / "whole.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: min(length, len(whole) - 1)])
    with pytest.raises(InputError):
        read_store(folder / "cut.parquet")


def test_another_models_embeddings_are_refused_with_both_digests() -> None:
    check_model(some([]), Path("store.parquet"), MODEL, width=4)
    with pytest.raises(InputError, match=f"^store.parquet: .*{MODEL}.*{'cd' * 32}"):
        check_model(some([]), Path("store.parquet"), "cd" * 32, width=4)


def test_a_digest_is_sha256s(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def vectors(*rows: Sequence[float | None]) -> pyarrow.Array:
    return pyarrow.array(rows, pyarrow.list_(pyarrow.float32(), len(rows[0])))


GOOD = [0.5, 0.25, 1.0, 2.0]
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "NaN": (
        {"embedding": vectors(GOOD, [1.0, float("nan"), 0.0, 0.0])},
        r"1 embedding in it is not finite.* of b\.jpg",
    ),
    "infinity": ({"embedding": vectors([float("inf")] * 4, [float("-inf")] * 4)}, "2 embeddings in it are not finite"),
    "no number": ({"embedding": vectors(GOOD, [1.0, None, 0.0, 0.0])}, "not finite"),
    "no vector": ({"embedding": pyarrow.array([GOOD, None], vectors(GOOD).type)}, "damaged"),
    "vectors of nothing": ({"embedding": pyarrow.array([[], []], pyarrow.list_(pyarrow.float32(), 0))}, "columns"),
    "text": ({"embedding": pyarrow.array(["1 2", "3 4"])}, "embedding: string"),
    "doubles": ({"embedding": vectors(GOOD, GOOD).cast(pyarrow.list_(pyarrow.float64(), 4))}, "embedding: fixed_size"),
    "a name twice": ({"image": pyarrow.array(["a.jpg", "a.jpg"])}, r"it has a\.jpg twice"),
    "no name": ({"image": pyarrow.array(["a.jpg", None])}, "image has empty cells"),
    "names of numbers": ({"image": pyarrow.array([1, 2])}, "image: int64"),
    "a name without end": ({"image": pyarrow.array(["a" * 5000, "b"])}, "image has a text of more than 4,096"),
    "a digest of another kind": ({"sha256": pyarrow.array(["0" * 64, "../../etc/passwd"])}, "which is no SHA-256"),
    "a contract that is true": ({"embeddings": True}, "embeddings is True; it must be a whole number"),
    "a model that is a number": ({"model_sha256": 5}, "model_sha256 is 5"),
    "a card that is a list": ({"card": []}, r"card is \[\]"),
    "a card with a threshold that is text": (
        {"card": json.loads(card().to_json()) | {"threshold": "x"}},
        "card.threshold is 'x'",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_cell_or_field_that_artsim_would_not_write_is_refused(tmp_path: Path, name: str) -> None:
    changes, message = WRONG[name]
    write_changed(tmp_path / "store.parquet", **changes)
    with pytest.raises(InputError, match=f"(?s)store.parquet: .*{message}.*(embedded again|artsim embed)"):
        read_store(tmp_path / "store.parquet")


def test_metadata_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    write_store(tmp_path / "store.parquet", some(["a.jpg"]))
    table = parquet.read_table(tmp_path / "store.parquet")
    nested = table.replace_schema_metadata({"artsim": '{"card":' * 100_000})
    parquet.write_table(nested, tmp_path / "store.parquet")
    with pytest.raises(InputError, match="nested too deeply"):
        read_store(tmp_path / "store.parquet")


def test_a_small_file_with_embeddings_without_end_is_refused_before_they_are_read(tmp_path: Path) -> None:
    rows, width = 30_000, 64
    zeros = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(np.zeros(rows * width, np.float32)), width)
    columns = {"image": pyarrow.array(["a"] * rows), "sha256": pyarrow.array(["0" * 64] * rows)}
    write_changed(tmp_path / "store.parquet")
    metadata = parquet.read_schema(tmp_path / "store.parquet").metadata
    table = pyarrow.table({**columns, "artist": pyarrow.array(["x"] * rows), "embedding": zeros}, metadata=metadata)
    parquet.write_table(table, tmp_path / "store.parquet", compression="zstd")
    with pytest.raises(InputError, match=r"says that it holds 7,680,000 bytes of embeddings, but has only"):
        read_store(tmp_path / "store.parquet")


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    write_store(tmp_path / "store.parquet", some(["abcdefgh.jpg"]))
    table = parquet.read_table(tmp_path / "store.parquet")
    broken = pyarrow.array([b"\xff\xfe.jpg"], pyarrow.binary()).view(pyarrow.string())
    parquet.write_table(table.set_column(0, "image", broken), tmp_path / "store.parquet")
    with pytest.raises(InputError, match=r"store\.parquet: "):
        read_store(tmp_path / "store.parquet")


def test_a_store_that_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.parquet")
    (tmp_path / "link.parquet").symlink_to("/dev/zero")
    for name in ("pipe.parquet", "link.parquet"):
        with pytest.raises(InputError, match="not a regular file"):
            read_store(tmp_path / name)


def test_embeddings_of_another_width_than_the_models_are_refused() -> None:
    with pytest.raises(InputError, match=r"have 4 values, those of the model 8\. .*embedded again"):
        check_model(some(["a.jpg"]), Path("store.parquet"), MODEL, width=8)
