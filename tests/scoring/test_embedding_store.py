"""The embedding store: it is read back as it was written, by pandas too; other files are refused."""

from __future__ import annotations

import json
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
